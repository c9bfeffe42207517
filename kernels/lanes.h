// A value V that is one element in the GPU shape and sixteen neighbouring ones in the CPU shape, with the same words for
// both, so that a formula is written once. Expressions over V use these words, operators, the words of
// lanes_math.h and, where those have none, the functions of math.h.
//
// Spec:  CPU_SHAPE  1: V is float16 (only OpenCL devices are CPUs); 0: V is float
//        INTEGERS   1: V holds int instead of float (default 0)
#ifndef INTEGERS
#define INTEGERS 0
#endif

#if CPU_SHAPE
#define LANES 16
typedef float16 fvec;
typedef int16 ivec;
typedef uint16 uvec;
// c is a comparison of V; its lanes are 0 or -1, as select wants them.
#define SELECT(c, a, b) select((V)(b), (V)(a), (c))
#define AS_UVEC(x) as_uint16(x)
#define AS_FVEC(x) as_float16(x)
#define TO_FVEC(x) convert_float16(x)
#define MUL_HI_V(k, v) lanes_mul_hi(k, v)
// As two products of the even and the odd lanes: twice as fast as PoCL's mul_hi.
FN uint16 lanes_mul_hi(const uint k, const uint16 v) {
  const ulong8 even = (as_ulong8(v) & 0xffffffffUL) * (ulong8)((ulong)k);
  const ulong8 odd = (as_ulong8(v) >> 32) * (ulong8)((ulong)k);
  return as_uint16((even >> 32) | (odd & 0xffffffff00000000UL));
}
#define LANE_NUMBERS ((uvec)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#else
#define LANES 1
typedef float fvec;
typedef int ivec;
typedef uint uvec;
#define SELECT(c, a, b) ((c) ? (V)(a) : (V)(b))
#define AS_UVEC(x) AS_UINT(x)
#define AS_FVEC(x) AS_FLOAT(x)
#define TO_FVEC(x) ((float)(x))
#define MUL_HI_V(k, v) MUL_HI(k, v)
#define LANE_NUMBERS 0u
#endif

#if INTEGERS
typedef ivec V;
typedef int S;
#else
typedef fvec V;
typedef float S;
#endif

#if !INTEGERS
#include "lanes_math.h"
#endif

#if CPU_SHAPE
#if INTEGERS
#define LANES_FROM_INT(v) convert_int16(v)
#else
#define LANES_FROM_INT(v) convert_float16(v)
#endif
#define VLOAD_f32(x, i) vload16(0, (x) + (i))
#define VSTORE_f32(x, i, v) vstore16((v), 0, (x) + (i))
#define VLOAD_f16(x, i) vload_half16(0, (x) + (i))
#define VSTORE_f16(x, i, v) vstore_half16_rte((v), 0, (x) + (i))
#define VLOAD_bf16(x, i) as_float16(convert_uint16(vload16(0, (GLOBAL const ushort*)((x) + (i)))) << 16)
#define VSTORE_bf16(x, i, v) vstore16(lanes_to_bf16(v), 0, (GLOBAL ushort*)((x) + (i)))
#define VLOAD_i32(x, i) LANES_FROM_INT(vload16(0, (x) + (i)))
#define VSTORE_i32(x, i, v) vstore16(convert_int16(v), 0, (x) + (i))
#define VLOAD_u8(x, i) LANES_FROM_INT(vload16(0, (x) + (i)))
#define VSTORE_u8(x, i, v) vstore16(convert_uchar16(v), 0, (x) + (i))
FN ushort16 lanes_to_bf16(float16 f) {
  const uint16 u = as_uint16(f);
  const uint16 number = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const uint16 nan = (u >> 16) | 64u;
  return convert_ushort16(select(number, nan, (u & 0x7fffffffu) > 0x7f800000u));
}
#define VLOAD_(T, x, i) VLOAD_##T(x, i)
#define VSTORE_(T, x, i, v) VSTORE_##T(x, i, v)
#define VLOAD_AS(T, x, i) VLOAD_(T, x, i)
#define VSTORE_AS(T, x, i, v) VSTORE_(T, x, i, v)

#include "past_caches.h"

// Lanes of a V one by one, through memory of the work-item: for the end of a row and for strided operands.
typedef union {
  V lanes;
  S one[LANES];
} Spill;
// v = LANES elements from x[i], x[i + stride], ... of which the first n exist; the others become `rest`.
#define VGATHER(T, v, x, i, stride, n, rest)                                                          \
  {                                                                                                   \
    Spill spill_;                                                                                     \
    spill_.lanes = (V)(rest);                                                                         \
    for (uint l_ = 0; l_ < (n); ++l_) spill_.one[l_] = (S)LOAD_AS(T, x, (i) + (ulong)l_ * (stride)); \
    v = spill_.lanes;                                                                                 \
  }
#define VSCATTER(T, x, i, stride, n, v)                                                                \
  {                                                                                                    \
    Spill spill_;                                                                                      \
    spill_.lanes = (v);                                                                                \
    for (uint l_ = 0; l_ < (n); ++l_) STORE_AS(T, x, (i) + (ulong)l_ * (stride), spill_.one[l_]);      \
  }
// The first n < LANES of neighbouring elements from x[i] on; the others become `rest`. Spilling lane by lane costs twenty
// times a vector access, so a whole vector is read where memory up to `limit` is the tensor's own anyway.
#define VLOAD_SOME(T, v, x, i, n, rest, limit)                             \
  if ((i) + LANES <= (limit)) {                                            \
    v = SELECT(LANE_NUMBERS < (uvec)(n), VLOAD_AS(T, x, i), (V)(rest));    \
  } else {                                                                 \
    VGATHER(T, v, x, i, 1, n, rest)                                        \
  }
// Stores the first n < LANES. Up to `limit` the elements behind them may be overwritten: the same work-item is going to
// write them, later.
#define VSTORE_SOME(T, x, i, n, v, limit)  \
  if ((i) + LANES <= (limit)) {            \
    VSTORE_AS(T, x, i, v);                 \
  } else {                                 \
    VSCATTER(T, x, i, 1, n, v)             \
  }
#endif
