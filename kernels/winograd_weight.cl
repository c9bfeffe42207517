// The products of Winograd's weight gradient for a CPU under OpenCL, f32, one work-item a group: for each frequency du = v' d
// over the tiles, T inputs x KB outputs in registers at a time. Three kernels, by what fits the second cache:
//
// winograd_weight_fused    few channels: a work-item transforms SPAN tiles at a time into private memory and adds to its
//                          split's du, which stays in the cache
// winograd_weight_filters  few tiles: a work-item makes all frequencies of 16 inputs x KB outputs in private memory and the
//                          filters' gradients from them at once
// winograd_weight          else: one frequency of one block of outputs
//
// v [frequencies][lines][tiles][16], d the same with output_lines (winograd_tile.h);
// du [splits][frequencies][lines * 16][columns], columns = output_lines * 16. An odd last vector of outputs is computed twice.
//
// Spec:  T      inputs of a register tile, a divisor of 16        KV  vectors of 16 outputs; KB = 16 * KV
//        LINES  lines of 16 channels that the private tiles have room for        SPAN  tiles
//        ACT, MASKED  as in winograd.cl
#include "winograd.h"
#include "winograd_tile.h"
#define KB (16 * KV)

// acc = the products over `count` tiles; inputs[tile * 16 + t] and the vectors at outputs[tile * 16 + i * next].
#define PRODUCTS(acc, inputs, outputs, next, count)                                                             \
  float16 acc[T][KV];                                                                                           \
  UNROLL for (int t = 0; t < T; ++t) {                                                                          \
    UNROLL for (int i = 0; i < KV; ++i) acc[t][i] = 0.0f;                                                       \
  }                                                                                                             \
  for (uint tile = 0; tile < count; ++tile) {                                                                   \
    float16 dv[KV];                                                                                             \
    UNROLL for (int i = 0; i < KV; ++i) dv[i] = vload16(tile, outputs + i * next);                              \
    UNROLL for (int t = 0; t < T; ++t) {                                                                        \
      const float16 value = inputs[tile * 16 + t];                                                              \
      UNROLL for (int i = 0; i < KV; ++i) acc[t][i] = fma(value, dv[i], acc[t][i]);                             \
    }                                                                                                           \
  }

// Adds acc to du, or sets it.
#define KEEP(acc, to, add, vectors)                               \
  UNROLL for (int t = 0; t < T; ++t) {                            \
    UNROLL for (int i = 0; i < KV; ++i) {                         \
      if (i < (int)(vectors)) {                                   \
        if (add) acc[t][i] += vload16(i, (to) + t * columns);     \
        vstore16(acc[t][i], i, (to) + t * columns);               \
      }                                                           \
    }                                                             \
  }

KERNEL void winograd_weight(IN(f32, v), IN(f32, d), OUT(f32, du), const uint tiles, const uint lines,
                            const uint output_lines, const uint columns, const uint add) {
  OFFSET(v);
  OFFSET(d);
  OFFSET(du);
  const uint f = GROUP_ID % FREQUENCIES, block = GROUP_ID / FREQUENCIES;
  const uint vectors = min((uint)KV, output_lines - block * KV);
  du += (ulong)f * lines * 16 * columns + block * KB;
  GLOBAL const float* const outputs = d + TRANSFORMED(f, block * KV, 0, output_lines, tiles);
  const ulong next = vectors == KV ? (ulong)tiles * 16 : 0;
  for (uint line = 0; line < lines; ++line) {
    for (uint c = 0; c < 16; c += T) {
      GLOBAL const float* const inputs = v + TRANSFORMED(f, line, 0, lines, tiles) + c;
      PRODUCTS(acc, inputs, outputs, next, tiles)
      KEEP(acc, du + (ulong)(line * 16 + c) * columns, add, vectors)
    }
  }
}

