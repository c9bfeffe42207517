// One pass of a reduction: x is [outer, len, inner], y [outer, segs, inner], each element of y made from `seg` (the last:
// fewer) neighbours along len, in a fixed order. Several segments are a first pass that keeps the device busy; a second
// pass over y finishes.
//
// Spec:  T0, T1, TY  storage types              ARITY  1 or 2 operands of one shape
//        MAP         formula over a (and b)     KIND   0 sum, 1 max, 2 min
//        ROWS        1: inner is 1
//        WG          GPU shape: threads in a group; with ROWS 1 and WG 1 a thread takes a whole row
//        CPU_SHAPE, INTEGERS (lanes.h)
#include "lanes.h"

#if INTEGERS
#define LOWEST ((S)0x80000000)
#define HIGHEST ((S)0x7fffffff)
#else
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#endif
#if KIND == 0
#define NEUTRAL 0
#define COMBINE(acc, v) ((acc) + (v))
#elif KIND == 1
#define NEUTRAL LOWEST
#define COMBINE(acc, v) SELECT(((v) > (acc)) | ((v) != (v)), v, acc)  // NaN wins
#else
#define NEUTRAL HIGHEST
#define COMBINE(acc, v) SELECT(((v) < (acc)) | ((v) != (v)), v, acc)
#endif
#define COMBINE_ONE(acc, v) acc = combine_one(acc, v)
FN S combine_one(const S acc, const S v) {
#if KIND == 0
  return acc + v;
#elif KIND == 1
  return (v > acc) || (v != v) ? v : acc;
#else
  return (v < acc) || (v != v) ? v : acc;
#endif
}

#if CPU_SHAPE
#if KIND == 0
#define COMBINE_HALVES(v) ((v).lo + (v).hi)
#elif KIND == 1
#define COMBINE_HALVES(v) select((v).hi, (v).lo, ((v).lo > (v).hi) | ((v).lo != (v).lo))
#else
#define COMBINE_HALVES(v) select((v).hi, (v).lo, ((v).lo < (v).hi) | ((v).lo != (v).lo))
#endif
#if INTEGERS
typedef int8 V8;
typedef int4 V4;
typedef int2 V2;
#else
typedef float8 V8;
typedef float4 V4;
typedef float2 V2;
#endif
FN S combine_lanes(const V v) {
  const V8 a = COMBINE_HALVES(v);
  const V4 b = COMBINE_HALVES(a);
  const V2 c = COMBINE_HALVES(b);
  return combine_one(c.hi, c.lo);
}
#endif

#if ARITY == 1
FN V map(const V a) { return (V)(MAP); }
#define OPERANDS IN(T0, x0)
#else
FN V map(const V a, const V b) { return (V)(MAP); }
#define OPERANDS IN(T0, x0), IN(T1, x1)
#endif

#if KIND == 0 && !INTEGERS
#define FINISH(v) ((v) * scale)
#else
#define FINISH(v) (v)
#endif

#if CPU_SHAPE
#if ARITY == 1
#define MAPPED(i) map(VLOAD_AS(T0, x0, i))
#define MAPPED_PART(v, i, n)             \
  {                                      \
    V part0;                             \
    VLOAD_SOME(T0, part0, x0, i, n, 0, limit) \
    v = map(part0);                      \
  }
#else
#define MAPPED(i) map(VLOAD_AS(T0, x0, i), VLOAD_AS(T1, x1, i))
#define MAPPED_PART(v, i, n)             \
  {                                      \
    V part0, part1;                      \
    VLOAD_SOME(T0, part0, x0, i, n, 0, limit) \
    VLOAD_SOME(T1, part1, x1, i, n, 0, limit) \
    v = map(part0, part1);               \
  }
#endif
// `limit` is where the operands end.
#define UNITS(total)                                              \
  const ulong limit = (ulong)outer * len * inner;                 \
  const uint first = (uint)((ulong)(total) * GROUP_ID / GROUPS);  \
  const uint last = (uint)((ulong)(total) * (GROUP_ID + 1) / GROUPS);

#if ROWS
KERNEL void reduce(OPERANDS, OUT(TY, y), const uint outer, const uint len, const uint inner, const uint segs,
                   const uint seg, const float scale) {
  OFFSET(x0);
#if ARITY == 2
  OFFSET(x1);
#endif
  OFFSET(y);
  UNITS(outer * segs)
  for (uint unit = first; unit < last; ++unit) {
    const uint o = unit / segs;
    const uint s = unit - o * segs;
    const uint begin = min(len, s * seg);
    const uint n = min(len, begin + seg) - begin;
    const ulong base = (ulong)o * len + begin;
    V acc0 = (V)(NEUTRAL), acc1 = acc0, acc2 = acc0, acc3 = acc0;
    uint c = 0;
    for (; c + 4 * LANES <= n; c += 4 * LANES) {
      const V v0 = MAPPED(base + c), v1 = MAPPED(base + c + LANES);
      const V v2 = MAPPED(base + c + 2 * LANES), v3 = MAPPED(base + c + 3 * LANES);
      acc0 = COMBINE(acc0, v0);
      acc1 = COMBINE(acc1, v1);
      acc2 = COMBINE(acc2, v2);
      acc3 = COMBINE(acc3, v3);
    }
    for (; c + LANES <= n; c += LANES) {
      const V v = MAPPED(base + c);
      acc0 = COMBINE(acc0, v);
    }
    if (c < n) {
      V v;
      MAPPED_PART(v, base + c, n - c)
      v = SELECT(LANE_NUMBERS < (uvec)(n - c), v, (V)(NEUTRAL));
      acc0 = COMBINE(acc0, v);
    }
    acc0 = COMBINE(acc0, acc1);
    acc2 = COMBINE(acc2, acc3);
    acc0 = COMBINE(acc0, acc2);
    STORE_AS(TY, y, unit, FINISH(combine_lanes(acc0)));
  }
}

