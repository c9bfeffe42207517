// Every pointwise operation, forward and derivative: the formula is the EXPR that a row of the table in
// api/src/ops/pointwise_table.hpp supplies, over the operands' names and the scalars s and s2. Copies, casts, fills,
// slices and broadcasts are the formula "x" over other strides.
//
// The result has `rows` rows of `cols` elements; the rows are counted by RANK outer axes, over each of which every
// operand has a stride (0 where it is broadcast). Everything contiguous is one row (RANK 0).
//
// Spec:  ARITY         operands, 0 to 3               NAME0..2   their names in EXPR
//        T0..T2, TY    storage types                  M0..M2     inner stride: 0, 1, or 2 for an argument
//        MY            1: the result is contiguous; 3: it has strides over the outer axes; 2: and an inner stride
//        ACCUMULATE    1: the result is added to what is there
//        RANK          outer axes, 0 to 5             VEC        GPU shape: 4 elements an access; all f32, aligned
//        STREAM        CPU shape, 1: y is f32, larger than the caches and written past them
//        EXPR, CPU_SHAPE, INTEGERS (lanes.h)
#include "lanes.h"

#ifndef ARITY
#error "pointwise.cl is specialised by api/src/ops/pointwise.cpp"
#endif

FN V apply(
#if ARITY > 0
    const V NAME0,
#endif
#if ARITY > 1
    const V NAME1,
#endif
#if ARITY > 2
    const V NAME2,
#endif
    const S s, const S s2) {
  return (V)(EXPR);
}

#if ARITY == 0
#define APPLY(c) apply((S)s, (S)s2)
#elif ARITY == 1
#define APPLY(c) apply(AT0(c), (S)s, (S)s2)
#elif ARITY == 2
#define APPLY(c) apply(AT0(c), AT1(c), (S)s, (S)s2)
#else
#define APPLY(c) apply(AT0(c), AT1(c), AT2(c), (S)s, (S)s2)
#endif

// Outer axis k: its extent, then each operand's stride over it.
#define AXIS_STRIDE0(k) , const uint stride0_##k
#define AXIS_STRIDE1(k) , const uint stride1_##k
#define AXIS_STRIDE2(k) , const uint stride2_##k
#if MY != 1
#define AXIS_Y(k) , const uint stridey_##k
#else
#define AXIS_Y(k)
#endif
#if ARITY == 0
#define AXIS(k) , const uint extent_##k AXIS_Y(k)
#elif ARITY == 1
#define AXIS(k) , const uint extent_##k AXIS_STRIDE0(k) AXIS_Y(k)
#elif ARITY == 2
#define AXIS(k) , const uint extent_##k AXIS_STRIDE0(k) AXIS_STRIDE1(k) AXIS_Y(k)
#else
#define AXIS(k) , const uint extent_##k AXIS_STRIDE0(k) AXIS_STRIDE1(k) AXIS_STRIDE2(k) AXIS_Y(k)
#endif

// Moves the bases by the row's coordinate on axis k, innermost outer axis first.
#if ARITY == 0
#define STEP_OPERANDS(k)
#elif ARITY == 1
#define STEP_OPERANDS(k) base0 += (ulong)at * stride0_##k;
#elif ARITY == 2
#define STEP_OPERANDS(k) base0 += (ulong)at * stride0_##k; base1 += (ulong)at * stride1_##k;
#else
#define STEP_OPERANDS(k) \
  base0 += (ulong)at * stride0_##k; base1 += (ulong)at * stride1_##k; base2 += (ulong)at * stride2_##k;
#endif
#if MY != 1
#define STEP_Y(k) basey += (ulong)at * stridey_##k;
#else
#define STEP_Y(k)
#endif
#define STEP(k)                          \
  {                                      \
    const uint at = rest % extent_##k;   \
    rest /= extent_##k;                  \
    STEP_OPERANDS(k) STEP_Y(k)           \
  }
// The outermost axis needs no division.
#define FIRST_STEP(k)            \
  {                              \
    const uint at = rest;        \
    STEP_OPERANDS(k) STEP_Y(k)   \
    (void)at;                    \
  }
