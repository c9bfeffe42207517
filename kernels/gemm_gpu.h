// The gemm of gemm.cl for a GPU: a group makes a tile of BM x BN of C from slices of BK, kept in local memory as floats,
// k outermost and twice over: while one pair is multiplied the next one is already on its way through registers, and one
// barrier a slice is enough. A thread holds TM x TN sums, in pieces of four neighbours, so that neighbouring threads read
// neighbouring words of local memory.
//
// Spec:  BM, BN, BK  the tile                          TM, TN  a thread's share; THREADS = (BM / TM) * (BN / TN)
//                    All are multiples of four.
//        VEC         1: everything is f32 and aligned to four elements (offsets, leading dimensions, batch strides, and
//                    the extents along which A, B and C lie), so that four move at once
#define THREADS ((BM / TM) * (BN / TN))
#define CHUNK (VEC ? 4 : 1)
// The pad keeps the transposing stores off one bank, and rows aligned for four-word reads.
#define PITCH_A (BM + 4)
#define PITCH_B (BN + 4)
#define COUNT_A (BM * BK / THREADS)
#define COUNT_B (BN * BK / THREADS)

// Where row i (of T) of thread `at` lies in a tile of B: fours, the next of which is 4 * B / T further on.
#define PLACE(i, at, T, B) ((i) / 4 * ((B) / (T) * 4) + (at) * 4 + (i) % 4)
// Four words of a slice at once.
#define FOUR(slice, i) (*(LOCAL_PTR const float4*)((slice) + (i)))

#if ACT == 1
#define ACTIVATE(x) fmax((x), 0.0f)
#elif ACT == 2
#define ACTIVATE(x) ((x) * NORMAL_CDF(x))
#elif ACT == 3
#define ACTIVATE(x) GELU_TANH(x)
#else
#define ACTIVATE(x) (x)
#endif

// Element e of a slice with DIM rows (of op(A), or columns of op(B)): along k first where memory lies so.
#define SLICE_K(e, DIM, K_INNER) ((K_INNER) ? (e) % BK : (e) / (DIM))
#define SLICE_D(e, DIM, K_INNER) ((K_INNER) ? (e) / BK : (e) % (DIM))
#define SLICE_AT(e, DIM, K_INNER, ld) \
  ((K_INNER) ? SLICE_D(e, DIM, K_INNER) * (ld) + SLICE_K(e, DIM, K_INNER) \
             : SLICE_K(e, DIM, K_INNER) * (ld) + SLICE_D(e, DIM, K_INNER))

// A thread's share of the slice at x into registers; zeros beyond `rows` and `depth`.
#if VEC
#define FETCH(stage, x, ld, DIM, COUNT, K_INNER, rows, depth)                                      \
  UNROLL for (int i = 0; i < (COUNT) / 4; ++i) {                                                   \
    const uint e = (LOCAL_ID + i * THREADS) * 4;                                                   \
    const bool inside = SLICE_K(e, DIM, K_INNER) < (depth) && SLICE_D(e, DIM, K_INNER) < (rows);   \
    stage[i] = inside ? LOAD4(x, SLICE_AT(e, DIM, K_INNER, ld)) : F32X4(0.0f, 0.0f, 0.0f, 0.0f);   \
  }
#define STAGED(stage, i) \
  ((i) % 4 == 0 ? stage[(i) / 4].x : (i) % 4 == 1 ? stage[(i) / 4].y : (i) % 4 == 2 ? stage[(i) / 4].z : stage[(i) / 4].w)
#else
#define FETCH(stage, x, ld, DIM, COUNT, K_INNER, rows, depth)                                      \
  UNROLL for (int i = 0; i < (COUNT); ++i) {                                                       \
    const uint e = LOCAL_ID + i * THREADS;                                                         \
    const bool inside = SLICE_K(e, DIM, K_INNER) < (depth) && SLICE_D(e, DIM, K_INNER) < (rows);   \
    stage[i] = inside ? LOAD(x, SLICE_AT(e, DIM, K_INNER, ld)) : 0.0f;                             \
  }
#define STAGED(stage, i) stage[i]
#endif

// From registers to the slice in local memory, [k][row].
#define PLACE_SLICE(slice, stage, DIM, PITCH, COUNT, K_INNER)                                             \
  UNROLL for (int i = 0; i < (COUNT); ++i) {                                                              \
    const uint e = (LOCAL_ID + i / CHUNK * THREADS) * CHUNK + i % CHUNK;                                  \
    (slice)[SLICE_K(e, DIM, K_INNER) * (PITCH) + SLICE_D(e, DIM, K_INNER)] = STAGED(stage, i);            \
  }

