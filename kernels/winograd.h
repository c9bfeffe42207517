// Winograd's minimal filtering F(TILE x TILE, 3 x 3): y = A' [ (G g G') . (B' d B) ] A, one axis at a time, for a value W
// that is one element on a GPU and sixteen neighbouring channels on a CPU. Lavin and Gray, arXiv:1509.09308; the
// polynomials of Toom and Cook behind it.
//
// F(4x4) uses the points 0, +-sqrt(1/2), +-sqrt(2) and infinity. They multiply rounding errors by 7.1 where the usual
// 0, +-1, +-2 do so by 31 (root of the summed squares over the matrices' elements, relative to the direct sum), for the
// same number of operations; F(2x2), with 0, +-1, infinity: by 1.7.
//
// Spec:  TILE       results along an axis, 2 or 4
//        CPU_SHAPE  1: W is float16        0: W is float
#define POINTS (TILE + 2)
#define FREQUENCIES (POINTS * POINTS)

#if CPU_SHAPE
#define LANES 16
typedef float16 W;
#else
#define LANES 1
typedef float W;
#endif

#define ROOT 1.41421356237309505f
#define HALF_ROOT 0.70710678118654752f

// B': an input of POINTS values.
FN void winograd_input(const W* d, W* v) {
#if TILE == 4
  const W far = d[4] - 2.0f * d[2], far_odd = d[3] - 2.0f * d[1];
  const W near = d[4] - 0.5f * d[2], near_odd = d[3] - 0.5f * d[1];
  v[0] = d[0] - 2.5f * d[2] + d[4];
  v[1] = far + HALF_ROOT * far_odd;
  v[2] = far - HALF_ROOT * far_odd;
  v[3] = near + ROOT * near_odd;
  v[4] = near - ROOT * near_odd;
  v[5] = d[1] - 2.5f * d[3] + d[5];
#else
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[3] - d[1];
#endif
}

// G: the three taps of a filter.
FN void winograd_filter(const W* g, W* u) {
#if TILE == 4
  const W near = (-2.0f / 3.0f) * g[0] - (1.0f / 3.0f) * g[2], near_odd = (-2.0f / 3.0f * HALF_ROOT) * g[1];
  const W far = (1.0f / 6.0f) * g[0] + (1.0f / 3.0f) * g[2], far_odd = (1.0f / 6.0f * ROOT) * g[1];
  u[0] = g[0];
  u[1] = near + near_odd;
  u[2] = near - near_odd;
  u[3] = far + far_odd;
  u[4] = far - far_odd;
  u[5] = g[2];
#else
  const W even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
  u[0] = g[0];
  u[1] = even + odd;
  u[2] = even - odd;
  u[3] = g[2];
#endif
}

// A': TILE results.
FN void winograd_output(const W* m, W* y) {
#if TILE == 4
  const W near = m[1] + m[2], near_odd = m[1] - m[2], far = m[3] + m[4], far_odd = m[3] - m[4];
  y[0] = m[0] + near + far;
  y[1] = HALF_ROOT * near_odd + ROOT * far_odd;
  y[2] = 0.5f * near + 2.0f * far;
  y[3] = (0.5f * HALF_ROOT) * near_odd + (2.0f * ROOT) * far_odd + m[5];
#else
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] + m[3];
#endif
}

// A: what winograd_output hands back, from TILE gradients.
FN void winograd_output_gradient(const W* y, W* m) {
#if TILE == 4
  const W near = y[0] + 0.5f * y[2], near_odd = HALF_ROOT * y[1] + (0.5f * HALF_ROOT) * y[3];
  const W far = y[0] + 2.0f * y[2], far_odd = ROOT * y[1] + (2.0f * ROOT) * y[3];
  m[0] = y[0];
  m[1] = near + near_odd;
  m[2] = near - near_odd;
  m[3] = far + far_odd;
  m[4] = far - far_odd;
  m[5] = y[3];
#else
  m[0] = y[0];
  m[1] = y[0] + y[1];
  m[2] = y[0] - y[1];
  m[3] = y[1];
#endif
}

// G': the taps' gradients from those of the transformed filter.
FN void winograd_filter_gradient(const W* u, W* g) {
#if TILE == 4
  const W near = u[1] + u[2], near_odd = u[1] - u[2], far = u[3] + u[4], far_odd = u[3] - u[4];
  g[0] = u[0] - (2.0f / 3.0f) * near + (1.0f / 6.0f) * far;
  g[1] = (1.0f / 6.0f * ROOT) * far_odd - (2.0f / 3.0f * HALF_ROOT) * near_odd;
  g[2] = u[5] - (1.0f / 3.0f) * near + (1.0f / 3.0f) * far;
#else
  const W even = 0.5f * (u[1] + u[2]);
  g[0] = u[0] + even;
  g[1] = 0.5f * (u[1] - u[2]);
  g[2] = u[3] + even;
#endif
}