#else
// W neighbouring V at a time, in registers, down the column.
#define COLUMNS(W)                                                                                              \
  for (; at + (W) * LANES <= end; at += (W) * LANES) {                                                          \
    V acc[W];                                                                                                   \
    UNROLL for (uint w = 0; w < (W); ++w) acc[w] = (V)(NEUTRAL);                                                \
    for (uint r = 0; r < n; ++r) {                                                                              \
      const ulong from = base + (ulong)r * inner + at;                                                          \
      UNROLL for (uint w = 0; w < (W); ++w) {                                                                   \
        const V v = MAPPED(from + w * LANES);                                                                   \
        acc[w] = COMBINE(acc[w], v);                                                                            \
      }                                                                                                         \
    }                                                                                                           \
    UNROLL for (uint w = 0; w < (W); ++w) VSTORE_AS(TY, y, to + at + w * LANES, FINISH(acc[w]));                \
  }

KERNEL void reduce(OPERANDS, OUT(TY, y), const uint outer, const uint len, const uint inner, const uint segs,
                   const uint seg, const float scale) {
  OFFSET(x0);
#if ARITY == 2
  OFFSET(x1);
#endif
  OFFSET(y);
  // A unit is one segment of 256 columns.
  const uint blocks = (inner + 255) / 256;
  UNITS(outer * segs * blocks)
  for (uint unit = first; unit < last; ++unit) {
    const uint row = unit / blocks;
    const uint o = row / segs;
    const uint begin = min(len, (row - o * segs) * seg);
    const uint n = min(len, begin + seg) - begin;
    const ulong base = ((ulong)o * len + begin) * inner;
    const ulong to = (ulong)row * inner;
    uint at = (unit - row * blocks) * 256;
    const uint end = min(inner, at + 256);
    COLUMNS(16)
    COLUMNS(4)
    COLUMNS(1)
    if (at < end) {
      V acc = (V)(NEUTRAL);
      for (uint r = 0; r < n; ++r) {
        V v;
        MAPPED_PART(v, base + (ulong)r * inner + at, end - at)
        acc = COMBINE(acc, v);
      }
      VSCATTER(TY, y, to + at, 1, end - at, FINISH(acc))
    }
  }
}
#endif

#else
#if ARITY == 1
#define MAPPED(i) map((S)LOAD_AS(T0, x0, i))
#else
#define MAPPED(i) map((S)LOAD_AS(T0, x0, i), (S)LOAD_AS(T1, x1, i))
#endif

KERNEL void reduce(OPERANDS, OUT(TY, y), const uint outer, const uint len, const uint inner, const uint segs,
                   const uint seg, const float scale) {
  OFFSET(x0);
#if ARITY == 2
  OFFSET(x1);
#endif
  OFFSET(y);
#if ROWS && WG > 1
  LOCAL S scratch[WG];
  for (uint unit = GROUP_ID; unit < outer * segs; unit += GROUPS) {
    const uint o = unit / segs;
    const uint begin = min(len, (unit - o * segs) * seg);
    const uint end = min(len, begin + seg);
    const ulong base = (ulong)o * len;
    S acc = NEUTRAL;
    for (uint c = begin + LOCAL_ID; c < end; c += WG) COMBINE_ONE(acc, MAPPED(base + c));
    scratch[LOCAL_ID] = acc;
    BARRIER();
    for (uint step = WG / 2; step > 0; step /= 2) {
      if (LOCAL_ID < step) COMBINE_ONE(scratch[LOCAL_ID], scratch[LOCAL_ID + step]);
      BARRIER();
    }
    if (LOCAL_ID == 0) STORE_AS(TY, y, unit, FINISH(scratch[0]));
    BARRIER();
  }
  (void)inner;
#else
  // A thread takes one column; neighbouring threads read neighbouring elements unless inner is 1.
  for (ulong i = GLOBAL_ID; i < (ulong)outer * segs * inner; i += GLOBAL_SIZE) {
    const uint row = (uint)(i / inner);
    const uint column = (uint)(i - (ulong)row * inner);
    const uint o = row / segs;
    const uint begin = min(len, (row - o * segs) * seg);
    const uint end = min(len, begin + seg);
    const ulong base = (ulong)o * len * inner + column;
    S acc = NEUTRAL;
    for (uint r = begin; r < end; ++r) COMBINE_ONE(acc, MAPPED(base + (ulong)r * inner));
    STORE_AS(TY, y, i, FINISH(acc));
  }
#endif
  (void)scale;
}
#endif
