// Weight gradient for a CPU under OpenCL: one work-item takes one block of KB outputs and one split, STAGE pixels at a
// time. It copies the stage's dy (masked by the activation, summed for the bias), lists for each filter position the
// pixels that see the image through it, and runs tiles of T inputs x KB outputs over the list, their sums in float16
// registers. Between stages the sums rest in `partial`, which stays in the cache.
//
// Spec:  T      inputs of a tile        REM    depth modulo T: a last, narrower tile
//        KV     vectors of 16 outputs, KB = 16 * KV
//        STAGE  pixels of a stage; the next stage's dy is prefetched meanwhile (5 to 20 % where K is small)
//        RUN    s_count * cg when that is small (a first layer), else 0: a filter row is one run of x
//        ROWS   filter rows handled at once, r_count or 1; only with RUN
#if RUN
#define DEPTH (ROWS * RUN)
#else
#define DEPTH cg
#endif
#if ROWS > 1
#define X_AT(t) run[(t) / RUN * pitch[i] + (t) % RUN]
#else
#define X_AT(t) run[t]
#endif

// Adds N inputs x KB outputs over the listed pixels to the sums at `sum`.
#define TILE(N)                                                                                           \
  {                                                                                                       \
    float16 acc[N][KV];                                                                                   \
    UNROLL for (int t = 0; t < N; ++t) {                                                                  \
      UNROLL for (int v = 0; v < KV; ++v) acc[t][v] = begun ? vload16(t * KV + v, sum) : (float16)0.0f;   \
    }                                                                                                     \
    for (int i = 0; i < count; ++i) {                                                                     \
      GLOBAL const float* const run = (GLOBAL const float*)from[i] + j;                                   \
      float16 dv[KV];                                                                                     \
      UNROLL for (int v = 0; v < KV; ++v) dv[v] = vload16(v, stage + at[i]);                              \
      UNROLL for (int t = 0; t < N; ++t) {                                                                \
        const float xv = X_AT(t);                                                                         \
        UNROLL for (int v = 0; v < KV; ++v) acc[t][v] = fma((float16)xv, dv[v], acc[t][v]);               \
      }                                                                                                   \
    }                                                                                                     \
    UNROLL for (int t = 0; t < N; ++t) {                                                                  \
      UNROLL for (int v = 0; v < KV; ++v) vstore16(acc[t][v], t * KV + v, sum);                           \
    }                                                                                                     \
    sum += N * KB;                                                                                        \
  }

