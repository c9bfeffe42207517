// Convolution for GPUs: an implicit gemm, pixels x outputs, over the depth (r, s, c). A group computes a tile of BM pixels
// x KB outputs; BK steps of the depth at a time go through local memory; a thread holds TM x TN sums. Neighbouring
// threads read neighbouring channels of x, and the packed weights of a step are one contiguous piece.
//
// Spec:  BM, KB, BK  extents of a tile        TM, TN  of a thread's part
#define THREADS_M (BM / TM)
#define THREADS_N (KB / TN)
#define THREADS (THREADS_M * THREADS_N)
#define ROWS_A (BM * BK / THREADS)  // of a tile of x that one thread loads
#define ROW_STEP (THREADS / BK)

FN float activate(const float v) {
#if ACT == 1
  return v < 0.0f ? 0.0f : v;  // NaN stays
#elif ACT == 2
  return v * NORMAL_CDF(v);
#elif ACT == 3
  return GELU_TANH(v);
#else
  return v;
#endif
}

KERNEL GROUP_SIZE(THREADS) void conv_forward(CONV_PARAMETERS) {
  LOCAL float xs[BK * (BM + 1)];
  LOCAL float ws[BK * KB];
  OFFSET(x);
  OFFSET(w);
  OFFSET(bias);
  OFFSET(y);
  const uint chunk = GROUP_ID / all_blocks, block = GROUP_ID - chunk * all_blocks;
  const int group = block / blocks;
  const int k_first = (block - group * blocks) * KB;
  const int depth = r_count * s_count * cg;
  const ulong block_weights = (ulong)block * depth * KB;
  const int load_d = LOCAL_ID % BK, load_m = LOCAL_ID / BK;
  const int my_m = LOCAL_ID / THREADS_N, my_n = LOCAL_ID % THREADS_N;

  // Where the pixels whose channels this thread loads stand; -1 behind the last one.
  int image[ROWS_A], h0[ROWS_A], w0[ROWS_A];
  UNROLL for (int i = 0; i < ROWS_A; ++i) {
    const uint m = chunk * BM + load_m + i * ROW_STEP;
    const uint row = m / q;
    image[i] = m < pixels ? (int)(row / p) : -1;
#if GRADIENT
    h0[i] = row % p;
    w0[i] = m % q;
#else
    h0[i] = (int)(row % p) * sh - ph;
    w0[i] = (int)(m % q) * sw - pw;
#endif
  }

  float acc[TM][TN];
  UNROLL for (int i = 0; i < TM; ++i) {
    UNROLL for (int j = 0; j < TN; ++j) acc[i][j] = 0.0f;
  }
  for (int d0 = 0; d0 < depth; d0 += BK) {
    const int d = d0 + load_d;
    const int rs = d / cg, c = d - rs * cg, r = rs / s_count, s = rs - r * s_count;
#if GRADIENT
    const int down = out_h0 + ph - r * dh, right = out_w0 + pw - s * dw;
    const int dr = down / sh, ds = right / sw;
    const int meets = d < depth && down % sh == 0 && right % sw == 0;
#else
    const int dr = r * dh, ds = s * dw;
    const int meets = d < depth;
#endif
    UNROLL for (int i = 0; i < ROWS_A; ++i) {
      const int hh = h0[i] + dr, ww = w0[i] + ds;
      float value = 0.0f;
      if (meets && image[i] >= 0 && hh >= 0 && hh < h && ww >= 0 && ww < wd)
        value = LOAD(x, (((ulong)image[i] * h + hh) * wd + ww) * c_all + group * cg + c);
      xs[load_d * (BM + 1) + load_m + i * ROW_STEP] = value;
    }
    const int weights = min(BK, depth - d0) * KB;
    for (int i = LOCAL_ID; i < BK * KB; i += THREADS)
      ws[i] = i < weights ? LOAD(w, block_weights + (ulong)d0 * KB + i) : 0.0f;
    BARRIER();
    UNROLL for (int k = 0; k < BK; ++k) {  // half unrolled, ptxas spills
      float a[TM], b[TN];
      UNROLL for (int i = 0; i < TM; ++i) a[i] = xs[k * (BM + 1) + my_m + i * THREADS_M];
      UNROLL for (int j = 0; j < TN; ++j) b[j] = ws[k * KB + my_n + j * THREADS_N];
      UNROLL for (int i = 0; i < TM; ++i) {
        UNROLL for (int j = 0; j < TN; ++j) acc[i][j] = fma(a[i], b[j], acc[i][j]);
      }
    }
    BARRIER();
  }

  UNROLL for (int i = 0; i < TM; ++i) {
    const uint m = chunk * BM + my_m + i * THREADS_M;
    if (m < pixels) {
#if GRADIENT
      const uint row = m / q;
      const ulong place =
          (((ulong)(row / p) * out_h + out_h0 + row % p * sh) * out_w + out_w0 + m % q * sw) * k_all + group * kg;
#else
      const ulong place = (ulong)m * k_all + group * kg;
#endif
      UNROLL for (int j = 0; j < TN; ++j) {
        const int k = k_first + my_n + j * THREADS_N;
        if (k < kg) {
#if BIAS
          acc[i][j] += LOAD(bias, group * kg + k);
#endif
          STORE(y, place + k, activate(acc[i][j]));
        }
      }
    }
  }
}
