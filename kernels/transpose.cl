// Copies in which the innermost axis of the result is not the innermost of the source: tiles go through local memory
// (GPU) or registers (CPU), so that both sides are touched in whole lines. Axis I is innermost in y, axis J in x; the
// other axes are batches.
//
// Spec:  T0, TY  storage types      RANK  batch axes, 0 to 4     TILE  GPU shape: 32, in groups of TILE x 8
//        STREAM  CPU shape, 1: y is f32 and larger than the caches. Tiles of BAND x BLOCK are then collected in private memory,
//                so that rows are read and, past the caches, written by several lines at a time (1.35 to 1.8 times faster; in the
//                caches slower)
//        CPU_SHAPE, INTEGERS (lanes.h)
#include "lanes.h"

#if STREAM
#define BAND 64
#define BLOCK 128
#define PITCH (BLOCK + 16)
#else
#define BAND 16
#define BLOCK 0x40000000
#endif

#define BATCH_AXIS(k) , const uint extent_##k, const uint x_stride_##k, const uint y_stride_##k
#define BATCH_STEP(k)                              \
  {                                                \
    const uint at = rest % extent_##k;             \
    rest /= extent_##k;                            \
    x_base += (ulong)at * x_stride_##k;            \
    y_base += (ulong)at * y_stride_##k;            \
  }
#if RANK == 0
#define BATCH_AXES
#define LOCATE
#elif RANK == 1
#define BATCH_AXES BATCH_AXIS(0)
#define LOCATE BATCH_STEP(0)
#elif RANK == 2
#define BATCH_AXES BATCH_AXIS(0) BATCH_AXIS(1)
#define LOCATE BATCH_STEP(1) BATCH_STEP(0)
#elif RANK == 3
#define BATCH_AXES BATCH_AXIS(0) BATCH_AXIS(1) BATCH_AXIS(2)
#define LOCATE BATCH_STEP(2) BATCH_STEP(1) BATCH_STEP(0)
#else
#define BATCH_AXES BATCH_AXIS(0) BATCH_AXIS(1) BATCH_AXIS(2) BATCH_AXIS(3)
#define LOCATE BATCH_STEP(3) BATCH_STEP(2) BATCH_STEP(1) BATCH_STEP(0)
#endif

#if CPU_SHAPE
// Four rounds of interleaving rows k and k + 8 transpose sixteen rows of sixteen.
#define LOW(a, b)                                                                                                    \
  (V)((a).s0, (b).s0, (a).s1, (b).s1, (a).s2, (b).s2, (a).s3, (b).s3, (a).s4, (b).s4, (a).s5, (b).s5, (a).s6, (b).s6, \
      (a).s7, (b).s7)
#define HIGH(a, b)                                                                                                   \
  (V)((a).s8, (b).s8, (a).s9, (b).s9, (a).sa, (b).sa, (a).sb, (b).sb, (a).sc, (b).sc, (a).sd, (b).sd, (a).se, (b).se, \
      (a).sf, (b).sf)

