// The gemm of gemm.cl for a CPU under OpenCL: one work-item a group, register tiles of float16, no local memory.
//
// A group owns `group_rows` rows of `group_panels` panels of COLS columns. It copies its block of B, `block_depth` deep, into
// private memory in the order in which it is read, and runs all its row tiles over it, `strip_rows` rows for all panels and
// then the next; f32 A is read in place, or each strip's block of it is copied first. The last row tile
// and the last panel are moved back so that they end with the matrix, and store only what is theirs: no tile is ever
// partial, hence ROWS <= m. Only a matrix narrower than a panel is padded, with any values, in the packed block.
//
// Spec:  ROWS    rows of a tile. At most 8 when f32 A is not transposed and VECS is 2: each row needs a pointer register,
//                and 8 rows a power of two apart are what one set of the L1 cache holds beside B
//        VECS    float16 vectors in a row of a tile, 1 or 2: COLS = 16 * VECS
//        KC      the largest block_depth
//        PACK_B  0: B is read in place (TRANS_B 0 and n >= COLS only); pays where few row tiles share a panel
//        PANELS  the largest group_panels
//        PACK_A  1: f32 A, transposed, is copied (ROWS 8, PACK_B 1): where its rows lie a large power of two apart, columns
//                of it share few sets of the caches and a page each. STRIP_ROWS is then the largest strip_rows
//        COPY_A  1 for storage other than f32: each row tile of A is first converted into private memory, and sums that
//                span blocks stay in private memory as f32, so that group_rows is at most PARTIAL_ROWS, PANELS 1
//
// The unroll pragmas carry weight: without them PoCL keeps the accumulators in memory and is 2 to 3 times slower.
#include "lanes.h"

typedef float16 Vec;
#define COLS (16 * VECS)
#define ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")

#define LOAD16(x, i) VLOAD_AS(REAL, x, i)
#define STORE16(x, i, v) VSTORE_AS(REAL, x, i, v)

#if PACK_A
#define A_AT(r, kk) at[(kk) * ROWS + (r)]
#define SLAB_PITCH (KC + 16)  // as below
#elif COPY_A
#if TRANS_A
#define A_AT(r, kk) tile_a[(kk) * ROWS + (r)]
#else
#define A_AT(r, kk) tile_a[(r) * (KC + 16) + (kk)]  // + 16: rows a power of two apart would share a set of the cache
#endif
#elif TRANS_A
#define A_AT(r, kk) at[(kk) * lda + (r)]
#else
#define A_AT(r, kk) at[(r) * lda + (kk)]
#endif

#if PACK_B
#define B_AT(v, kk) block[(kk) * VECS + (v)]
#else
#define B_AT(v, kk) LOAD16(block, (kk) * ldb + 16 * (v))
#endif

#if ACT == 1
#define ACTIVATE(x) fmax(x, (Vec)0.0f)
#elif ACT == 2
#define ACTIVATE(x) gelu16(x)
FN Vec gelu16(const Vec x) { return x * NORMAL_CDF(x); }
#elif ACT == 3
#define ACTIVATE(x) gelu16(x)
FN Vec gelu16(const Vec x) { return GELU_TANH(x); }
#else
#define ACTIVATE(x) (x)
#endif

// Four neighbouring values of the rows j, j + 4, j + 8 and j + 12 of x in one vector: a 16 x 4 piece is then transposed by
// shuffles that stay inside quarters of a vector, two rounds of them.
#if TRANS_B
#define LOAD4_OF_f32(x, i) vload4(0, (x) + (i))
#define LOAD4_OF_f16(x, i) vload_half4(0, (x) + (i))
#define LOAD4_OF_bf16(x, i) as_float4(convert_uint4(vload4(0, (GLOBAL const ushort*)((x) + (i)))) << (uint4)16)
#define LOAD4_OF_(T, x, i) LOAD4_OF_##T(x, i)
#define LOAD4_OF(T, x, i) LOAD4_OF_(T, x, i)
#define PAIR_OF(x, i) as_ulong2(LOAD4_OF(REAL, x, i))
#define QUARTERS(rows, j, i)                                                                    \
  as_float16((ulong8)(PAIR_OF(rows[j], i), PAIR_OF(rows[(j) + 4], i), PAIR_OF(rows[(j) + 8], i), \
                      PAIR_OF(rows[(j) + 12], i)))
#define LOW_PAIRS(p, q) \
  as_ulong8((Vec)(p.s0, q.s0, p.s1, q.s1, p.s4, q.s4, p.s5, q.s5, p.s8, q.s8, p.s9, q.s9, p.sc, q.sc, p.sd, q.sd))
#define HIGH_PAIRS(p, q) \
  as_ulong8((Vec)(p.s2, q.s2, p.s3, q.s3, p.s6, q.s6, p.s7, q.s7, p.sa, q.sa, p.sb, q.sb, p.se, q.se, p.sf, q.sf))
#define LOW_HALVES(p, q) as_float16((ulong8)(p.s0, q.s0, p.s2, q.s2, p.s4, q.s4, p.s6, q.s6))
#define HIGH_HALVES(p, q) as_float16((ulong8)(p.s1, q.s1, p.s3, q.s3, p.s5, q.s5, p.s7, q.s7))
#endif