KERNEL void conv_weight_gradient(CONV_WEIGHT_PARAMETERS) {
  OFFSET(x);
  OFFSET(dy);
  OFFSET(y);
  OFFSET(partial);
  OFFSET(masked);
  const uint split = GROUP_ID / all_blocks, block = GROUP_ID - split * all_blocks;
  const int group = block / blocks;
  const int k_first = (block - group * blocks) * KB;
  const int k_count = min(KB, kg - k_first);
  const uint weights = r_count * s_count * cg * KB;
  GLOBAL float* const sums = partial + ((ulong)split * all_blocks + block) * (weights + KB);
  x += group * cg;
  dy += group * kg + k_first;
  y += group * kg + k_first;
  masked += group * kg + k_first;
#if POOL
  OFFSET(which);
  which += k_first;
#endif

  float stage[STAGE * KB];
  ulong from[STAGE];  // where the listed pixels' inputs are: in x, or in edges (on a CPU all memory is one)
  int at[STAGE];      // and their dy in the stage
#if RUN
  float edges[STAGE * DEPTH];
  int pitch[STAGE];  // from one filter row's run to the next's
#endif
  float16 bias[KV];
  UNROLL for (int v = 0; v < KV; ++v) bias[v] = 0.0f;
  const uint end = min((split + 1) * span, pixels);
  bool begun = false;
  for (uint m = split * span; m < end; m += STAGE) {
    const int live = min((uint)STAGE, end - m);
    const int n0 = m / (p * q), p0 = m / q - n0 * p, q0 = m % q;
#if POOL
    int fill_n = n0, fill_p = p0, fill_q = q0;
    for (int i = 0; i < live; ++i) {
      const bool pooled = fill_p < 2 * pooled_p && fill_q < 2 * pooled_q;  // a last odd row or column is in no window
      const ulong o = (((ulong)fill_n * pooled_p + fill_p / 2) * pooled_q + fill_q / 2) * k_all;
      const int place = (fill_p & 1) * 2 + (fill_q & 1);
      UNROLL for (int v = 0; v < KV; ++v) {
        float16 g = 0.0f;
        if (pooled)
          g = select(g, vload16(v, dy + o), convert_int16(vload16(v, which + o)) == (int16)place);
        bias[v] += g;
        vstore16(g, v, stage + i * KB);
      }
      if (++fill_q == q) {
        fill_q = 0;
        if (++fill_p == p) fill_p = 0, ++fill_n;
      }
    }
#else
    for (int i = 0; i < live; ++i) {
      const ulong o = (ulong)(m + i) * k_all;
      if (k_count == KB) {
        UNROLL for (int v = 0; v < KV; ++v) {
          float16 g = vload16(v, dy + o);
          __builtin_prefetch((const void*)(ulong)(dy + o + 16 * v + (ulong)STAGE * k_all));
#if ACT == 1
          g = select((float16)0.0f, g, vload16(v, y + o) > 0.0f);
#if MASKED
          vstore16(g, v, masked + o);
#endif
#endif
          bias[v] += g;
          vstore16(g, v, stage + i * KB);
        }
      } else {
        for (int k = 0; k < KB; ++k) {
          float g = k < k_count ? dy[o + k] : 0.0f;
#if ACT == 1
          if (k < k_count && !(y[o + k] > 0.0f)) g = 0.0f;
#if MASKED
          if (k < k_count) masked[o + k] = g;
#endif
#endif
          stage[i * KB + k] = g;
        }
        UNROLL for (int v = 0; v < KV; ++v) bias[v] += vload16(v, stage + i * KB);
      }
    }
#endif

    GLOBAL float* sum = sums;
    for (int r = 0; r < r_count; r += ROWS) {
      for (int s = 0; s < (RUN ? 1 : s_count); ++s) {
        int count = 0, n = n0, pp = p0, qq = q0;
        for (int i = 0; i < live;) {  // the stage's pixels row by row; i is the one at qq
          const int row_end = min(q, qq + live - i), hh = pp * sh - ph + r * dh;
#if RUN
          const bool rows_inside = hh >= 0 && hh + (ROWS - 1) * dh < h;
          GLOBAL const float* const row = x + ((long)n * h + hh) * wd * c_all;
          for (int a = qq; a < row_end && (ROWS > 1 || rows_inside);) {
            const int w0 = a * sw - pw;
            if (rows_inside && w0 >= 0 && w0 + s_count <= wd) {
              const int inside = min(row_end, (wd - s_count + pw) / sw + 1) - a;
              for (int e = 0; e < inside; ++e) {
                from[count + e] = (ulong)(row + (w0 + e * sw) * c_all);
                at[count + e] = (i + a - qq + e) * KB;
                pitch[count + e] = dh * wd * c_all;
              }
              count += inside;
              a += inside;
            } else {  // what the border cuts is copied between zeros
              float* const edge = edges + count * DEPTH;
              for (int e = 0; e < DEPTH; ++e) edge[e] = 0.0f;
              for (int b = 0; b < ROWS; ++b)
                if (hh + b * dh >= 0 && hh + b * dh < h)
                  for (int e = max(0, -w0) * cg; e < min(s_count, wd - w0) * cg; ++e)
                    edge[b * RUN + e] = row[(b * dh * wd + w0) * c_all + e];
              from[count] = (ulong)edge;
              pitch[count] = RUN;
              at[count++] = (i + a - qq) * KB;
              ++a;
            }
          }
#else
          if (hh >= 0 && hh < h) {
            const int ws = s * dw - pw;
            const int low = max(qq, ws < 0 ? (-ws + sw - 1) / sw : 0);
            const int high = min(row_end, wd - 1 - ws < 0 ? 0 : (wd - 1 - ws) / sw + 1);
            GLOBAL const float* const row = x + (((long)n * h + hh) * wd + ws) * c_all;
            for (int a = low; a < high; ++a) {
              from[count] = (ulong)(row + (long)a * sw * c_all);
              at[count++] = (i + a - qq) * KB;
            }
          }
#endif
          i += row_end - qq;
          qq = 0;
          if (++pp == p) pp = 0, ++n;
        }
        int j = 0;
        for (; j + T <= DEPTH; j += T) TILE(T)
#if REM
        TILE(REM)
#endif
      }
    }
    begun = true;
  }
  UNROLL for (int v = 0; v < KV; ++v) vstore16(bias[v], v, sums + weights);
}