KERNEL void transpose(IN(T0, x), OUT(TY, y), const uint batches, const uint count_i, const uint count_j,
                      const uint x_stride_i, const uint y_stride_j, const uint bands BATCH_AXES) {
  OFFSET(x);
  OFFSET(y);
  // A unit is a band along J, all of I in blocks.
  const uint units = batches * bands;
  const uint first = (uint)((ulong)units * GROUP_ID / GROUPS);
  const uint last = (uint)((ulong)units * (GROUP_ID + 1) / GROUPS);
#if STREAM
  float tile[BAND * PITCH];
#endif
  for (uint unit = first; unit < last; ++unit) {
    ulong x_base = 0, y_base = 0;
    uint rest = unit / bands;
    const uint band = (unit - rest * bands) * BAND, band_end = min(count_j, band + BAND);
    LOCATE
    (void)rest;
    for (uint block = 0, block_end; block < count_i; block = block_end) {
      block_end = count_i - block > BLOCK ? block + BLOCK : count_i;
#if STREAM
      const bool whole_lines = ((ulong)(y + y_base) & 63) == 0 && y_stride_j % 16 == 0;
      const bool buffered = whole_lines && (block_end - block) % 16 == 0 && (band_end - band) % 16 == 0;
#endif
      for (uint j0 = band; j0 < band_end; j0 += 16) {
        const uint width = min(16u, band_end - j0);
        const ulong from = x_base + j0, to = y_base + (ulong)j0 * y_stride_j;
        uint i = block;
        for (; width == 16 && i + 16 <= block_end; i += 16) {
          V a[16], b[16];
          UNROLL for (uint k = 0; k < 16; ++k) a[k] = VLOAD_AS(T0, x, from + (ulong)(i + k) * x_stride_i);
          UNROLL for (uint k = 0; k < 8; ++k) { b[2 * k] = LOW(a[k], a[k + 8]); b[2 * k + 1] = HIGH(a[k], a[k + 8]); }
          UNROLL for (uint k = 0; k < 8; ++k) { a[2 * k] = LOW(b[k], b[k + 8]); a[2 * k + 1] = HIGH(b[k], b[k + 8]); }
          UNROLL for (uint k = 0; k < 8; ++k) { b[2 * k] = LOW(a[k], a[k + 8]); b[2 * k + 1] = HIGH(a[k], a[k + 8]); }
          UNROLL for (uint k = 0; k < 8; ++k) { a[2 * k] = LOW(b[k], b[k + 8]); a[2 * k + 1] = HIGH(b[k], b[k + 8]); }
#if STREAM
          if (buffered) {
            UNROLL for (uint k = 0; k < 16; ++k) vstore16(a[k], 0, tile + (j0 - band + k) * PITCH + i - block);
            continue;
          }
#endif
          UNROLL for (uint k = 0; k < 16; ++k) VSTORE_AS(TY, y, to + (ulong)k * y_stride_j + i, a[k]);
        }
        for (; i < block_end; ++i)
          for (uint j = 0; j < width; ++j)
            STORE_AS(TY, y, to + (ulong)j * y_stride_j + i, (S)LOAD_AS(T0, x, from + (ulong)i * x_stride_i + j));
      }
#if STREAM
      for (uint j = band; buffered && j < band_end; ++j)
        for (uint i = block; i < block_end; i += 16)
          store_past_caches(y + y_base + (ulong)j * y_stride_j + i, vload16(0, tile + (j - band) * PITCH + i - block));
#endif
    }
  }
}

#else
KERNEL void transpose(IN(T0, x), OUT(TY, y), const uint batches, const uint count_i, const uint count_j,
                      const uint x_stride_i, const uint y_stride_j, const uint bands BATCH_AXES) {
  LOCAL S tile[TILE][TILE + 1];  // the odd pitch keeps columns in different banks
  OFFSET(x);
  OFFSET(y);
  const uint tiles_i = (count_i + TILE - 1) / TILE;
  const uint tiles = tiles_i * bands;
  const uint column = LOCAL_ID % TILE;
  const uint row = LOCAL_ID / TILE;
  for (uint unit = GROUP_ID; unit < batches * tiles; unit += GROUPS) {
    ulong x_base = 0, y_base = 0;
    uint rest = unit / tiles;
    const uint at_tile = unit - rest * tiles;
    const uint j0 = at_tile / tiles_i * TILE;
    const uint i0 = at_tile % tiles_i * TILE;
    LOCATE
    (void)rest;
    for (uint k = row; k < TILE; k += 8)
      if (i0 + k < count_i && j0 + column < count_j)
        tile[k][column] = (S)LOAD_AS(T0, x, x_base + (ulong)(i0 + k) * x_stride_i + j0 + column);
    BARRIER();
    for (uint k = row; k < TILE; k += 8)
      if (j0 + k < count_j && i0 + column < count_i)
        STORE_AS(TY, y, y_base + (ulong)(j0 + k) * y_stride_j + i0 + column, tile[column][k]);
    BARRIER();
  }
}
#endif