#define BASES(row)                                        \
  ulong base0 = 0, base1 = 0, base2 = 0, basey = 0;       \
  uint rest = (row);                                      \
  LOCATE                                                  \
  (void)base0; (void)base1; (void)base2; (void)basey; (void)rest;

// Where the operands end, so that the last lanes of a row may be read as a whole vector (VLOAD_SOME).
#if ARITY == 0
#define REACH(k)
#elif ARITY == 1
#define REACH(k) limit0 += (ulong)(extent_##k - 1) * stride0_##k;
#elif ARITY == 2
#define REACH(k) \
  limit0 += (ulong)(extent_##k - 1) * stride0_##k; limit1 += (ulong)(extent_##k - 1) * stride1_##k;
#else
#define REACH(k)                                   \
  limit0 += (ulong)(extent_##k - 1) * stride0_##k; \
  limit1 += (ulong)(extent_##k - 1) * stride1_##k; \
  limit2 += (ulong)(extent_##k - 1) * stride2_##k;
#endif

#if RANK == 0
#define AXES
#define LOCATE
#define REACHES
#elif RANK == 1
#define AXES AXIS(0)
#define LOCATE FIRST_STEP(0)
#define REACHES REACH(0)
#elif RANK == 2
#define AXES AXIS(0) AXIS(1)
#define LOCATE STEP(1) FIRST_STEP(0)
#define REACHES REACH(0) REACH(1)
#elif RANK == 3
#define AXES AXIS(0) AXIS(1) AXIS(2)
#define LOCATE STEP(2) STEP(1) FIRST_STEP(0)
#define REACHES REACH(0) REACH(1) REACH(2)
#elif RANK == 4
#define AXES AXIS(0) AXIS(1) AXIS(2) AXIS(3)
#define LOCATE STEP(3) STEP(2) STEP(1) FIRST_STEP(0)
#define REACHES REACH(0) REACH(1) REACH(2) REACH(3)
#else
#define AXES AXIS(0) AXIS(1) AXIS(2) AXIS(3) AXIS(4)
#define LOCATE STEP(4) STEP(3) STEP(2) STEP(1) FIRST_STEP(0)
#define REACHES REACH(0) REACH(1) REACH(2) REACH(3) REACH(4)
#endif

#if MY == 2
#define Y_AT(c) (basey + (ulong)(c) * inner_y)
#elif MY == 3
#define Y_AT(c) (basey + (c))
#else
#define Y_AT(c) (ystart + (c))
#endif

KERNEL void pointwise(
#if ARITY > 0
    IN(T0, x0),
#endif
#if ARITY > 1
    IN(T1, x1),
#endif
#if ARITY > 2
    IN(T2, x2),
#endif
    OUT(TY, y), const float s, const float s2, const uint rows, const uint cols,
    const uint pieces, const uint piece  // CPU shape: a row is cut into `pieces` of `piece` elements
#if ARITY > 0 && M0 == 2
    , const uint inner_0
#endif
#if ARITY > 1 && M1 == 2
    , const uint inner_1
#endif
#if ARITY > 2 && M2 == 2
    , const uint inner_2
#endif
#if MY == 2
    , const uint inner_y
#endif
    AXES) {
#if ARITY > 0
  OFFSET(x0);
#endif
#if ARITY > 1
  OFFSET(x1);
#endif
#if ARITY > 2
  OFFSET(x2);
#endif
  OFFSET(y);

#if CPU_SHAPE
  const uint units = rows * pieces;
  const uint first = (uint)((ulong)units * GROUP_ID / GROUPS);
  const uint last = (uint)((ulong)units * (GROUP_ID + 1) / GROUPS);
  ulong limit0 = cols, limit1 = cols, limit2 = cols;
  REACHES
  // A piece's neighbour may be another group's.
  const ulong write_limit = pieces == 1 ? (ulong)last * cols : 0;
#if STREAM
  const bool whole_lines = ((ulong)y & 63) == 0 && (rows == 1 || cols % LANES == 0);
#endif
  // The last operands loaded for an incomplete vector, and from where: a broadcast row is the same each time.
  V held0 = (V)(0), held1 = held0, held2 = held0;
  ulong held_at0 = ~0ul, held_at1 = ~0ul, held_at2 = ~0ul;
  for (uint unit = first; unit < last; ++unit) {
    const uint row = pieces == 1 ? unit : unit / pieces;
    const uint begin = (unit - row * pieces) * piece;
    const uint end = min(cols, begin + piece);
    BASES(row)
    const ulong ystart = (ulong)row * cols;
    (void)ystart;
    uint c = begin;
#if ARITY > 0 && M0 == 0
    const V v0 = (V)((S)LOAD_AS(T0, x0, base0));
#define FULL0(c) v0
#elif ARITY > 0 && M0 == 1
#define FULL0(c) VLOAD_AS(T0, x0, base0 + (c))
#elif ARITY > 0
#define FULL0(c) gathered0
#endif
#if ARITY > 1 && M1 == 0
    const V v1 = (V)((S)LOAD_AS(T1, x1, base1));
#define FULL1(c) v1
#elif ARITY > 1 && M1 == 1
#define FULL1(c) VLOAD_AS(T1, x1, base1 + (c))
#elif ARITY > 1
#define FULL1(c) gathered1
#endif
#if ARITY > 2 && M2 == 0
    const V v2 = (V)((S)LOAD_AS(T2, x2, base2));
#define FULL2(c) v2
#elif ARITY > 2 && M2 == 1
#define FULL2(c) VLOAD_AS(T2, x2, base2 + (c))
#elif ARITY > 2
#define FULL2(c) gathered2
#endif
    for (; c + LANES <= end; c += LANES) {
#if ARITY > 0 && M0 == 2
      V gathered0;
      VGATHER(T0, gathered0, x0, base0 + (ulong)c * inner_0, inner_0, LANES, 0)
#endif
#if ARITY > 1 && M1 == 2
      V gathered1;
      VGATHER(T1, gathered1, x1, base1 + (ulong)c * inner_1, inner_1, LANES, 0)
#endif
#if ARITY > 2 && M2 == 2
      V gathered2;
      VGATHER(T2, gathered2, x2, base2 + (ulong)c * inner_2, inner_2, LANES, 0)
#endif
#define AT0(c) FULL0(c)
#define AT1(c) FULL1(c)
#define AT2(c) FULL2(c)
      V result = APPLY(c);
#undef AT0
#undef AT1
#undef AT2
#if MY == 2
#if ACCUMULATE
      V old;
      VGATHER(TY, old, y, Y_AT(c), inner_y, LANES, 0)
      result += old;
#endif
      VSCATTER(TY, y, Y_AT(c), inner_y, LANES, result)
#else
#if ACCUMULATE
      result += VLOAD_AS(TY, y, Y_AT(c));
#endif
#if STREAM
      if (whole_lines) {
        store_past_caches(y + Y_AT(c), result);
        continue;
      }
#endif
      VSTORE_AS(TY, y, Y_AT(c), result);
#endif
    }
    if (c < end) {  // the last lanes; the missing ones compute with 1, which no formula minds
      const uint n = end - c;
#if ARITY > 0
      V part0;
#if M0 == 0
      part0 = v0;
#elif M0 == 1
      if (base0 + c != held_at0) {
        VLOAD_SOME(T0, held0, x0, base0 + c, n, 1, limit0)
        held_at0 = base0 + c;
      }
      part0 = held0;
#else
      VGATHER(T0, part0, x0, base0 + (ulong)c * inner_0, inner_0, n, 1)
#endif
#endif
#if ARITY > 1
      V part1;
#if M1 == 0
      part1 = v1;
#elif M1 == 1
      if (base1 + c != held_at1) {
        VLOAD_SOME(T1, held1, x1, base1 + c, n, 1, limit1)
        held_at1 = base1 + c;
      }
      part1 = held1;
#else
      VGATHER(T1, part1, x1, base1 + (ulong)c * inner_1, inner_1, n, 1)
#endif
#endif
#if ARITY > 2
      V part2;
#if M2 == 0
      part2 = v2;
#elif M2 == 1
      if (base2 + c != held_at2) {
        VLOAD_SOME(T2, held2, x2, base2 + c, n, 1, limit2)
        held_at2 = base2 + c;
      }
      part2 = held2;
#else
      VGATHER(T2, part2, x2, base2 + (ulong)c * inner_2, inner_2, n, 1)
#endif
#endif
#define AT0(c) part0
#define AT1(c) part1
#define AT2(c) part2
      V result = APPLY(c);
#if MY == 2
      const uint pitch = inner_y;
#else
      const uint pitch = 1;
#endif
#if ACCUMULATE
      V old;
      VGATHER(TY, old, y, Y_AT(c), pitch, n, 0)
      result += old;
#endif
#if MY == 1 && !ACCUMULATE
      (void)pitch;
      VSTORE_SOME(TY, y, Y_AT(c), n, result, write_limit)
#else
      VSCATTER(TY, y, Y_AT(c), pitch, n, result)
#endif
    }
  }
  (void)write_limit; (void)limit0; (void)limit1; (void)limit2;
  (void)held0; (void)held1; (void)held2; (void)held_at0; (void)held_at1; (void)held_at2;

#elif VEC == 4
  const uint quads = rows * cols / 4;
  (void)pieces;
  (void)piece;
#if ARITY > 0 && M0 == 0
  const float v0 = x0[0];
#define QUAD0 const float4 q0 = F32X4(v0, v0, v0, v0);
#elif ARITY > 0
#define QUAD0 const float4 q0 = LOAD4(x0, 4 * i);
#else
#define QUAD0
#endif
#if ARITY > 1 && M1 == 0
  const float v1 = x1[0];
#define QUAD1 const float4 q1 = F32X4(v1, v1, v1, v1);
#elif ARITY > 1
#define QUAD1 const float4 q1 = LOAD4(x1, 4 * i);
#else
#define QUAD1
#endif
#if ARITY > 2 && M2 == 0
  const float v2 = x2[0];
#define QUAD2 const float4 q2 = F32X4(v2, v2, v2, v2);
#elif ARITY > 2
#define QUAD2 const float4 q2 = LOAD4(x2, 4 * i);
#else
#define QUAD2
#endif
#define AT0(c) q0.c
#define AT1(c) q1.c
#define AT2(c) q2.c
  for (ulong i = GLOBAL_ID; i < quads; i += GLOBAL_SIZE) {
    QUAD0 QUAD1 QUAD2
#if ACCUMULATE
    const float4 old = LOAD4(y, 4 * i);
    const float4 result = F32X4(old.x + APPLY(x), old.y + APPLY(y), old.z + APPLY(z), old.w + APPLY(w));
#else
    const float4 result = F32X4(APPLY(x), APPLY(y), APPLY(z), APPLY(w));
#endif
    STORE4(y, 4 * i, result);
  }

#else
  (void)pieces;
  (void)piece;
#if ARITY > 0 && M0 == 0
#define AT0(c) ((S)LOAD_AS(T0, x0, base0))
#elif ARITY > 0 && M0 == 1
#define AT0(c) ((S)LOAD_AS(T0, x0, base0 + (c)))
#elif ARITY > 0
#define AT0(c) ((S)LOAD_AS(T0, x0, base0 + (ulong)(c) * inner_0))
#endif
#if ARITY > 1 && M1 == 0
#define AT1(c) ((S)LOAD_AS(T1, x1, base1))
#elif ARITY > 1 && M1 == 1
#define AT1(c) ((S)LOAD_AS(T1, x1, base1 + (c)))
#elif ARITY > 1
#define AT1(c) ((S)LOAD_AS(T1, x1, base1 + (ulong)(c) * inner_1))
#endif
#if ARITY > 2 && M2 == 0
#define AT2(c) ((S)LOAD_AS(T2, x2, base2))
#elif ARITY > 2 && M2 == 1
#define AT2(c) ((S)LOAD_AS(T2, x2, base2 + (c)))
#elif ARITY > 2
#define AT2(c) ((S)LOAD_AS(T2, x2, base2 + (ulong)(c) * inner_2))
#endif
  const uint count = rows * cols;
  for (ulong i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
#if RANK == 0
    const uint row = 0;
    const uint c = (uint)i;
#else
    const uint row = (uint)i / cols;
    const uint c = (uint)i - row * cols;
#endif
    BASES(row)
    const ulong ystart = i - c;
    (void)ystart;
    V result = APPLY(c);
#if ACCUMULATE
    result += (S)LOAD_AS(TY, y, Y_AT(c));
#endif
    STORE_AS(TY, y, Y_AT(c), result);
  }
#endif
}