KERNEL GROUP_SIZE(THREADS) void gemm(IN(REAL, a), IN(REAL, b), OUT(REAL, c), IN(REAL, bias), const uint m, const uint n,
                                     const uint k, const uint batch, const ulong lda, const ulong ldb, const ulong ldc,
                                     const ulong stride_a, const ulong stride_b, const ulong stride_c,
                                     const float alpha, const float beta, const uint has_bias) {
  LOCAL float4 memory_a[2 * BK * PITCH_A / 4];  // declared so for their alignment
  LOCAL float4 memory_b[2 * BK * PITCH_B / 4];
  OFFSET(a);
  OFFSET(b);
  OFFSET(c);
  OFFSET(bias);
  // Eight rows of tiles are walked together, column by column: what runs at one time then shares both A and B in cache.
  const uint tiles_m = (m + BM - 1) / BM, tiles_n = (n + BN - 1) / BN;
  const uint id = GROUP_ID % (tiles_m * tiles_n), item = GROUP_ID / (tiles_m * tiles_n);
  const uint band = id / (8 * tiles_n), band_rows = tiles_m - band * 8 < 8 ? tiles_m - band * 8 : 8;
  const uint in_band = id % (8 * tiles_n);
  const uint row0 = (band * 8 + in_band % band_rows) * BM, col0 = in_band / band_rows * BN;
  const uint rows = m - row0, cols = n - col0;

  const ulong step_a = TRANS_A ? (ulong)BK * lda : BK, step_b = TRANS_B ? BK : (ulong)BK * ldb;
  a += item * stride_a + (TRANS_A ? (ulong)row0 : (ulong)row0 * lda);
  b += item * stride_b + (TRANS_B ? (ulong)col0 * ldb : (ulong)col0);
  c += item * stride_c + (ulong)row0 * ldc + col0;

  const uint ty = LOCAL_ID / (BN / TN), tx = LOCAL_ID % (BN / TN);
  float sum[TM][TN];
  UNROLL for (int i = 0; i < TM; ++i) {
    UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
#if VEC
  float4 stage_a[COUNT_A / 4], stage_b[COUNT_B / 4];
#else
  float stage_a[COUNT_A], stage_b[COUNT_B];
#endif

  FETCH(stage_a, a, lda, BM, COUNT_A, !TRANS_A, rows, k)
  FETCH(stage_b, b, ldb, BN, COUNT_B, TRANS_B, cols, k)
  LOCAL_PTR float* slice_a = (LOCAL_PTR float*)memory_a;
  LOCAL_PTR float* slice_b = (LOCAL_PTR float*)memory_b;
  PLACE_SLICE(slice_a, stage_a, BM, PITCH_A, COUNT_A, !TRANS_A)
  PLACE_SLICE(slice_b, stage_b, BN, PITCH_B, COUNT_B, TRANS_B)
  BARRIER();

  uint now = 0;
  for (uint k0 = 0; k0 < k; k0 += BK) {
    const bool more = k0 + BK < k;
    if (more) {
      const uint depth = k - k0 - BK;
      a += step_a;
      b += step_b;
      FETCH(stage_a, a, lda, BM, COUNT_A, !TRANS_A, rows, depth)
      FETCH(stage_b, b, ldb, BN, COUNT_B, TRANS_B, cols, depth)
    }
    UNROLL for (int kk = 0; kk < BK; ++kk) {
      float x[TM], y[TN];
      UNROLL for (int i = 0; i < TM; i += 4) {
        const float4 v = FOUR(slice_a, (now * BK + kk) * PITCH_A + PLACE(i, ty, TM, BM));
        x[i] = v.x, x[i + 1] = v.y, x[i + 2] = v.z, x[i + 3] = v.w;
      }
      UNROLL for (int j = 0; j < TN; j += 4) {
        const float4 v = FOUR(slice_b, (now * BK + kk) * PITCH_B + PLACE(j, tx, TN, BN));
        y[j] = v.x, y[j + 1] = v.y, y[j + 2] = v.z, y[j + 3] = v.w;
      }
      UNROLL for (int i = 0; i < TM; ++i) {
        UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = fma(x[i], y[j], sum[i][j]);
      }
    }
    now ^= 1;
    if (more) {
      PLACE_SLICE(slice_a + now * BK * PITCH_A, stage_a, BM, PITCH_A, COUNT_A, !TRANS_A)
      PLACE_SLICE(slice_b + now * BK * PITCH_B, stage_b, BN, PITCH_B, COUNT_B, TRANS_B)
    }
    BARRIER();
  }

  UNROLL for (int i = 0; i < TM; ++i) {
    const uint row = PLACE(i, ty, TM, BM);
    if (row >= rows) continue;
    GLOBAL REAL* ct = c + (ulong)row * ldc;
#if VEC
    UNROLL for (int j = 0; j < TN; j += 4) {
      const uint col = PLACE(j, tx, TN, BN);
      if (col >= cols) continue;
      float4 v = F32X4(alpha * sum[i][j], alpha * sum[i][j + 1], alpha * sum[i][j + 2], alpha * sum[i][j + 3]);
      if (beta != 0.0f) {
        const float4 old = LOAD4(ct, col);
        v = F32X4(fma(beta, old.x, v.x), fma(beta, old.y, v.y), fma(beta, old.z, v.z), fma(beta, old.w, v.w));
      }
      if (has_bias) {
        GLOBAL const REAL* shift = bias + col0 + col;  // its own offset need not be aligned
        v = F32X4(v.x + shift[0], v.y + shift[1], v.z + shift[2], v.w + shift[3]);
      }
      STORE4(ct, col, F32X4(ACTIVATE(v.x), ACTIVATE(v.y), ACTIVATE(v.z), ACTIVATE(v.w)));
    }
#else
    UNROLL for (int j = 0; j < TN; ++j) {
      const uint col = PLACE(j, tx, TN, BN);
      if (col >= cols) continue;
      float v = alpha * sum[i][j];
      if (beta != 0.0f) v = fma(beta, LOAD(ct, col), v);
      if (has_bias) v += LOAD(bias, col0 + col);
      STORE(ct, col, ACTIVATE(v));
    }
#endif
  }
}
