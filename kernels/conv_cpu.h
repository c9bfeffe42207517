// Convolution for a CPU under OpenCL: one work-item a group, T pixels times KV * 16 output channels in float16 registers.
//
// Pixels are counted through all images and rows, so a tile may cross a row or an image and a narrow image wastes
// nothing. For each filter position every pixel of the tile gets a pointer to its channels; one that lies outside the
// image points at the zeros behind the packed weights. The inner loop then is KV vector loads, T scalar loads and
// T * KV fma, with no test.
//
// Spec:  T             pixels of a tile; T * KV + KV + 1 registers are used, 32 are there. PoCL spills beyond 28 sums
//        KV            vectors of 16 output channels, 1 or 2; KB = 16 * KV
//        RUN           s_count * cg when that is small (a first layer), else 0: a filter row is one run of x, and the inner
//                      loop runs along it. Forward only, one group, no horizontal dilation. 7x7 over 3 channels: 0.6 to
//                      0.85 of the machine's limit
//        WEIGHTS_STAY  which operand neighbouring groups share: 1 a block of weights, 0 a piece of x
//        STREAM        1: y is too large to stay in a cache, so it is written past them (1x1: 1.3 times faster); needs
//                      kg and k_all to be multiples of 16
//
// The unroll pragmas carry weight: without them PoCL keeps the sums in memory.
#define KB (16 * KV)
#define LANES ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#if POOL  // lanes 4 i and on are the four pixels of window i
#define STEP (T / 4)
#define LANE_AT ((int16)(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3))
#define ROW_OF(p) (2 * (p) + ((LANES >> 1) & 1))
#define COL_OF(q) (2 * (q) + (LANES & 1))
#else
#define STEP T
#define LANE_AT LANES
#define ROW_OF(p) (p)
#define COL_OF(q) (q)
#endif
#if RUN
#define DEPTH RUN
#else
#define DEPTH cg
#endif

FN float16 activate(const float16 v) {
#if ACT == 1
  return select(v, (float16)0.0f, v < 0.0f);  // NaN stays
#elif ACT == 2
  return v * NORMAL_CDF(v);
#elif ACT == 3
  return GELU_TANH(v);
#else
  return v;
#endif
}

FN void put(GLOBAL float* to, const float16 v, const bool past_caches) {
#if STREAM && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
  if (past_caches) {
    __builtin_nontemporal_store(v, (GLOBAL float16*)to);
    return;
  }
#endif
#endif
  vstore16(v, 0, to);
}