// dw [k, c, 9]
KERNEL void winograd_weight_filters(IN(f32, v), IN(f32, d), OUT(f32, dw), const uint tiles, const uint lines,
                                    const uint output_lines, const uint c, const uint k) {
  OFFSET(v);
  OFFSET(d);
  OFFSET(dw);
  const uint line = GROUP_ID % lines, block = GROUP_ID / lines;
  const uint vectors = min((uint)KV, output_lines - block * KV);
  const ulong next = vectors == KV ? (ulong)tiles * 16 : 0;
  float16 products[16][KV][FREQUENCIES];
  float taps[16][16][9];
  for (int f = 0; f < FREQUENCIES; ++f) {
    GLOBAL const float* const outputs = d + TRANSFORMED(f, block * KV, 0, output_lines, tiles);
    for (uint c0 = 0; c0 < 16; c0 += T) {
      GLOBAL const float* const inputs = v + TRANSFORMED(f, line, 0, lines, tiles) + c0;
      PRODUCTS(acc, inputs, outputs, next, tiles)
      UNROLL for (int t = 0; t < T; ++t) {
        UNROLL for (int i = 0; i < KV; ++i) products[c0 + t][i][f] = acc[t][i];
      }
    }
  }
  for (uint i = 0; i < vectors; ++i) {
    const uint k0 = block * KB + i * 16;
    for (uint row = 0; row < 16; ++row) {
      W made[9];
      transform_filter_gradient(products[row][i], made);
      UNROLL for (int tap = 0; tap < 9; ++tap) put_tap(made[tap], &taps[0][row][tap]);
    }
    put_filters(dw + ((ulong)k0 * c + line * 16) * 9, taps, min(16u, k - k0), min(16u, c - line * 16), c);
  }
}

// A work-item takes a split of `run` tiles; sums [splits][columns] as in winograd_output_gradients.
KERNEL void winograd_weight_fused(IN(f32, x), IN(f32, dy), IN(f32, y), OUT(f32, masked), OUT(f32, du), OUT(f32, sums),
                                  const int h, const int wd, const int c, const int k, const int p, const int q,
                                  const int ph, const int pw, const uint tiles_p, const uint tiles_q, const uint tiles,
                                  const uint lines, const uint output_lines, const uint run) {
  OFFSET(x);
  OFFSET(dy);
  OFFSET(y);
  OFFSET(masked);
  OFFSET(du);
  OFFSET(sums);
  const uint split = GROUP_ID, columns = output_lines * 16, blocks = (output_lines + KV - 1) / KV;
  const uint end = min((split + 1) * run, tiles), step = (LINES * SPAN + 1) * 16;
  float16 v[FREQUENCIES * (LINES * SPAN + 1)], d[FREQUENCIES * (LINES * SPAN + 1)];
  float16 bias[LINES];
  for (uint line = 0; line < output_lines; ++line) bias[line] = 0.0f;
  du += (ulong)split * FREQUENCIES * lines * 16 * columns;
  bool add = false;
  for (uint first = split * run; first < end; first += SPAN, add = true) {
    const uint count = min((uint)SPAN, end - first);
    for (uint t = 0; t < count; ++t) {
      const uint row = (first + t) / tiles_q, image = row / tiles_p;
      const int p0 = (int)(row - image * tiles_p) * TILE, q0 = (int)(first + t - row * tiles_q) * TILE;
      const ulong place = (((ulong)image * p + p0) * q + q0) * k;
      for (uint line = 0; line < lines; ++line) {
        W made[FREQUENCIES];
        transform_input(x + (ulong)image * h * wd * c + line * 16, h, wd, c, p0 - ph, q0 - pw, c - (int)line * 16, made);
        UNROLL for (int f = 0; f < FREQUENCIES; ++f) v[f * (LINES * SPAN + 1) + line * SPAN + t] = made[f];
      }
      for (uint line = 0; line < output_lines; ++line) {
        const ulong at = place + line * 16;
        W made[FREQUENCIES];
        bias[line] +=
            transform_output_gradient(dy + at, y + at, masked + at, p - p0, q - q0, q, k, k - (int)line * 16, made);
        UNROLL for (int f = 0; f < FREQUENCIES; ++f) d[f * (LINES * SPAN + 1) + line * SPAN + t] = made[f];
      }
    }
    for (uint f = 0; f < FREQUENCIES; ++f)
      for (uint block = 0; block < blocks; ++block) {
        const uint vectors = min((uint)KV, output_lines - block * KV), next = vectors == KV ? SPAN * 16 : 0;
        const float* const outputs = (const float*)d + f * step + block * KV * SPAN * 16;
        GLOBAL float* const to = du + (ulong)f * lines * 16 * columns + block * KB;
        for (uint c0 = 0; c0 < lines * 16; c0 += T) {
          const float* const inputs = (const float*)v + f * step + c0 / 16 * SPAN * 16 + c0 % 16;
          PRODUCTS(acc, inputs, outputs, next, count)
          KEEP(acc, to + (ulong)c0 * columns, add, vectors)
        }
      }
  }
  for (uint line = 0; line < output_lines; ++line) vstore16(bias[line], split * output_lines + line, sums);
}
