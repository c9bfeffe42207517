// Convolution for GPUs: an implicit gemm, pixels x outputs, over the depth (r, s, c). A group computes a tile of BM pixels
// x KB outputs from slices of BK steps of the depth, kept in local memory twice over as gemm_gpu.h keeps them; a thread holds
// TM x TN sums. Neighbouring threads read neighbouring channels of x, and the packed weights of a slice are one contiguous
// piece. kernels/PERFORMANCE.md says why the tiles are what they are.
//
// Spec:  BM, KB, BK  extents of a tile        TM, TN  of a thread's part; BM / TM and KB / TN are multiples of eight
//        VEC         1: everything is f32, x, y and the weights begin at multiples of four elements and cg and kg are such:
//                    four elements move at once
#include "slice.h"
#define THREADS_N (KB / TN)
#define THREADS (BM / TM * THREADS_N)
#define COUNT_X (BM * BK / THREADS / CHUNK)  // pieces of a slice of x that one thread moves
#define COUNT_W (KB * BK / THREADS / CHUNK)
#define STEPS (BK / CHUNK)                   // pieces along the depth
#define OUTSIDE (-(1 << 30))

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
  LOCAL float4 memory_x[2 * BK * BM / 4];  // declared so for their alignment
  LOCAL float4 memory_w[2 * BK * KB / 4];
  OFFSET(x);
  OFFSET(w);
  OFFSET(bias);
  OFFSET(y);
  const uint chunk = GROUP_ID / all_blocks, block = GROUP_ID - chunk * all_blocks;
  const int group = block / blocks;
  const int k_first = (block - group * blocks) * KB;
  const int depth = r_count * s_count * cg;
  const int my_m = LOCAL_ID / THREADS_N, my_n = LOCAL_ID % THREADS_N;

  // The pixels whose channels this thread loads: their place in x, and where they stand in it; OUTSIDE behind the last one.
  const int load_k = LOCAL_ID % STEPS * CHUNK, load_m = LOCAL_ID / STEPS;
  ulong from[COUNT_X];
  int h0[COUNT_X], w0[COUNT_X];
  UNROLL for (int i = 0; i < COUNT_X; ++i) {
    const uint m = chunk * BM + load_m + i * (THREADS / STEPS), row = m / q;
#if GRADIENT
    h0[i] = row % p;
    w0[i] = m % q;
#else
    h0[i] = (int)(row % p) * sh - ph;
    w0[i] = (int)(m % q) * sw - pw;
#endif
    from[i] = (((ulong)(row / p) * h + (ulong)h0[i]) * wd + (ulong)w0[i]) * c_all + group * cg;
    if (m >= pixels) h0[i] = OUTSIDE;
  }
  w += (ulong)block * depth * KB;

  float sum[TM][TN];
  UNROLL for (int i = 0; i < TM; ++i) {
    UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  LOCAL_PTR float* const slices_x = (LOCAL_PTR float*)memory_x;
  LOCAL_PTR float* const slices_w = (LOCAL_PTR float*)memory_w;
  PIECE_T stage_x[COUNT_X], stage_w[COUNT_W];
  // The thread's steps of the depth: channel c of filter position (r, s).
  int c = load_k, r = 0, s = 0, left = depth;

  uint now = 1;
  for (int turn = 0;; ++turn) {
    const bool more = left > 0;
    if (more) {
      _Pragma("unroll 1") while (c >= cg) { c -= cg; ++s; }
      _Pragma("unroll 1") while (s >= s_count) { s -= s_count; ++r; }
#if GRADIENT
      const int down = out_h0 + ph - r * dh, right = out_w0 + pw - s * dw;
      const int dr = down / sh, ds = right / sw;
      const bool meets = r < r_count && down % sh == 0 && right % sw == 0;
#else
      const int dr = r * dh, ds = s * dw;
      const bool meets = r < r_count;
#endif
      const ulong step = (ulong)(dr * wd + ds) * (ulong)c_all + c;
      UNROLL for (int i = 0; i < COUNT_X; ++i) {
        const bool inside = meets && (uint)(h0[i] + dr) < (uint)h && (uint)(w0[i] + ds) < (uint)wd;
        stage_x[i] = inside ? LOAD_PIECE(x, from[i] + step) : ZERO_PIECE;
      }
      UNROLL for (int i = 0; i < COUNT_W; ++i) {
        const uint e = (LOCAL_ID + i * THREADS) * CHUNK;
        stage_w[i] = e < (uint)left * KB ? LOAD_PIECE(w, e) : ZERO_PIECE;
      }
      w += BK * KB;
      c += BK;
      left -= BK;
    }
    if (turn > 0) {
      LOCAL_PTR const float* const slice_x = slices_x + now * (BK * BM);
      LOCAL_PTR const float* const slice_w = slices_w + now * (BK * KB);
      UNROLL_FOUR for (int k4 = 0; k4 < BK; k4 += 4) {
        UNROLL for (int kk = k4; kk < k4 + 4; ++kk) {
          float a[TM], b[TN];
          READ(a, slice_x, kk, my_m, TM, BM, 1)
          READ(b, slice_w, kk, my_n, TN, KB, 0)
          UNROLL for (int i = 0; i < TM; ++i) {
            UNROLL for (int j = 0; j < TN; ++j) sum[i][j] = fma(a[i], b[j], sum[i][j]);
          }
        }
      }
    }
    if (!more) break;
    now ^= 1;
    UNROLL for (int i = 0; i < COUNT_X; ++i)
      place_piece(slices_x + now * (BK * BM), load_k, load_m + i * (THREADS / STEPS), BM, 1, stage_x[i]);
    UNROLL for (int i = 0; i < COUNT_W; ++i) {
      const uint e = (LOCAL_ID + i * THREADS) * CHUNK;
      place_piece(slices_w + now * (BK * KB), e / KB, e % KB, KB, 0, stage_w[i]);
    }
    BARRIER();
  }

  float shift[TN];
  UNROLL for (int j = 0; j < TN; ++j) {
    shift[j] = 0.0f;
#if BIAS
    const int k = k_first + PLACE(j, my_n, TN, KB);
    if (k < kg) shift[j] = LOAD(bias, group * kg + k);
#endif
  }
  UNROLL for (int i = 0; i < TM; ++i) {
    const uint m = chunk * BM + PLACE(i, my_m, TM, BM);
    if (m >= pixels) continue;
#if GRADIENT
    const uint row = m / q;
    const ulong place =
        (((ulong)(row / p) * out_h + out_h0 + row % p * sh) * out_w + out_w0 + m % q * sw) * k_all + group * kg;
#else
    const ulong place = (ulong)m * k_all + group * kg;
#endif
    UNROLL for (int j = 0; j < TN; j += CHUNK) {
      const int k = k_first + PLACE(j, my_n, TN, KB);
      if (k >= kg) continue;
#if VEC
      STORE4(y, place + k, F32X4(activate(sum[i][j] + shift[j]), activate(sum[i][j + 1] + shift[j + 1]),
                                 activate(sum[i][j + 2] + shift[j + 2]), activate(sum[i][j + 3] + shift[j + 3])));
#else
      STORE(y, place + k, activate(sum[i][j] + shift[j]));
#endif
    }
  }
}
