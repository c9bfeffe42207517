// One step of Adam or AdamW over up to SLOTS parameters; moments are f32, flat over all parameters.
//
// Spec:  those of multi_tensor.h;  AMSGRAD  0 or 1;  CPU_SHAPE (lanes.h)
//        VALUES  1: the nine numbers lie in memory, where a recorded step finds new ones at each replay
//
//   sign        -1 to maximise, else 1        l2          weight decay of Adam, 0 for AdamW
//   shrink      1 - lr * decay of AdamW       step_size   lr / (1 - beta1^t)
//   take1       1 - beta1                     root_scale  1 / sqrt(1 - beta2^t)
//   take2       1 - beta2
#include "lanes.h"
#include "multi_tensor.h"

// T is float, or V in the CPU shape: the formula stands here once.
#define ADAM_MOMENTS(T, x, d, mean, square)          \
  d = fma((T)(l2), x, (T)(sign) * d);                \
  mean = fma((T)(take1), d - mean, mean);            \
  square = fma((T)(take2) * d, d, (T)(beta2) * square);
#define ADAM_STEP(T, x, mean, square) \
  x = fma((T)(-step_size), mean / fma(sqrt(square), (T)(root_scale), (T)(eps)), (T)(shrink) * x);

KERNEL void adam_step(ALL_SLOTS, OUT(f32, m), OUT(f32, v),
#if AMSGRAD
                      OUT(f32, peak),
#endif
#if VALUES
                      IN(f32, values)) {
  OFFSET(values);
  const float sign = values[0], l2 = values[1], shrink = values[2], take1 = values[3], beta2 = values[4],
              take2 = values[5], step_size = values[6], root_scale = values[7], eps = values[8];
#else
                      const float sign, const float l2, const float shrink, const float take1, const float beta2,
                      const float take2, const float step_size, const float root_scale, const float eps) {
#endif
  OFFSET(m);
  OFFSET(v);
  CHOOSE_SLOT
  m += base;
  v += base;
#if AMSGRAD
  OFFSET(peak);
  peak += base;
#endif

#if CPU_SHAPE
  uint i = start;
  for (; i + LANES <= stop; i += LANES) {
    V x = VLOAD_AS(REAL, p, i);
    V d = VLOAD_AS(GRAD, g, i);
    V mean = VLOAD_f32(m, i);
    V square = VLOAD_f32(v, i);
    ADAM_MOMENTS(V, x, d, mean, square)
    VSTORE_f32(m, i, mean);
    VSTORE_f32(v, i, square);
#if AMSGRAD
    const V before = VLOAD_f32(peak, i);
    square = SELECT(square <= before, before, square);
    VSTORE_f32(peak, i, square);
#endif
    ADAM_STEP(V, x, mean, square)
    VSTORE_AS(REAL, p, i, x);
  }
#else
  uint i = start + LOCAL_ID;
#endif
  for (; i < stop; i += WG) {
    float x = LOAD(p, i);
    float d = LOAD_AS(GRAD, g, i);
    float mean = m[i];
    float square = v[i];
    ADAM_MOMENTS(float, x, d, mean, square)
    m[i] = mean;
    v[i] = square;
#if AMSGRAD
    square = square <= peak[i] ? peak[i] : square;
    peak[i] = square;
#endif
    ADAM_STEP(float, x, mean, square)
    STORE(p, i, x);
  }
}
