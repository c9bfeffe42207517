// Winograd's convolution for a CPU under OpenCL (winograd.h; on a GPU winograd.cl's transforms surround a batched gemm).
// One work-item a group, f32.
//
// A group takes SPAN tiles. FUSED: it transforms their input into private memory, then runs over all blocks of KB outputs;
// else v holds the transformed input and a group takes one block. For a block it makes all frequencies' products, T tiles
// x KB outputs in registers at a time, in private memory, and from them the results with bias and activation.
//
// x [n, h, wd, c] or v of winograd_tile.h, y [n, p, q, k]; u [blocks][frequencies][lines * 16][KB] of winograd.cl.
// An image has tiles_p x tiles_q tiles; a launch takes `tiles` of all images' from `first_tile` on, v those alone.
//
// Spec:  T      tiles of a register tile; T * KV + KV + 1 registers        SPAN  a multiple of T
//        KV     vectors of 16 outputs; KB = 16 * KV
//        FUSED  lines of 16 channels that the private input has room for, or 0
//        BIAS, ACT, POOL  as in conv.cl
#include "winograd.h"
#include "winograd_tile.h"
#define KB (16 * KV)
#define PRODUCT_STEP (SPAN * KV + 1)

#define WINOGRAD_ARGUMENTS                                                                                           \
  IN(f32, x), IN(f32, u), IN(f32, bias), OUT(f32, y), const int h, const int wd, const int c, const int k, const int p, \
      const int q, const int ph, const int pw, const uint tiles_p, const uint tiles_q, const uint first_tile,        \
      const uint tiles, const uint lines, const uint blocks
#if POOL
#define WINOGRAD_PARAMETERS WINOGRAD_ARGUMENTS, OUT(u8, which)
#else
#define WINOGRAD_PARAMETERS WINOGRAD_ARGUMENTS
#endif

KERNEL void winograd_forward(WINOGRAD_PARAMETERS) {
  OFFSET(x);
  OFFSET(u);
  OFFSET(bias);
  OFFSET(y);
#if POOL
  OFFSET(which);
#endif
  const uint spans = (tiles + SPAN - 1) / SPAN, span = GROUP_ID % spans, first = first_tile + span * SPAN;
  const uint count = min((uint)SPAN, tiles - span * SPAN);
  float16 products[FREQUENCIES * PRODUCT_STEP];
#if FUSED
  float16 transformed[FREQUENCIES * (FUSED * SPAN + 1)];
  const ulong line_step = SPAN * 16, frequency_step = (FUSED * SPAN + 1) * 16;
  const float* const v = (const float*)transformed;
  for (uint t = 0; t < count; ++t) {
    const uint row = (first + t) / tiles_q, image = row / tiles_p;
    const int h0 = (int)(row - image * tiles_p) * TILE - ph, w0 = (int)(first + t - row * tiles_q) * TILE - pw;
    GLOBAL const float* const from = x + (ulong)image * h * wd * c;
    for (uint line = 0; line < lines; ++line) {
      W made[FREQUENCIES];
      transform_input(from + line * 16, h, wd, c, h0, w0, c - (int)line * 16, made);
      UNROLL for (int f = 0; f < FREQUENCIES; ++f) transformed[f * (FUSED * SPAN + 1) + line * SPAN + t] = made[f];
    }
  }
  for (uint t = count; t < (count + T - 1) / T * T; ++t)
    for (int f = 0; f < FREQUENCIES; ++f)
      for (uint line = 0; line < lines; ++line) transformed[f * (FUSED * SPAN + 1) + line * SPAN + t] = 0.0f;
  for (uint block = 0; block < blocks; ++block) {
#else
  const ulong line_step = tiles * 16, frequency_step = FREQUENCY_STEP(lines, tiles);
  GLOBAL const float* const v = x + (ulong)span * SPAN * 16;
  {
    const uint block = GROUP_ID / spans;
#endif
    GLOBAL const float* weights = u + (ulong)block * FREQUENCIES * lines * 16 * KB;
    for (int f = 0; f < FREQUENCIES; ++f, weights += lines * 16 * KB) {
      for (uint t0 = 0; t0 < count; t0 += T) {
        float16 acc[T][KV];
        UNROLL for (int t = 0; t < T; ++t) {
          UNROLL for (int i = 0; i < KV; ++i) acc[t][i] = 0.0f;
        }
        GLOBAL const float* w = weights;
        for (uint line = 0; line < lines; ++line) {
#if FUSED
          const float* const at = v + f * frequency_step + line * line_step + t0 * 16;
#else
          GLOBAL const float* const at = v + f * frequency_step + line * line_step + t0 * 16;
#endif
          for (int lane = 0; lane < 16; ++lane) {
            float16 wv[KV];
            UNROLL for (int i = 0; i < KV; ++i) wv[i] = vload16(i, w);
            w += KB;
            UNROLL for (int t = 0; t < T; ++t) {
              const float16 value = at[t * 16 + lane];
              UNROLL for (int i = 0; i < KV; ++i) acc[t][i] = fma(value, wv[i], acc[t][i]);
            }
          }
        }
        UNROLL for (int t = 0; t < T; ++t) {
          UNROLL for (int i = 0; i < KV; ++i) products[f * PRODUCT_STEP + (t0 + t) * KV + i] = acc[t][i];
        }
      }
    }

    for (int i = 0; i < KV; ++i) {
      const int k_first = (int)block * KB + i * 16, live = k - k_first;
      if (live <= 0) break;
#if BIAS
      const float16 shift = load_pixel(bias + k_first, live);
#else
      const float16 shift = 0.0f;
#endif
      for (uint t = 0; t < count; ++t) {
        const uint row = (first + t) / tiles_q, image = row / tiles_p;
        const int p0 = (int)(row - image * tiles_p) * TILE, q0 = (int)(first + t - row * tiles_q) * TILE;
        W m[FREQUENCIES], made[TILE * TILE];
        UNROLL for (int f = 0; f < FREQUENCIES; ++f) m[f] = products[f * PRODUCT_STEP + t * KV + i];
        transform_output(m, made);
#if POOL
        UNROLL for (int a = 0; a < TILE / 2; ++a) {
          UNROLL for (int b = 0; b < TILE / 2; ++b) {
            const int pp = p0 / 2 + a, qq = q0 / 2 + b;
            if (pp < p / 2 && qq < q / 2) {
              float16 best = made[2 * a * TILE + 2 * b] + shift;
              int16 where = 0;
              UNROLL for (int j = 1; j < 4; ++j) {
                const float16 other = made[(2 * a + j / 2) * TILE + 2 * b + j % 2] + shift;
                const int16 wins = (other > best) | (other != other);
                best = select(best, other, wins);
                where = select(where, (int16)j, wins);
              }
              const ulong place = (((ulong)image * (p / 2) + pp) * (q / 2) + qq) * k + k_first;
              vstore16(select(best, (float16)0.0f, best < 0.0f), 0, y + place);
              vstore16(convert_uchar16(select((int16)4, where, best > 0.0f)), 0, which + place);
            }
          }
        }
#else
        GLOBAL float* const to = y + (((ulong)image * p + p0) * q + q0) * k + k_first;
        UNROLL for (int a = 0; a < TILE; ++a) {
          UNROLL for (int b = 0; b < TILE; ++b)
            if (p0 + a < p && q0 + b < q)
              store_pixel(to + (a * q + b) * k, activate(made[a * TILE + b] + shift), live);
        }
#endif
      }
    }
  }
}