KERNEL void conv_forward(CONV_PARAMETERS) {
  OFFSET(x);
  OFFSET(w);
  OFFSET(bias);
  OFFSET(y);
#if POOL
  OFFSET(which);
#endif
#if WEIGHTS_STAY
  const uint block = GROUP_ID / chunks, chunk = GROUP_ID - block * chunks;
#else
  const uint chunk = GROUP_ID / all_blocks, block = GROUP_ID - chunk * all_blocks;
#endif
  const int group = block / blocks;
  const int k_first = group * kg + (block - group * blocks) * KB;
  const int k_count = min(KB, (group + 1) * kg - k_first);
  const uint weights = r_count * s_count * cg * KB;
  GLOBAL const float* const block_weights = w + (ulong)block * weights;
  GLOBAL const float* const zeros = w + (ulong)all_blocks * weights;
  const bool aligned = ((ulong)y & 63) == 0;
  x += group * cg;
  y += k_first;

  float16 shift[KV];
  UNROLL for (int v = 0; v < KV; ++v) shift[v] = 0.0f;
#if BIAS
  {
    float padded[KB];
    for (int k = 0; k < KB; ++k) padded[k] = k < k_count ? bias[k_first + k] : 0.0f;
    UNROLL for (int v = 0; v < KV; ++v) shift[v] = vload16(v, padded);
  }
#endif

  const uint end = min((chunk + 1) * tiles * STEP, pixels);
  uint m = chunk * tiles * STEP;
  int16 q_at = (int)m + LANE_AT;
  int16 p_at = q_at / q;
  q_at -= p_at * q;
  int16 n_at = p_at / p;
  p_at -= n_at * p;

  for (; m < end; m += STEP) {
    const int n_first = n_at.s0;
    GLOBAL const float* const image = x + (ulong)n_first * h * wd * c_all;
    const int16 live = (int)m + LANE_AT < (int16)(int)end;
#if GRADIENT
    const int16 h0 = p_at, w0 = q_at, row0 = (n_at - n_first) * h;
#else
    const int16 h0 = ROW_OF(p_at) * sh - ph, w0 = COL_OF(q_at) * sw - pw, row0 = (n_at - n_first) * h;
#endif
    float16 acc[T][KV];
    UNROLL for (int t = 0; t < T; ++t) {
      UNROLL for (int v = 0; v < KV; ++v) acc[t][v] = shift[v];
    }
#if RUN
    float edge[T][RUN];
#endif
    GLOBAL const float* wp = block_weights;
    for (int r = 0; r < r_count; ++r) {
#if GRADIENT
      const int down = out_h0 + ph - r * dh;
      const int16 hh = h0 + down / sh;
      const int16 row_live = down % sh == 0 ? live : (int16)0;
#else
      const int16 hh = h0 + r * dh;
      const int16 row_live = live;
#endif
      const int16 row_ok = row_live & (hh >= 0) & (hh < h);
      if (!any(row_ok)) {
        wp += s_count * cg * KB;
        continue;
      }
      const int16 row = (row0 + hh) * wd;
      int at[16];
      GLOBAL const float* xt[T];
#if RUN
      const int16 ok = row_ok & (w0 >= 0) & (w0 + s_count <= wd);
      vstore16(select((int16)(-1), (row + w0) * c_all, ok), 0, at);
      UNROLL for (int t = 0; t < T; ++t) xt[t] = at[t] < 0 ? zeros : image + at[t];
      if (any(row_ok & ~ok)) {  // runs that the image's border cuts are copied between zeros
        int first[16], from[16], cut[16];
        vstore16(w0, 0, first);
        vstore16((row + w0) * c_all, 0, from);
        vstore16(row_ok & ~ok, 0, cut);
        for (int t = 0; t < T; ++t) {
          if (!cut[t]) continue;
          for (int i = 0; i < RUN; ++i) edge[t][i] = 0.0f;
          const int low = max(0, -first[t]) * cg, high = min(s_count, wd - first[t]) * cg;
          for (int i = low; i < high; ++i) edge[t][i] = image[from[t] + i];
          xt[t] = (GLOBAL const float*)(ulong)edge[t];  // on a CPU all memory is one
        }
      }
      {
#else
      for (int s = 0; s < s_count; ++s) {
#if GRADIENT
        const int right = out_w0 + pw - s * dw;
        const int16 ww = w0 + right / sw;
        if (right % sw != 0) {
          wp += cg * KB;
          continue;
        }
#else
        const int16 ww = w0 + s * dw;
#endif
        const int16 ok = row_ok & (ww >= 0) & (ww < wd);
        vstore16(select((int16)(-1), (row + ww) * c_all, ok), 0, at);
        UNROLL for (int t = 0; t < T; ++t) xt[t] = at[t] < 0 ? zeros : image + at[t];
#endif
        for (int c = 0; c < DEPTH; ++c) {
          float16 wv[KV];
          UNROLL for (int v = 0; v < KV; ++v) wv[v] = vload16(v, wp);
          wp += KB;
          UNROLL for (int t = 0; t < T; ++t) {
            const float xv = xt[t][c];
            UNROLL for (int v = 0; v < KV; ++v) acc[t][v] = fma((float16)xv, wv[v], acc[t][v]);
          }
        }
      }
    }

#if POOL
    const int windows = min((uint)STEP, end - m);
    UNROLL for (int i = 0; i < STEP; ++i) {
      if (i < windows) {
        UNROLL for (int v = 0; v < KV; ++v) {
          float16 best = acc[4 * i][v];
          int16 where = 0;
          UNROLL for (int j = 1; j < 4; ++j) {
            const int16 wins = (acc[4 * i + j][v] > best) | (acc[4 * i + j][v] != acc[4 * i + j][v]);
            best = select(best, acc[4 * i + j][v], wins);
            where = select(where, (int16)j, wins);
          }
          const ulong place = (ulong)(m + i) * k_all + 16 * v;
          vstore16(select(best, (float16)0.0f, best < 0.0f), 0, y + place);
          vstore16(convert_uchar16(select((int16)4, where, best > 0.0f)), 0, which + k_first + place);
        }
      }
    }
#else
    int place[16];  // of the pixels in y, from the first image's start
#if GRADIENT
    vstore16((((n_at - n_first) * out_h + out_h0 + p_at * sh) * out_w + out_w0 + q_at * sw) * k_all, 0, place);
    GLOBAL float* const out = y + (ulong)n_first * out_h * out_w * k_all;
#else
    vstore16(LANES * k_all, 0, place);
    GLOBAL float* const out = y + (ulong)m * k_all;
#endif
    const int count = min((uint)T, end - m);
    if (k_count == KB) {
      UNROLL for (int t = 0; t < T; ++t) {
        if (t < count) {
          UNROLL for (int v = 0; v < KV; ++v) put(out + place[t] + 16 * v, activate(acc[t][v]), aligned);
        }
      }
    } else {
      float row_out[T][KB];
      UNROLL for (int t = 0; t < T; ++t) {
        UNROLL for (int v = 0; v < KV; ++v) vstore16(activate(acc[t][v]), v, row_out[t]);
      }
      for (int t = 0; t < count; ++t)
        for (int k = 0; k < k_count; ++k) out[place[t] + k] = row_out[t][k];
    }
#endif

    q_at += STEP;
    while (any(q_at >= q)) {
      const int16 over = q_at >= q;  // -1 where true
      q_at -= over & q;
      p_at -= over;
      const int16 wrap = p_at >= p;
      p_at = select(p_at, (int16)0, wrap);
      n_at -= wrap;
    }
  }
}
