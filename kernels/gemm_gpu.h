// The gemm of gemm.cl for a GPU: a group makes a tile of BM x BN of C from slices of BK, kept in local memory as floats,
// k outermost and twice over: while one pair is multiplied the next one is already on its way through registers, and one
// barrier a slice is enough. A thread holds TM x TN sums, in pieces of four neighbours, so that neighbouring threads read
// neighbouring words of local memory. kernels/PERFORMANCE.md says why the tiles are what they are.
//
// What is not a multiple of BK of k comes first: all further slices are whole, and their loop tests nothing. Rows of a tile
// that lie beyond C's are multiplied too (whatever the registers hold) and never stored.
//
// Spec:  BM, BN, BK  the tile                          TM, TN  a thread's share; THREADS = (BM / TM) * (BN / TN)
//                    BK is 8, 16 or 32; BM, BN, BM / TM and BN / TN are multiples of eight that divide THREADS, TM and TN
//                    of four.
//        VEC         1: everything is f32 and aligned to four elements (offsets, leading dimensions, batch strides, and
//                    the extents along which A, B and C lie), so that four move at once
#include "slice.h"
#define THREADS ((BM / TM) * (BN / TN))
// Two groups of the largest tile share a multiprocessor. Where elements move one by one their addresses leave no room.
#if VEC && THREADS == 256
#define GROUP GROUP_SIZE_128(THREADS)
#else
#define GROUP GROUP_SIZE(THREADS)
#endif
// Pieces of a slice that a thread moves.
#define COUNT_A (BM * BK / THREADS / CHUNK)
#define COUNT_B (BN * BK / THREADS / CHUNK)

#if ACT == 1
#define ACTIVATE(x) fmax((x), 0.0f)
#elif ACT == 2
#define ACTIVATE(x) ((x) * NORMAL_CDF(x))
#elif ACT == 3
#define ACTIVATE(x) GELU_TANH(x)
#else
#define ACTIVATE(x) (x)
#endif

// Piece i of a thread: its row in the slice and its place along k. Neighbouring threads follow memory.
#define PIECE(i) ((LOCAL_ID + (i) * THREADS) * CHUNK)
#define PIECE_K(i, DIM, K_INNER) ((K_INNER) ? PIECE(i) % BK : PIECE(i) / (DIM))
#define PIECE_D(i, DIM, K_INNER) ((K_INNER) ? PIECE(i) / BK : PIECE(i) % (DIM))
// Where a piece lies in memory. Rows beyond the last are read as the last: what they add to is never stored. Along k
// pieces are one place and a distance; rows have a place each.
#define PIECE_ROW(i, DIM, K_INNER, rows) min(PIECE_D(i, DIM, K_INNER), (rows) - ((K_INNER) ? 1 : CHUNK))
#define PIECE_AT(i, DIM, K_INNER, ld, rows)                                                              \
  ((K_INNER) ? (ulong)PIECE_ROW(i, DIM, K_INNER, rows) * (ld) + PIECE_K(i, DIM, K_INNER)                 \
             : (ulong)PIECE_K(i, DIM, K_INNER) * (ld) + PIECE_ROW(i, DIM, K_INNER, rows))
// As pointers they take fewer of CUDA's registers; HIP's compiler would forget that such pointers are global.
#if PORTICO_CUDA
typedef const REAL* PLACE_T;
#define ORIGIN(x) (x)
#define LOAD_FROM(x, place) LOAD_PIECE(place, 0)
#define ADVANCE(x, at, COUNT, K_INNER, step) \
  UNROLL for (int i = 0; i < ADDRESSES(COUNT, K_INNER); ++i) at[i] += (step);
#else
typedef ulong PLACE_T;
#define ORIGIN(x) 0
#define LOAD_FROM(x, place) LOAD_PIECE(x, place)
#define ADVANCE(x, at, COUNT, K_INNER, step) x += (step);
#endif
#define ADDRESSES(COUNT, K_INNER) ((K_INNER) ? (COUNT) : 1)
#define ADDRESS(at, i, K_INNER, next) (at[(K_INNER) ? (i) : 0] + ((K_INNER) ? 0 : (i) * (next)))

// A thread's share of a slice into registers; of the first slice what lies before `depth`.
#define FETCH(stage, x, at, DIM, COUNT, K_INNER, next) \
  UNROLL for (int i = 0; i < (COUNT); ++i) stage[i] = LOAD_FROM(x, ADDRESS(at, i, K_INNER, next));
#define FETCH_FIRST(stage, x, at, DIM, COUNT, K_INNER, next, depth)                                              \
  UNROLL for (int i = 0; i < (COUNT); ++i) stage[i] =                                                         \
      PIECE_K(i, DIM, K_INNER) < (depth) ? LOAD_FROM(x, ADDRESS(at, i, K_INNER, next)) : ZERO_PIECE;

#define PLACE_SLICE(slice, stage, DIM, COUNT, K_INNER) \
  UNROLL for (int i = 0; i < (COUNT); ++i)             \
    place_piece(slice, PIECE_K(i, DIM, K_INNER), PIECE_D(i, DIM, K_INNER), DIM, K_INNER, stage[i]);

