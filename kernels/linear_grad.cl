// The gradient behind a bias and an activation: dz = dy * act'(.) and the column sums of dz, in one pass. x and dy are
// [rows, cols] row major. Each group sums `group_rows` rows into its own row of `sums`, in order; when there are several
// such rows, a second launch with ACT 0 and DZ 0 adds them up.
//
// Spec:  REAL       storage type of dy, saved and dz    SUM   storage type of sums (f32 for partial ones)
//        ACT        0: none; 1: relu, saved is its result; 2: gelu, 3: gelu (tanh form), saved is its input
//        DZ         1: dz is written                     CPU_SHAPE
#include "gelu.h"
#include "lanes.h"

#if ACT == 2
// d/dx of x * Phi(x): Phi(x) + x * phi(x).
#define SLOPE(dy, s) \
  ((dy) * (NORMAL_CDF(s) + (s) * 0.39894228f * EXP(-0.5f * (s) * (s))))
#elif ACT == 3
FN fvec gelu_slope(const fvec s) {
  const fvec t = TANH(GELU_INNER(s));
  return GELU_TANH_SLOPE(s, t);
}
#define SLOPE(dy, s) ((dy) * gelu_slope(s))
#elif ACT == 1
#define SLOPE(dy, s) SELECT((s) > 0.0f, dy, 0.0f)
#else
#define SLOPE(dy, s) (dy)
#endif

#if CPU_SHAPE
// One work-item a group, 64 columns of it; single columns at the ragged end.
#define GROUP_COLS 64

FN float slope_of_one(const float dy, const float s) {
  float one[16];
  vstore16(SLOPE((float16)dy, (float16)s), 0, one);
  return one[0];
}

KERNEL GROUP_SIZE(1) void linear_grad(IN(REAL, dy), IN(REAL, saved), OUT(REAL, dz), OUT(SUM, sums), const uint rows,
                                      const uint cols, const uint group_rows) {
  OFFSET(dy);
  OFFSET(saved);
  OFFSET(dz);
  OFFSET(sums);
  const uint row0 = GROUP_ID_Y * group_rows, row1 = min(rows, row0 + group_rows);
  const uint col1 = min(cols, GROUP_ID * GROUP_COLS + GROUP_COLS);
  uint col = GROUP_ID * GROUP_COLS;
  for (; col + 16 <= col1; col += 16) {
    float16 sum = 0.0f;
    for (uint row = row0; row < row1; ++row) {
      const ulong at = (ulong)row * cols + col;
      float16 v = VLOAD_AS(REAL, dy, at);
#if ACT
      v = SLOPE(v, VLOAD_AS(REAL, saved, at));
#endif
#if DZ
      VSTORE_AS(REAL, dz, at, v);
#endif
      sum += v;
    }
    VSTORE_AS(SUM, sums, (ulong)GROUP_ID_Y * cols + col, sum);
  }
  for (; col < col1; ++col) {
    float sum = 0.0f;
    for (uint row = row0; row < row1; ++row) {
      const ulong at = (ulong)row * cols + col;
      float v = LOAD(dy, at);
#if ACT
      v = slope_of_one(v, LOAD(saved, at));
#endif
#if DZ
      STORE(dz, at, v);
#endif
      sum += v;
    }
    STORE_AS(SUM, sums, (ulong)GROUP_ID_Y * cols + col, sum);
  }
}
#else
// 32 columns a group, and WG / 32 of its threads on each.
KERNEL GROUP_SIZE(WG) void linear_grad(IN(REAL, dy), IN(REAL, saved), OUT(REAL, dz), OUT(SUM, sums), const uint rows,
                                       const uint cols, const uint group_rows) {
  LOCAL float share[WG];
  OFFSET(dy);
  OFFSET(saved);
  OFFSET(dz);
  OFFSET(sums);
  const uint row0 = GROUP_ID_Y * group_rows, row1 = rows - row0 < group_rows ? rows : row0 + group_rows;
  const uint col = GROUP_ID * 32 + LOCAL_ID % 32;
  float sum = 0.0f;
  if (col < cols) {
    for (uint row = row0 + LOCAL_ID / 32; row < row1; row += WG / 32) {
      const ulong at = (ulong)row * cols + col;
      float v = LOAD(dy, at);
#if ACT
      v = SLOPE(v, LOAD(saved, at));
#endif
#if DZ
      STORE(dz, at, v);
#endif
      sum += v;
    }
  }
  share[LOCAL_ID] = sum;
  BARRIER();
  if (LOCAL_ID < 32 && col < cols) {
    for (uint i = 32; i < WG; i += 32) sum += share[LOCAL_ID + i];
    STORE_AS(SUM, sums, (ulong)GROUP_ID_Y * cols + col, sum);
  }
}
#endif