KERNEL GROUP_SIZE(1) void gemm(IN(REAL, a), IN(REAL, b), OUT(REAL, c), IN(REAL, bias), const uint m, const uint n,
                               const uint k, const uint batch, const ulong lda, const ulong ldb, const ulong ldc,
                               const ulong stride_a, const ulong stride_b, const ulong stride_c, const float alpha,
                               const float beta, const uint has_bias, const uint group_rows, const uint group_panels,
                               const uint strip_rows,
                               const uint block_depth, const uint idle_groups) {
  if (GROUP_ID < idle_groups) return;  // gemm_plan.cpp says why there are such
  OFFSET(a);
  OFFSET(b);
  OFFSET(c);
  OFFSET(bias);
  const uint panels = (n + COLS - 1) / COLS, spans = (panels + group_panels - 1) / group_panels;
  const uint row_groups = (m + group_rows - 1) / group_rows;
  const uint in_batch = (GROUP_ID - idle_groups) % (spans * row_groups);
  const ulong item = (GROUP_ID - idle_groups) / (spans * row_groups);
  const uint panel0 = in_batch % spans * group_panels, panel1 = min(panels, panel0 + group_panels);
  const uint row0 = in_batch / spans * group_rows, row1 = min(m, row0 + group_rows);
  const uint width = min(n, (uint)COLS);
#define FIRST_COL(panel) (n < COLS ? 0 : min((panel) * COLS, n - COLS))  // that is computed

  a += item * stride_a;
  b += item * stride_b;
  c += item * stride_c;

#if PACK_B
  Vec packed[PANELS * KC * VECS];
#endif
#if PACK_A
  float slab[STRIP_ROWS * SLAB_PITCH];
#elif COPY_A
  float tile_a[ROWS * (KC + 16)];
  Vec partial[PARTIAL_ROWS * VECS];
#endif

  uint k0 = 0;
  do {  // at least once: with k = 0 the product is zero, and beta, bias and activation still apply
    const uint depth = min(block_depth, k - k0);
    const bool last = k0 + depth == k;

#if PACK_B
    for (uint panel = panel0; panel < panel1; ++panel) {
      GLOBAL const REAL* bp = b + (TRANS_B ? FIRST_COL(panel) * ldb : FIRST_COL(panel));
      Vec* block = packed + (panel - panel0) * KC * VECS;
#if TRANS_B
      UNROLL for (int v = 0; v < VECS; ++v) {
        uint kk = 0;
        GLOBAL const REAL* row_of[16];  // columns beyond the matrix repeat its last one; nobody stores them
        ROLLED for (uint j = 0; j < 16; ++j) row_of[j] = bp + min(16 * v + j, width - 1) * ldb + k0;
        for (; kk + 4 <= depth; kk += 4) {
          const Vec r0 = QUARTERS(row_of, 0, kk), r1 = QUARTERS(row_of, 1, kk), r2 = QUARTERS(row_of, 2, kk),
                    r3 = QUARTERS(row_of, 3, kk);
          const ulong8 p0 = LOW_PAIRS(r0, r1), p1 = LOW_PAIRS(r2, r3), p2 = HIGH_PAIRS(r0, r1), p3 = HIGH_PAIRS(r2, r3);
          block[kk * VECS + v] = LOW_HALVES(p0, p1);
          block[(kk + 1) * VECS + v] = HIGH_HALVES(p0, p1);
          block[(kk + 2) * VECS + v] = LOW_HALVES(p2, p3);
          block[(kk + 3) * VECS + v] = HIGH_HALVES(p2, p3);
        }
        ROLLED for (; kk < depth; ++kk) {
          float x[16];
          ROLLED for (uint j = 0; j < 16; ++j) x[j] = LOAD(row_of[j], kk);
          block[kk * VECS + v] = vload16(0, x);
        }
      }
#else
      // A row shorter than the panel is read on into the next one; nobody stores those columns. The last rows have none.
      const uint beyond = (COLS - width + (uint)ldb - 1) / (uint)ldb;
      const uint safe = k0 + depth + beyond <= k ? depth : k - k0 < beyond ? 0 : k - k0 - beyond;
      for (uint kk = 0; kk < safe; ++kk)
        UNROLL for (int v = 0; v < VECS; ++v) block[kk * VECS + v] = LOAD16(bp, (k0 + kk) * ldb + 16 * v);
      ROLLED for (uint kk = safe; kk < depth; ++kk) {
        float x[COLS];
        ROLLED for (uint j = 0; j < COLS; ++j) x[j] = LOAD(bp, (k0 + kk) * ldb + min(j, width - 1));
        UNROLL for (int v = 0; v < VECS; ++v) block[kk * VECS + v] = vload16(v, x);
      }
#endif
    }
#endif

    for (uint strip0 = row0; strip0 < row1; strip0 += strip_rows) {
      const uint strip1 = min(row1, strip0 + strip_rows);
#if PACK_A
      for (uint kk = 0; kk < depth; kk += 2) {  // whole lines on both sides: two steps are a line of the slab
        const ulong next = min(kk + 1, depth - 1);
        for (uint i = strip0; i < strip1; i += ROWS) {
          GLOBAL const REAL* at = a + k0 * lda + min(i, m - ROWS);
          const Vec line = (Vec)(vload8(0, at + kk * lda), vload8(0, at + next * lda));
          vstore16(line, 0, slab + (i - strip0) * SLAB_PITCH + kk * ROWS);
        }
      }
#endif
      for (uint panel = panel0; panel < panel1; ++panel) {
        const uint col0 = FIRST_COL(panel), skip = panel * COLS - col0;  // columns [skip, width) of it are stored
        const bool whole = skip == 0 && width == COLS;
        GLOBAL REAL* cp = c + col0;
#if PACK_B
        const Vec* block = packed + (panel - panel0) * KC * VECS;
#else
        GLOBAL const REAL* block = b + k0 * ldb + col0;
#endif
        Vec shift[VECS];
        UNROLL for (int v = 0; v < VECS; ++v) shift[v] = 0.0f;
        if (has_bias && last) {
          float padded[COLS];
          ROLLED for (uint j = 0; j < COLS; ++j) padded[j] = j < width ? LOAD(bias, col0 + j) : 0.0f;
          UNROLL for (int v = 0; v < VECS; ++v) shift[v] = vload16(v, padded);
        }
        for (uint i = strip0; i < strip1; i += ROWS) {
          const uint row = min(i, m - ROWS);  // the first row computed; rows before i are another tile's
#if PACK_A
          const float* at = slab + (i - strip0) * SLAB_PITCH;
#else
          GLOBAL const REAL* at = a + (TRANS_A ? k0 * lda + row : row * lda + k0);
#endif
#if COPY_A && TRANS_A
          for (uint kk = 0; kk < depth; ++kk)
            UNROLL for (int r = 0; r < ROWS; ++r) tile_a[kk * ROWS + r] = LOAD(at, kk * lda + r);
#elif COPY_A
          for (uint r = 0; r < ROWS; ++r) {
            uint kk = 0;
            for (; kk + 16 <= depth; kk += 16) vstore16(LOAD16(at, r * lda + kk), 0, tile_a + r * (KC + 16) + kk);
            ROLLED for (; kk < depth; ++kk) tile_a[r * (KC + 16) + kk] = LOAD(at, r * lda + kk);
          }
#endif
          Vec sum[ROWS][VECS];
          UNROLL for (int r = 0; r < ROWS; ++r)
            UNROLL for (int v = 0; v < VECS; ++v) sum[r][v] = 0.0f;
          for (ulong kk = 0; kk < depth; ++kk) {
            Vec y[VECS];
            UNROLL for (int v = 0; v < VECS; ++v) y[v] = B_AT(v, kk);
            UNROLL for (int r = 0; r < ROWS; ++r) {
              const Vec x = (Vec)(A_AT(r, kk));
              UNROLL for (int v = 0; v < VECS; ++v) sum[r][v] = fma(x, y[v], sum[r][v]);
            }
          }

#if COPY_A
          const float keep = beta;
          Vec* mine = partial + (i - row0) * VECS;
          if (k0 != 0)
            UNROLL for (int r = 0; r < ROWS; ++r)
              UNROLL for (int v = 0; v < VECS; ++v) sum[r][v] += mine[r * VECS + v];
          if (!last) {
            UNROLL for (int r = 0; r < ROWS; ++r)
              UNROLL for (int v = 0; v < VECS; ++v) mine[r * VECS + v] = sum[r][v];
            continue;
          }
#else
          const float keep = k0 == 0 ? beta : 1.0f;  // C itself carries a sum from block to block
#endif
          if (whole && row == i) {
            UNROLL for (int r = 0; r < ROWS; ++r) {
              GLOBAL REAL* ct = cp + (row + r) * ldc;
              UNROLL for (int v = 0; v < VECS; ++v) {
                Vec x = alpha * sum[r][v];
                if (keep != 0.0f) x += keep * LOAD16(ct, 16 * v);
                if (last) x = ACTIVATE(x + shift[v]);
                STORE16(ct, 16 * v, x);
              }
            }
            continue;
          }
          float edge[ROWS * COLS];  // rolled loops: this path is rare, and unrolled it would double the time to compile
          UNROLL for (int r = 0; r < ROWS; ++r) {
            UNROLL for (int v = 0; v < VECS; ++v) vstore16(alpha * sum[r][v], r * VECS + v, edge);
          }
          ROLLED for (uint r = i - row; r < ROWS; ++r) {
            GLOBAL REAL* ct = cp + (row + r) * ldc;
            float* x = edge + r * COLS;
            if (keep != 0.0f)
              ROLLED for (uint j = skip; j < width; ++j) x[j] += keep * LOAD(ct, j);
            if (last)
              UNROLL for (int v = 0; v < VECS; ++v) vstore16(ACTIVATE(vload16(v, x) + shift[v]), v, x);
            ROLLED for (uint j = skip; j < width; ++j) STORE(ct, j, x[j]);
          }
        }
      }
    }
    k0 += depth;
  } while (k0 < k);
}