KERNEL GROUP void gemm(IN(REAL, a), IN(REAL, b), OUT(REAL, c), IN(REAL, bias), const uint m, const uint n,
                                     const uint k, const uint batch, const ulong lda, const ulong ldb, const ulong ldc,
                                     const ulong stride_a, const ulong stride_b, const ulong stride_c,
                                     const float alpha, const float beta, const uint has_bias) {
  LOCAL float4 memory_a[2 * BK * BM / 4];  // declared so for their alignment
  LOCAL float4 memory_b[2 * BK * BN / 4];
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

  // 32 neighbouring threads make 4 x 8 shares: together they read the least of the slices.
  const uint part = LOCAL_ID / 32, parts_n = BN / TN / 8;
  const uint ty = part / parts_n * 4 + LOCAL_ID % 32 / 8, tx = part % parts_n * 8 + LOCAL_ID % 8;
  float sum[TM][TN];
  UNROLL for (int i = 0; i < TM; ++i) {
    UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  PIECE_T stage_a[COUNT_A], stage_b[COUNT_B];

  a += item * stride_a + (TRANS_A ? (ulong)row0 : (ulong)row0 * lda);
  b += item * stride_b + (TRANS_B ? (ulong)col0 * ldb : (ulong)col0);
  PLACE_T at_a[ADDRESSES(COUNT_A, !TRANS_A)];
  PLACE_T at_b[ADDRESSES(COUNT_B, TRANS_B)];
  UNROLL for (int i = 0; i < ADDRESSES(COUNT_A, !TRANS_A); ++i) at_a[i] = ORIGIN(a) + PIECE_AT(i, BM, !TRANS_A, lda, rows);
  UNROLL for (int i = 0; i < ADDRESSES(COUNT_B, TRANS_B); ++i) at_b[i] = ORIGIN(b) + PIECE_AT(i, BN, TRANS_B, ldb, cols);
  // From one piece to the next along k.
  const ulong next_a = THREADS * CHUNK / BM * lda, next_b = THREADS * CHUNK / BN * ldb;

  const uint first = k % BK != 0 || k == 0 ? k % BK : BK;
  FETCH_FIRST(stage_a, a, at_a, BM, COUNT_A, !TRANS_A, next_a, first)
  FETCH_FIRST(stage_b, b, at_b, BN, COUNT_B, TRANS_B, next_b, first)
  ADVANCE(a, at_a, COUNT_A, !TRANS_A, TRANS_A ? first * lda : first)
  ADVANCE(b, at_b, COUNT_B, TRANS_B, TRANS_B ? first : first * ldb)
  const ulong step_a = TRANS_A ? BK * lda : BK, step_b = TRANS_B ? BK : BK * ldb;

  LOCAL_PTR float* const slices_a = (LOCAL_PTR float*)memory_a;
  LOCAL_PTR float* const slices_b = (LOCAL_PTR float*)memory_b;
  PLACE_SLICE(slices_a, stage_a, BM, COUNT_A, !TRANS_A)
  PLACE_SLICE(slices_b, stage_b, BN, COUNT_B, TRANS_B)
  BARRIER();

  uint now = 0;
  for (uint done = first;; done += BK) {
    const bool more = done < k;
    if (more) {
      FETCH(stage_a, a, at_a, BM, COUNT_A, !TRANS_A, next_a)
      FETCH(stage_b, b, at_b, BN, COUNT_B, TRANS_B, next_b)
      ADVANCE(a, at_a, COUNT_A, !TRANS_A, step_a)
      ADVANCE(b, at_b, COUNT_B, TRANS_B, step_b)
    }
    LOCAL_PTR const float* const slice_a = slices_a + now * (BK * BM);
    LOCAL_PTR const float* const slice_b = slices_b + now * (BK * BN);
    UNROLL_FOUR for (int k4 = 0; k4 < BK; k4 += 4) {
      UNROLL for (int kk = k4; kk < k4 + 4; ++kk) {
        float x[TM], y[TN];
        READ(x, slice_a, kk, ty, TM, BM, !TRANS_A)
        READ(y, slice_b, kk, tx, TN, BN, TRANS_B)
        UNROLL for (int i = 0; i < TM; ++i) {
          UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = fma(x[i], y[j], sum[i][j]);
        }
      }
    }
    if (!more) break;
    now ^= 1;
    PLACE_SLICE(slices_a + now * (BK * BM), stage_a, BM, COUNT_A, !TRANS_A)
    PLACE_SLICE(slices_b + now * (BK * BN), stage_b, BN, COUNT_B, TRANS_B)
    BARRIER();
  }

  float shift[TN];
  UNROLL for (int j = 0; j < TN; ++j) {
    const uint col = PLACE(j, tx, TN, BN);
    shift[j] = has_bias && col < cols ? LOAD(bias, col0 + col) : 0.0f;  // its own offset need not be aligned
  }
  c += item * stride_c + (ulong)row0 * ldc + col0;
  UNROLL for (int i = 0; i < TM; ++i) {
    const uint row = PLACE(i, ty, TM, BM);
    if (row >= rows) continue;
    GLOBAL REAL* ct = c + (ulong)row * ldc;
#if VEC
    UNROLL for (int j = 0; j < TN; j += 4) {
      const uint col = PLACE(j, tx, TN, BN);
      if (col >= cols) continue;
      const float4 old = beta != 0.0f ? LOAD4(ct, col) : F32X4(0.0f, 0.0f, 0.0f, 0.0f);
      STORE4(ct, col, F32X4(ACTIVATE(fma(beta, old.x, fma(alpha, sum[i][j], shift[j]))),
                            ACTIVATE(fma(beta, old.y, fma(alpha, sum[i][j + 1], shift[j + 1]))),
                            ACTIVATE(fma(beta, old.z, fma(alpha, sum[i][j + 2], shift[j + 2]))),
                            ACTIVATE(fma(beta, old.w, fma(alpha, sum[i][j + 3], shift[j + 3])))));
    }
#else
    UNROLL for (int j = 0; j < TN; ++j) {
      const uint col = PLACE(j, tx, TN, BN);
      if (col >= cols) continue;
      const float old = beta != 0.0f ? LOAD(ct, col) : 0.0f;
      STORE(ct, col, ACTIVATE(fma(beta, old, fma(alpha, sum[i][j], shift[j]))));
    }
#endif
  }
}
