// Weight gradient for GPUs: a gemm of inputs (r, s, c) x outputs over the pixels of a split. A group computes BM inputs x
// KB outputs; BK pixels at a time go through local memory; a thread holds TM x TN sums. The groups of the first BM inputs
// also make the bias' sums and write the masked dy.
//
// Spec:  BM, KB, BK  extents of a tile        TM, TN  of a thread's part; threads = BM / TM * KB / TN >= KB
#define THREADS_M (BM / TM)
#define THREADS_N (KB / TN)
#define THREADS (THREADS_M * THREADS_N)

KERNEL GROUP_SIZE(THREADS) void conv_weight_gradient(CONV_WEIGHT_PARAMETERS) {
  LOCAL float xs[BK * BM];
  LOCAL float ds[BK * KB];
  OFFSET(x);
  OFFSET(dy);
  OFFSET(y);
  OFFSET(partial);
  OFFSET(masked);
  const int depth = r_count * s_count * cg;
  const uint split = GROUP_ID / all_blocks, block = GROUP_ID - split * all_blocks;
  const int group = block / blocks;
  const int k_first = (block - group * blocks) * KB;
  const int d_first = GROUP_ID_Y * BM;
  const int my_m = LOCAL_ID / THREADS_N, my_n = LOCAL_ID % THREADS_N;

  // A thread loads the same input (r, s, c) in every step: needs THREADS to be a multiple of BM.
  const int load_d = LOCAL_ID % BM, load_m = LOCAL_ID / BM;
  const int d = d_first + load_d;
  const int rs = d / cg, c = d - rs * cg, r = rs / s_count, s = rs - r * s_count;

  float acc[TM][TN];
  UNROLL for (int i = 0; i < TM; ++i) {
    UNROLL for (int j = 0; j < TN; ++j) acc[i][j] = 0.0f;
  }
  float bias = 0.0f;
  const uint end = min((split + 1) * span, pixels);
  for (uint m0 = split * span; m0 < end; m0 += BK) {
    UNROLL for (int i = 0; i < BK * BM / THREADS; ++i) {
      const int mm = load_m + i * (THREADS / BM);
      const uint m = m0 + mm, row = m / q;
      const int hh = (int)(row % p) * sh - ph + r * dh, ww = (int)(m % q) * sw - pw + s * dw;
      float value = 0.0f;
      if (d < depth && m < end && hh >= 0 && hh < h && ww >= 0 && ww < wd)
        value = LOAD(x, (((ulong)(row / p) * h + hh) * wd + ww) * c_all + group * cg + c);
      xs[mm * BM + load_d] = value;
    }
    for (int i = LOCAL_ID; i < BK * KB; i += THREADS) {
      const uint m = m0 + i / KB;
      const int k = k_first + i % KB;
      float value = 0.0f;
      if (m < end && k < kg) {
        const ulong place = (ulong)m * k_all + group * kg + k;
        value = LOAD(dy, place);
#if ACT == 1
        if (!(LOAD(y, place) > 0.0f)) value = 0.0f;
#if MASKED
        if (d_first == 0) STORE(masked, place, value);
#endif
#endif
      }
      ds[i] = value;
    }
    BARRIER();
    if (d_first == 0 && LOCAL_ID < KB)
      for (int k = 0; k < BK; ++k) bias += ds[k * KB + LOCAL_ID];
    for (int k = 0; k < BK; ++k) {
      float a[TM], b[TN];
      UNROLL for (int i = 0; i < TM; ++i) a[i] = xs[k * BM + my_m + i * THREADS_M];
      UNROLL for (int j = 0; j < TN; ++j) b[j] = ds[k * KB + my_n + j * THREADS_N];
      UNROLL for (int i = 0; i < TM; ++i) {
        UNROLL for (int j = 0; j < TN; ++j) acc[i][j] = fma(a[i], b[j], acc[i][j]);
      }
    }
    BARRIER();
  }

  const ulong sums = ((ulong)split * all_blocks + block) * (depth + 1) * KB;
  UNROLL for (int i = 0; i < TM; ++i) {
    const int row = d_first + my_m + i * THREADS_M;
    if (row < depth) {
      UNROLL for (int j = 0; j < TN; ++j) partial[sums + (ulong)row * KB + my_n + j * THREADS_N] = acc[i][j];
    }
  }
  if (d_first == 0 && LOCAL_ID < KB) partial[sums + (ulong)depth * KB + LOCAL_ID] = bias;
}
