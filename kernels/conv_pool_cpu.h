// Spec:  CV  vectors of 16 channels that the weight gradient takes at a time, R * S * CV sums in registers
#define BLOCK 32  // outputs that an item takes at a time

// Weight gradient. An item takes BLOCK outputs and `images` images, band by band: it copies the band's inputs between
// zeros, which leaves no border to test for, and for each output runs over the band's windows: one scalar of dy times
// the R * S * CV vectors that the window's winner saw. partial: [splits][k][R * S][c], then [splits][k] for the bias.
KERNEL void conv_pool_weight(IN(f32, x), IN(f32, dy), IN(u8, which), OUT(f32, partial), const int n, const int h,
                             const int wd, const int c, const int k, const int p, const int q, const int ph,
                             const int pw, const int band, const int images, const uint splits) {
  OFFSET(x);
  OFFSET(dy);
  OFFSET(which);
  OFFSET(partial);
  float16 frame[FRAME];
  float16 gradient[WINDOWS * BLOCK / 16];
  int16 from[WINDOWS * BLOCK / 16];
  const int blocks = k / BLOCK, split = GROUP_ID / blocks, k_first = (GROUP_ID - split * blocks) * BLOCK;
  const int wide = wd + 2 * pw, tile = 16 * CV;
  const long pitch = wide * CV;
  GLOBAL float* const sums = partial + ((ulong)split * k + k_first) * R * S * c;
  float16 bias[BLOCK / 16];
  UNROLL for (int v = 0; v < BLOCK / 16; ++v) bias[v] = 0.0f;
  bool begun = false;
  for (int image = split * images; image < min(n, (split + 1) * images); ++image) {
    for (int first = 0; first < p; first += band) {
      const int rows = min(band, p - first), windows = rows * q;
      for (int i = 0; i < windows; ++i) {
        const int row = i / q, col = i - row * q;
        const ulong at = (((ulong)image * p + first) * q + i) * k + k_first;
        UNROLL for (int v = 0; v < BLOCK / 16; ++v) {
          const int16 place = convert_int16(vload16(v, which + at));
          const int16 alive = place < 4;
          const float16 g = select((float16)0.0f, vload16(v, dy + at), alive);
          const int16 f = ((2 * row + (place >> 1)) * wide + 2 * col + (place & 1)) * CV;
          bias[v] += g;
          gradient[i * (BLOCK / 16) + v] = g;
          from[i * (BLOCK / 16) + v] = select((int16)0, f, alive);
        }
      }
      for (int c0 = 0; c0 < c; c0 += tile) {
        float16* to = frame;
        for (int row = 2 * first - ph; row < 2 * (first + rows) - ph + R - 1; ++row)
          for (int col = -pw; col < wd + pw; ++col, to += CV) {
            if (row >= 0 && row < h && col >= 0 && col < wd) {
              GLOBAL const float* const pixel = x + (((ulong)image * h + row) * wd + col) * c + c0;
              UNROLL for (int v = 0; v < CV; ++v) to[v] = vload16(v, pixel);
            } else {
              UNROLL for (int v = 0; v < CV; ++v) to[v] = 0.0f;
            }
          }
        for (int kk = 0; kk < BLOCK; ++kk) {
          GLOBAL float* const sum = sums + (ulong)kk * R * S * c + c0;
          float16 acc[R * S][CV];
          UNROLL for (int rs = 0; rs < R * S; ++rs) {
            UNROLL for (int v = 0; v < CV; ++v) acc[rs][v] = begun ? vload16(v, sum + rs * c) : (float16)0.0f;
          }
          const float* const g = (const float*)gradient + kk;
          const int* const f = (const int*)from + kk;
          for (int i = 0; i < windows; ++i) {
            const float16 gi = g[i * BLOCK];
            const float16* seen = frame + f[i * BLOCK];
            UNROLL for (int r = 0; r < R; ++r) {
              UNROLL for (int s = 0; s < S; ++s) {
                UNROLL for (int v = 0; v < CV; ++v) acc[r * S + s][v] = fma(gi, seen[s * CV + v], acc[r * S + s][v]);
              }
              seen += pitch;
            }
          }
          UNROLL for (int rs = 0; rs < R * S; ++rs) {
            UNROLL for (int v = 0; v < CV; ++v) vstore16(acc[rs][v], v, sum + rs * c);
          }
        }
      }
      begun = true;
    }
  }
  GLOBAL float* const bias_sums = partial + (ulong)splits * k * R * S * c + (ulong)split * k + k_first;
  UNROLL for (int v = 0; v < BLOCK / 16; ++v) vstore16(bias[v], v, bias_sums);
}

// dweight [k, c, R * S] and dbias [k], where wanted: the splits in order. An item takes one output.
KERNEL void conv_pool_weight_sum(IN(f32, partial), OUT(f32, dweight), OUT(f32, dbias), const int c, const int k,
                                 const uint splits, const uint want_weight, const uint want_bias) {
  OFFSET(partial);
  OFFSET(dweight);
  OFFSET(dbias);
  const ulong size = (ulong)k * R * S * c;
  GLOBAL const float* const from = partial + (ulong)GROUP_ID * R * S * c;
  GLOBAL float* const to = dweight + (ulong)GROUP_ID * R * S * c;
  for (int c0 = 0; want_weight && c0 < c; c0 += 16) {
    float lanes[R * S][16];
    for (int rs = 0; rs < R * S; ++rs) {
      float16 sum = 0.0f;
      for (uint i = 0; i < splits; ++i) sum += vload16(0, from + i * size + rs * c + c0);
      vstore16(sum, 0, lanes[rs]);
    }
    for (int lane = 0; lane < 16; ++lane)
      for (int rs = 0; rs < R * S; ++rs) to[(c0 + lane) * R * S + rs] = lanes[rs][lane];
  }
  if (want_bias) {
    float sum = 0.0f;
    for (uint i = 0; i < splits; ++i) sum += partial[splits * size + (ulong)i * k + GROUP_ID];
    dbias[GROUP_ID] = sum;
  }
}

