// The transforms around Winograd's products (winograd.h), on channels-last data. On a GPU a batched gemm over the
// frequencies stands between them; on a CPU winograd_forward.cl and winograd_weight.cl do.
//
// Tiles are counted through all images, tiles_p x tiles_q in each; a launch takes `tiles` from `first` on. Transformed tensors lie as winograd_tile.h says.
//
// Spec:  those of winograd.h and winograd_tile.h, and
//        RUN      tiles that a work-item of winograd_inputs takes (CPU shape)
//        KB       outputs of a block of the transformed filter (CPU shape)
//        ACT      of winograd_outputs, as in conv.cl; 1 masks dy by y in winograd_output_gradient
//        BIAS     1: bias is added in winograd_output
//        MASKED   1: winograd_output_gradient writes the masked dy
//        WG       work-items of a group; compilers that have to think of 1024 spill a little
#include "winograd.h"
#include "winograd_tile.h"

// u = G g G' of w, where output `lane` and input `d` of a filter lie lane * lane_stride and d * depth_stride apart and
// `turned` filters are read backwards (the input's gradient). CPU: u [blocks][frequencies][padded depth][KB], zeros where
// nothing is; a work-item takes 16 x 16 filters. GPU: u [frequencies][depth][outputs].
KERNEL GROUP_SIZE(WG) void winograd_filters(IN(REAL, w), OUT(f32, u), const uint outputs, const uint depth,
    const uint lane_stride, const uint depth_stride, const uint turned) {
  OFFSET(w);
  OFFSET(u);
#if CPU_SHAPE
  const uint lines = (depth + 15) / 16, line = GROUP_ID % lines, vector = GROUP_ID / lines;
  const uint block = vector / (KB / 16);
  float taps[9][16][16];
  for (uint lane = 0; lane < 16; ++lane)
    for (uint d = 0; d < 16; ++d) {
      GLOBAL const float* const from =
          w + (ulong)(vector * 16 + lane) * lane_stride + (ulong)(line * 16 + d) * depth_stride;
      const bool there = vector * 16 + lane < outputs && line * 16 + d < depth;
      for (uint i = 0; i < 9; ++i) taps[turned ? 8 - i : i][d][lane] = there ? from[i] : 0.0f;
    }
  const ulong step = (ulong)lines * 16 * KB;
  u += (ulong)block * FREQUENCIES * step + (ulong)line * 16 * KB + vector % (KB / 16) * 16;
  for (uint d = 0; d < 16; ++d) {
    GLOBAL float* const to = u + d * KB;
    W g[9];
    UNROLL for (int i = 0; i < 9; ++i) g[i] = vload16(0, taps[i][d]);
#else
  const ulong step = (ulong)depth * outputs;
  for (uint unit = GLOBAL_ID; unit < depth * outputs; unit += GLOBAL_SIZE) {
    const uint lane = unit % outputs, d = unit / outputs;
    GLOBAL float* const to = u + unit;
    W g[9];
    UNROLL for (int i = 0; i < 9; ++i)
      g[i] = LOAD(w, (ulong)lane * lane_stride + (ulong)d * depth_stride + (turned ? 8 - i : i));
#endif
    W half_done[POINTS * 3];
    UNROLL for (int j = 0; j < 3; ++j) {
      W column[3], made[POINTS];
      UNROLL for (int i = 0; i < 3; ++i) column[i] = g[i * 3 + j];
      winograd_filter(column, made);
      UNROLL for (int i = 0; i < POINTS; ++i) half_done[i * 3 + j] = made[i];
    }
    UNROLL for (int i = 0; i < POINTS; ++i) {
      W made[POINTS];
      winograd_filter(half_done + i * 3, made);
      UNROLL for (int j = 0; j < POINTS; ++j) STORE_W(to, (i * POINTS + j) * step, made[j]);
    }
  }
}

// v = B' x B of every tile. A work-item takes a line of a tile; on a CPU of RUN neighbouring tiles, so that it writes whole
// pieces of each frequency.
KERNEL GROUP_SIZE(WG) void winograd_inputs(IN(REAL, x), OUT(f32, v), const int h, const int wd, const int c,
    const int ph, const int pw, const uint tiles_p, const uint tiles_q, const uint first, const uint tiles,
    const uint lines) {
  OFFSET(x);
  OFFSET(v);
#if CPU_SHAPE
  const uint runs = (tiles + RUN - 1) / RUN, line = GROUP_ID / runs, begin = (GROUP_ID - line * runs) * RUN;
  for (uint tile = begin; tile < min(begin + RUN, tiles); ++tile) {
#else
  for (uint unit = GLOBAL_ID; unit < tiles * lines; unit += GLOBAL_SIZE) {
    const uint tile = unit / lines, line = unit - tile * lines;
#endif
    const uint row = (first + tile) / tiles_q, image = row / tiles_p;
    const int h0 = (int)(row - image * tiles_p) * TILE - ph, w0 = (int)(first + tile - row * tiles_q) * TILE - pw;
    W made[FREQUENCIES];
    transform_input(x + (ulong)image * h * wd * c + line * LANES, h, wd, c, h0, w0, c - (int)(line * LANES), made);
    GLOBAL float* const to = v + TRANSFORMED(0, line, tile, lines, tiles);
    UNROLL for (int f = 0; f < FREQUENCIES; ++f) STORE_W(to, f * FREQUENCY_STEP(lines, tiles), made[f]);
  }
}

// y = act(A' m A + bias), m laid out as v.
KERNEL GROUP_SIZE(WG) void winograd_outputs(IN(f32, m), IN(REAL, bias), OUT(REAL, y), const int p, const int q,
    const int k, const uint tiles_p, const uint tiles_q, const uint first, const uint tiles, const uint lines) {
  OFFSET(m);
  OFFSET(bias);
  OFFSET(y);
  for (uint unit = GLOBAL_ID; unit < tiles * lines; unit += GLOBAL_SIZE) {
    const uint tile = unit / lines, line = unit - tile * lines, row = (first + tile) / tiles_q, image = row / tiles_p;
    const int p0 = (int)(row - image * tiles_p) * TILE, q0 = (int)(first + tile - row * tiles_q) * TILE;
    const int live = k - (int)(line * LANES);
    GLOBAL const float* const from = m + TRANSFORMED(0, line, tile, lines, tiles);
    W in[FREQUENCIES], made[TILE * TILE];
    UNROLL for (int f = 0; f < FREQUENCIES; ++f) in[f] = LOAD_W(from, f * FREQUENCY_STEP(lines, tiles));
    transform_output(in, made);
    W shift = 0.0f;
#if BIAS
    shift = load_pixel(bias + line * LANES, live);
#endif
    GLOBAL REAL* const to = y + (((ulong)image * p + p0) * q + q0) * k + line * LANES;
    UNROLL for (int a = 0; a < TILE; ++a) {
      UNROLL for (int b = 0; b < TILE; ++b) {
        if (p0 + a < p && q0 + b < q)
          store_pixel(to + ((ulong)a * q + b) * k, activate(made[a * TILE + b] + shift), live);
      }
    }
  }
}

// d = A dy A' of every tile, where wanted, dy masked by its relu's result y; and the bias' gradient: sums [runs][lines * LANES] over
// `run` tiles each. A work-item takes a line of a run.
KERNEL GROUP_SIZE(WG) void winograd_output_gradients(IN(REAL, dy), IN(REAL, y), OUT(REAL, masked), OUT(f32, d),
    OUT(f32, sums), const int p, const int q, const int k, const uint tiles_p, const uint tiles_q, const uint first,
    const uint tiles, const uint lines, const uint run, const uint runs, const uint want_d) {
  OFFSET(dy);
  OFFSET(y);
  OFFSET(masked);
  OFFSET(d);
  OFFSET(sums);
  for (uint unit = GLOBAL_ID; unit < runs * lines; unit += GLOBAL_SIZE) {
    const uint line = CPU_SHAPE ? unit / runs : unit % lines, at_run = CPU_SHAPE ? unit % runs : unit / lines, end = min((at_run + 1) * run, tiles);
    const int live = k - (int)(line * LANES);
    W sum = 0.0f;
    for (uint tile = at_run * run; tile < end; ++tile) {
      const uint row = (first + tile) / tiles_q, image = row / tiles_p;
      const int p0 = (int)(row - image * tiles_p) * TILE, q0 = (int)(first + tile - row * tiles_q) * TILE;
      const ulong place = (((ulong)image * p + p0) * q + q0) * k + line * LANES;
      W made[FREQUENCIES];
      sum += transform_output_gradient(dy + place, y + place, masked + place, p - p0, q - q0, q, k, live, made);
      GLOBAL float* const to = d + TRANSFORMED(0, line, tile, lines, tiles);
      if (want_d) {
        UNROLL for (int f = 0; f < FREQUENCIES; ++f) STORE_W(to, f * FREQUENCY_STEP(lines, tiles), made[f]);
      }
    }
    STORE_W(sums, ((ulong)at_run * lines + line) * LANES, sum);
  }
}

// dw [k, c, 9] = G' du G and dbias [k], the sums over the runs, where wanted. du [splits][frequencies][rows][columns]
// holds inputs x outputs; sums [runs][columns]. CPU: a work-item takes 16 x 16 filters.
KERNEL GROUP_SIZE(WG) void winograd_filter_gradients(IN(f32, du), IN(f32, sums), OUT(REAL, dw), OUT(REAL, dbias),
    const uint c, const uint k, const uint rows, const uint columns, const uint runs, const uint splits,
    const uint want_weight, const uint want_bias) {
  OFFSET(du);
  OFFSET(sums);
  OFFSET(dw);
  OFFSET(dbias);
  const ulong step = (ulong)rows * columns;
#if CPU_SHAPE
  const uint lines = (c + 15) / 16, c0 = GROUP_ID % lines * 16, k0 = GROUP_ID / lines * 16;
  float taps[16][16][9];
  for (uint row = 0; want_weight && row < 16; ++row) {
    const ulong at = (ulong)(c0 + row) * columns + k0;
#else
  for (uint unit = GLOBAL_ID; unit < c * k; unit += GLOBAL_SIZE) {
    const uint k0 = unit % k, c0 = unit / k;
    const ulong at = (ulong)c0 * columns + k0;
    if (want_weight) {
#endif
    W in[FREQUENCIES], made[9];
    UNROLL for (int f = 0; f < FREQUENCIES; ++f) {
      in[f] = LOAD_W(du, at + f * step);
      for (uint i = 1; i < splits; ++i) in[f] += LOAD_W(du, (i * (ulong)FREQUENCIES + f) * step + at);
    }
    transform_filter_gradient(in, made);
#if CPU_SHAPE
    UNROLL for (int i = 0; i < 9; ++i) put_tap(made[i], &taps[0][row][i]);
  }
  if (want_weight) put_filters(dw + ((ulong)k0 * c + c0) * 9, taps, min(16u, k - k0), min(16u, c - c0), c);
#else
    UNROLL for (int i = 0; i < 9; ++i) STORE(dw, ((ulong)k0 * c + c0) * 9 + i, made[i]);
    }
#endif
  if (want_bias && c0 == 0) {
    W sum = 0.0f;
    for (uint i = 0; i < runs; ++i) sum += LOAD_W(sums, (ulong)i * columns + k0);
    store_pixel(dbias + k0, sum, (int)(k - k0));
  }
#if !CPU_SHAPE
  }
#endif
}
