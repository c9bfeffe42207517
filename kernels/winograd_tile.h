// Reading and writing the tiles of winograd.h: pixels of channels-last images, and where transformed tiles lie.
//
// A transformed tensor is cut into lines of LANES channels: on a CPU [frequency][line][tile][16], one vector more between
// frequencies (their distance is then no power of two, which would put all of a tile into one set of the cache); on a GPU
// [frequency][tile][channel], as a batch of row-major matrices.
//
// Spec:  REAL  storage type of images and weights; what is transformed is f32
//        ACT   as in conv.cl
#if ACT > 1
#include "gelu.h"
#endif

#if CPU_SHAPE
#define FREQUENCY_STEP(lines, tiles) (((ulong)(lines) * (tiles) + 1) * 16)
#define TRANSFORMED(f, line, tile, lines, tiles) \
  ((f) * FREQUENCY_STEP(lines, tiles) + ((ulong)(line) * (tiles) + (tile)) * 16)
#define LOAD_W(x, i) vload16(0, (x) + (i))
#define STORE_W(x, i, v) vstore16(v, 0, (x) + (i))
#else
#define FREQUENCY_STEP(lines, tiles) ((ulong)(lines) * (tiles))
#define TRANSFORMED(f, line, tile, lines, tiles) ((f) * FREQUENCY_STEP(lines, tiles) + (ulong)(tile) * (lines) + (line))
#define LOAD_W(x, i) ((x)[i])
#define STORE_W(x, i, v) ((x)[i] = (v))
#endif

// A pixel's channels from x on, of which `live` are there; the others are zero, or stay as they are.
#if CPU_SHAPE
FN W load_pixel(GLOBAL const float* x, const int live) {
  if (live >= LANES) return vload16(0, x);
  float lanes[LANES];
  for (int i = 0; i < LANES; ++i) lanes[i] = i < live ? x[i] : 0.0f;
  return vload16(0, lanes);
}

FN void store_pixel(GLOBAL float* x, const W value, const int live) {
  if (live >= LANES) {
    vstore16(value, 0, x);
    return;
  }
  float lanes[LANES];
  vstore16(value, 0, lanes);
  for (int i = 0; i < live; ++i) x[i] = lanes[i];
}
#else
#define load_pixel(x, live) LOAD(x, 0)
#define store_pixel(x, value, live) STORE(x, 0, value)
#endif

FN W activate(const W v) {
#if ACT == 1 && CPU_SHAPE
  return select(v, (W)0.0f, v < 0.0f);  // NaN stays
#elif ACT == 1
  return v < 0.0f ? 0.0f : v;
#elif ACT == 2
  return v * NORMAL_CDF(v);
#elif ACT == 3
  return GELU_TANH(v);
#else
  return v;
#endif
}

// B' d B of the tile whose first pixel is (h0, w0) of an image of h x wd pixels; x is the image at the line's channels. Rows of the result first.
FN void transform_input(GLOBAL const REAL* x, const int h, const int wd, const int channels, const int h0, const int w0,
                        const int live, W* v) {
  W half_done[FREQUENCIES];
  const bool inside = h0 >= 0 && h0 + POINTS <= h && w0 >= 0 && w0 + POINTS <= wd;
  UNROLL for (int j = 0; j < POINTS; ++j) {
    W d[POINTS], column[POINTS];
    UNROLL for (int i = 0; i < POINTS; ++i) {
      const int row = h0 + i, col = w0 + j;
      d[i] = 0.0f;
      if (inside || (row >= 0 && row < h && col >= 0 && col < wd))
        d[i] = load_pixel(x + ((long)row * wd + col) * channels, live);
    }
    winograd_input(d, column);
    UNROLL for (int i = 0; i < POINTS; ++i) half_done[i * POINTS + j] = column[i];
  }
  UNROLL for (int i = 0; i < POINTS; ++i) winograd_input(half_done + i * POINTS, v + i * POINTS);
}

// A' m A.
FN void transform_output(const W* m, W* y) {
  W half_done[TILE * POINTS];
  UNROLL for (int j = 0; j < POINTS; ++j) {
    W column[POINTS], made[TILE];
    UNROLL for (int i = 0; i < POINTS; ++i) column[i] = m[i * POINTS + j];
    winograd_output(column, made);
    UNROLL for (int i = 0; i < TILE; ++i) half_done[i * POINTS + j] = made[i];
  }
  UNROLL for (int i = 0; i < TILE; ++i) winograd_output(half_done + i * POINTS, y + i * TILE);
}

// A dy A' of the tile whose gradients begin at dy and of whose pixels rows x cols lie in the image of q pixels a row; with
// ACT 1 masked by the relu's result y, with MASKED written to `masked`. Returns the sum of the gradients.
#if defined(MASKED)
FN W transform_output_gradient(GLOBAL const REAL* dy, GLOBAL const REAL* y, GLOBAL REAL* masked, const int rows,
                               const int cols, const int q, const int k, const int live, W* d) {
  W half_done[POINTS * TILE], sum = 0.0f;
  UNROLL for (int b = 0; b < TILE; ++b) {
    W column[TILE], made[POINTS];
    UNROLL for (int a = 0; a < TILE; ++a) {
      W g = 0.0f;
      if (a < rows && b < cols) {
        const ulong pixel = ((ulong)a * q + b) * k;
        g = load_pixel(dy + pixel, live);
#if ACT == 1 && CPU_SHAPE
        g = select((W)0.0f, g, load_pixel(y + pixel, live) > 0.0f);
#elif ACT == 1
        g = load_pixel(y + pixel, live) > 0.0f ? g : 0.0f;
#endif
#if MASKED
        store_pixel(masked + pixel, g, live);
#endif
      }
      sum += g;
      column[a] = g;
    }
    winograd_output_gradient(column, made);
    UNROLL for (int a = 0; a < POINTS; ++a) half_done[a * TILE + b] = made[a];
  }
  UNROLL for (int a = 0; a < POINTS; ++a) winograd_output_gradient(half_done + a * TILE, d + a * POINTS);
  return sum;
}
#endif

// G' u G.
FN void transform_filter_gradient(const W* u, W* g) {
  W half_done[3 * POINTS];
  UNROLL for (int j = 0; j < POINTS; ++j) {
    W column[POINTS], made[3];
    UNROLL for (int i = 0; i < POINTS; ++i) column[i] = u[i * POINTS + j];
    winograd_filter_gradient(column, made);
    UNROLL for (int i = 0; i < 3; ++i) half_done[i * POINTS + j] = made[i];
  }
  UNROLL for (int i = 0; i < 3; ++i) winograd_filter_gradient(half_done + i * POINTS, g + i * 3);
}

#if CPU_SHAPE
// Filters [output][input][9] of 16 x 16, one vector of outputs at a time; then all that are there, into those of `inputs`.
FN void put_tap(const float16 outputs, float* tap) {
  float lanes[16];
  vstore16(outputs, 0, lanes);
  for (int lane = 0; lane < 16; ++lane) tap[lane * 16 * 9] = lanes[lane];
}

FN void put_filters(GLOBAL float* dw, float (*taps)[16][9], const uint outputs, const uint inputs, const uint all_inputs) {
  for (uint lane = 0; lane < outputs; ++lane)
    for (uint i = 0; i < inputs * 9; ++i) dw[(ulong)lane * all_inputs * 9 + i] = taps[lane][0][i];
}
#endif