// packed [c / 16][k][R * S][16] of w [k, c, R * S], for conv_pool_input. An item takes one output.
KERNEL void conv_pool_pack(IN(f32, w), OUT(f32, packed), const int c, const int k) {
  OFFSET(w);
  OFFSET(packed);
  w += (ulong)GROUP_ID * c * R * S;
  for (int c0 = 0; c0 < c; c0 += 16) {
    GLOBAL float* const to = packed + ((ulong)(c0 / 16) * k + GROUP_ID) * R * S * 16;
    for (int rs = 0; rs < R * S; ++rs)
      for (int lane = 0; lane < 16; ++lane) to[rs * 16 + lane] = w[(c0 + lane) * R * S + rs];
  }
}

// Adds what the outputs that won at (DOWN, RIGHT) of their window hand back. Which sums they go to is then known to the
// compiler, so the window's (R + 1) x (S + 1) inputs stay in registers.
#define ADD_WINNERS(DOWN, RIGHT)                                                                                   \
  for (int i = 0; i < ((int)(count >> (16 * (2 * DOWN + RIGHT))) & 0xffff); ++i) {                                 \
    const int kk = order[2 * DOWN + RIGHT][i];                                                                     \
    const float16 g = dy[at + kk];                                                                                 \
    GLOBAL const float* const weight = weights + (ulong)kk * R * S * 16;                                           \
    UNROLL for (int r = 0; r < R; ++r) {                                                                           \
      UNROLL for (int s = 0; s < S; ++s)                                                                           \
        acc[(r + DOWN) * (S + 1) + s + RIGHT] =                                                                    \
            fma(g, vload16(r * S + s, weight), acc[(r + DOWN) * (S + 1) + s + RIGHT]);                             \
    }                                                                                                              \
  }

// Input gradient. An item takes one image and 32 channels (or the last 16). The outputs of a window are sorted by the
// place of their winner, BLOCK of them at a time so that their weights stay in the L1 cache.
KERNEL void conv_pool_input(IN(f32, dy), IN(u8, which), IN(f32, packed), OUT(f32, dx), const int h, const int wd,
                            const int c, const int k, const int p, const int q, const int ph, const int pw) {
  OFFSET(dy);
  OFFSET(which);
  OFFSET(packed);
  OFFSET(dx);
  float16 frame[FRAME];
  uchar orders[WINDOWS][5][BLOCK];  // place 4: nothing passed
  ulong counts[WINDOWS];
  const int pieces = (c + 31) / 32, image = GROUP_ID / pieces, c_first = (GROUP_ID - image * pieces) * 32;
  const int wide = 2 * q + S - 1, high = 2 * p + R - 1, vectors = min(2, (c - c_first) / 16);
  for (int i = 0; i < high * wide * vectors; ++i) frame[i] = 0.0f;
  for (int k_first = 0; k_first < k; k_first += BLOCK) {
    for (int first = 0; first < p * q; first += WINDOWS) {
      const int windows = min(WINDOWS, p * q - first);
      for (int i = 0; i < windows; ++i) {
        GLOBAL const uchar* const places = which + ((ulong)image * p * q + first + i) * k + k_first;
        ulong count = 0;  // four counters of 16 bits: no memory in the chain from one output to the next
        for (int kk = 0; kk < BLOCK; ++kk) {
          const int place = places[kk];
          const bool alive = place < 4;
          const int shift = 16 * (place & 3);
          orders[i][place][alive ? (int)(count >> shift) & 0xffff : 0] = kk;
          count += (ulong)alive << shift;
        }
        counts[i] = count;
      }
      for (int v = 0; v < vectors; ++v) {
        GLOBAL const float* const weights = packed + ((ulong)(c_first / 16 + v) * k + k_first) * R * S * 16;
        for (int i = 0; i < windows; ++i) {
          const int row = (first + i) / q, col = first + i - row * q;
          const ulong at = ((ulong)image * p * q + first + i) * k + k_first, count = counts[i];
          uchar(*const order)[BLOCK] = orders[i];
          float16* const window = frame + (v * high + 2 * row) * wide + 2 * col;
          float16 acc[(R + 1) * (S + 1)];
          UNROLL for (int r = 0; r <= R; ++r) {
            UNROLL for (int s = 0; s <= S; ++s) acc[r * (S + 1) + s] = window[r * wide + s];
          }
          ADD_WINNERS(0, 0)
          ADD_WINNERS(0, 1)
          ADD_WINNERS(1, 0)
          ADD_WINNERS(1, 1)
          UNROLL for (int r = 0; r <= R; ++r) {
            UNROLL for (int s = 0; s <= S; ++s) window[r * wide + s] = acc[r * (S + 1) + s];
          }
        }
      }
    }
  }
  for (int row = 0; row < h; ++row)
    for (int col = 0; col < wd; ++col) {
      GLOBAL float* const to = dx + (((ulong)image * h + row) * wd + col) * c + c_first;
      const int r = row + ph, s = col + pw;
      for (int v = 0; v < vectors; ++v)
        vstore16(r < high && s < wide ? frame[(v * high + r) * wide + s] : (float16)0.0f, v, to);
    }
}
