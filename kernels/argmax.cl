// Position of the largest element along the middle axis of x [outer, len, inner]: the first of equals; NaN counts as
// largest, as in NumPy.
//
// Spec:  T0     storage type of x       ROWS  1: inner is 1
//        WG     GPU shape: threads in a group; 1: a thread takes a whole line
//        CPU_SHAPE, INTEGERS (lanes.h)
#include "lanes.h"

#if INTEGERS
#define LOWEST ((S)0x80000000)
#else
#define LOWEST (-INFINITY)
#endif
#define BETTER(v, best) (((v) > (best)) | (((v) != (v)) & ((best) == (best))))
#define SAME(v, best) (((v) == (best)) | (((v) != (v)) & ((best) != (best))))

#if CPU_SHAPE && ROWS
KERNEL void argmax(IN(T0, x), OUT(i32, y), const uint outer, const uint len, const uint inner) {
  OFFSET(x);
  OFFSET(y);
  const uint first = (uint)((ulong)outer * GROUP_ID / GROUPS);
  const uint last = (uint)((ulong)outer * (GROUP_ID + 1) / GROUPS);
  for (uint row = first; row < last; ++row) {
    const ulong base = (ulong)row * len;
    V best = (V)(LOWEST);
    uvec at = LANE_NUMBERS;
    uint c = 0;
    for (; c + LANES <= len; c += LANES) {
      const V v = VLOAD_AS(T0, x, base + c);
      const ivec better = BETTER(v, best);
      best = SELECT(better, v, best);
      at = select(at, LANE_NUMBERS + c, better);
    }
    if (c < len) {
      V v;
      VLOAD_SOME(T0, v, x, base + c, len - c, LOWEST, (ulong)outer * len)
      const ivec better = BETTER(v, best);
      best = SELECT(better, v, best);
      at = select(at, LANE_NUMBERS + c, better);
    }
    Spill spill;
    spill.lanes = best;
    uint positions[LANES];
    vstore16(at, 0, positions);
    S top = spill.one[0];
    uint position = positions[0];
    for (uint l = 1; l < LANES; ++l) {
      const S v = spill.one[l];
      if (BETTER(v, top) || (SAME(v, top) && positions[l] < position)) {
        top = v;
        position = positions[l];
      }
    }
    y[row] = (int)position;
  }
  (void)inner;
}

#else
KERNEL void argmax(IN(T0, x), OUT(i32, y), const uint outer, const uint len, const uint inner) {
  OFFSET(x);
  OFFSET(y);
#if WG > 1
  LOCAL S tops[WG];
  LOCAL uint positions[WG];
  for (uint row = GROUP_ID; row < outer; row += GROUPS) {
    S top = LOWEST;
    uint position = LOCAL_ID;
    for (uint c = LOCAL_ID; c < len; c += WG) {
      const S v = (S)LOAD_AS(T0, x, (ulong)row * len + c);
      if (BETTER(v, top)) {
        top = v;
        position = c;
      }
    }
    tops[LOCAL_ID] = top;
    positions[LOCAL_ID] = position;
    BARRIER();
    for (uint step = WG / 2; step > 0; step /= 2) {
      if (LOCAL_ID < step) {
        const S v = tops[LOCAL_ID + step];
        const uint p = positions[LOCAL_ID + step];
        if (BETTER(v, tops[LOCAL_ID]) || (SAME(v, tops[LOCAL_ID]) && p < positions[LOCAL_ID])) {
          tops[LOCAL_ID] = v;
          positions[LOCAL_ID] = p;
        }
      }
      BARRIER();
    }
    if (LOCAL_ID == 0) y[row] = (int)positions[0];
    BARRIER();
  }
  (void)inner;
#else
  for (ulong i = GLOBAL_ID; i < (ulong)outer * inner; i += GLOBAL_SIZE) {
    const ulong o = i / inner;
    const ulong base = o * len * inner + (i - o * inner);
    S top = LOWEST;
    uint position = 0;
    for (uint c = 0; c < len; ++c) {
      const S v = (S)LOAD_AS(T0, x, base + (ulong)c * inner);
      if (BETTER(v, top)) {
        top = v;
        position = c;
      }
    }
    y[i] = (int)position;
  }
#endif
}
#endif
