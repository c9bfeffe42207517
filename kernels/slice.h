// Slices of a product's operands in local memory, for gemm_gpu.h and conv_gpu.h: k outermost, a row of DIM words a step. A
// thread multiplies fours of neighbouring words and moves pieces of CHUNK elements.
//
// Spec:  VEC  1: four elements of f32 move at once        BK  steps of a slice
#define CHUNK (VEC ? 4 : 1)

// Where row i (of T) of thread `at` lies in a tile of B: fours, the next of which is 4 * B / T further on.
#define PLACE(i, at, T, B) ((i) / 4 * ((B) / (T) * 4) + (at) * 4 + (i) % 4)
// Four words of a slice at once.
#define FOUR(slice, i) (*(LOCAL_PTR const float4*)((slice) + (i)))

// A slice that lies along k in memory (K_INNER) is turned on its way. Row k then holds its fours in another order, four g in
// place g ^ TURN(k): without it, threads that store neighbouring k would meet in one bank.
#define TURN(k, K_INNER) ((K_INNER) ? (VEC ? (k) / 4 * (32 / BK) : (k) % 8) : 0)

#if VEC
typedef float4 PIECE_T;
#define ZERO_PIECE F32X4(0.0f, 0.0f, 0.0f, 0.0f)
#define LOAD_PIECE(x, i) LOAD4(x, i)
#else
typedef float PIECE_T;
#define ZERO_PIECE 0.0f
#define LOAD_PIECE(x, i) LOAD(x, i)
#endif

// A piece from registers to place (k, d) of a slice.
FN void place_piece(LOCAL_PTR float* slice, const uint k, const uint d, const uint dim, const int k_inner,
                    const PIECE_T piece) {
  LOCAL_PTR float* const to = slice + k * dim + (((d / 4) ^ TURN(k, k_inner)) * 4 + d % 4);
#if VEC
  if (k_inner) {
    to[0] = piece.x;
    to[dim] = piece.y;
    to[2 * dim] = piece.z;
    to[3 * dim] = piece.w;
  } else {
    *(LOCAL_PTR float4*)to = piece;
  }
#else
  *to = piece;
#endif
}
// Step kk of a thread's T rows or columns.
#define READ(to, slice, kk, at, T, DIM, K_INNER)                                                          \
  UNROLL for (int i = 0; i < (T); i += 4) {                                                               \
    const float4 v = FOUR((slice) + ((at) ^ TURN(kk, K_INNER)) * 4, (kk) * (DIM) + PLACE(i, 0, T, DIM));  \
    to[i] = v.x, to[i + 1] = v.y, to[i + 2] = v.z, to[i + 3] = v.w;                                       \
  }
