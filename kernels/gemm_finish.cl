// C = act(C + bias) in place, for libraries that multiply and do no more: rows of n elements, ldc apart, m of them in an
// item, items stride_c apart. count is the number of elements there are.
//
// Spec:  REAL  storage type    ACT   0 none, 1 relu, 2 gelu (exact), 3 gelu (tanh form)    BIAS  1: bias [n] is added
#include "gelu.h"

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

KERNEL void gemm_finish(OUT(REAL, c), IN(REAL, bias), const ulong count, const uint m, const uint n, const ulong ldc,
                        const ulong stride_c) {
  OFFSET(c);
  OFFSET(bias);
  for (ulong i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    const ulong row = i / n, item = row / m;
    const uint col = (uint)(i - row * n);
    const ulong at = item * stride_c + (row - item * m) * ldc + col;
    float v = LOAD(c, at);
#if BIAS
    v += LOAD(bias, col);
#endif
    STORE(c, at, activate(v));
  }
}
