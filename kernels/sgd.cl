// One step of stochastic gradient descent over up to SLOTS parameters; momentum is f32, flat over all parameters.
//
// Spec:  those of multi_tensor.h;  MOMENTUM, NESTEROV  0 or 1;  CPU_SHAPE (lanes.h)
//        VALUES  1: the numbers lie in memory, where a recorded step finds new ones at each replay
//
//   sign  -1 to maximise, else 1        l2      weight decay
//   keep  momentum, 0 in a parameter's first step, when the buffer becomes the gradient itself
//   take  1 - dampening, 1 in the first step
#include "lanes.h"
#include "multi_tensor.h"

// T is float, or V in the CPU shape: the formula stands here once.
#define SGD_DECAY(T, x, d) d = fma((T)(l2), x, (T)(sign) * d);
#define SGD_MOMENTUM(T, d, b) b = fma((T)(keep), b, (T)(take) * d);
#if NESTEROV
#define SGD_DIRECTION(T, d, b) d = fma((T)(momentum), b, d);
#else
#define SGD_DIRECTION(T, d, b) d = b;
#endif

KERNEL void sgd_step(ALL_SLOTS,
#if MOMENTUM
                     OUT(f32, buffer),
#endif
#if VALUES
                     IN(f32, values)) {
  OFFSET(values);
#if MOMENTUM
  const float keep = values[3], take = values[4], momentum = values[5];
#endif
  const float sign = values[0], l2 = values[1], lr = values[2];
#else
                     const float sign, const float l2, const float lr
#if MOMENTUM
                     , const float keep, const float take, const float momentum
#endif
                     ) {
#endif
  CHOOSE_SLOT
#if MOMENTUM
  OFFSET(buffer);
  buffer += base;
#endif

#if CPU_SHAPE
  uint i = start;
  for (; i + LANES <= stop; i += LANES) {
    V x = VLOAD_AS(REAL, p, i);
    V d = VLOAD_AS(GRAD, g, i);
    SGD_DECAY(V, x, d)
#if MOMENTUM
    V b = VLOAD_f32(buffer, i);
    SGD_MOMENTUM(V, d, b)
    VSTORE_f32(buffer, i, b);
    SGD_DIRECTION(V, d, b)
#endif
    x = fma((V)(-lr), d, x);
    VSTORE_AS(REAL, p, i, x);
  }
#else
  uint i = start + LOCAL_ID;
#endif
  for (; i < stop; i += WG) {
    float x = LOAD(p, i);
    float d = LOAD_AS(GRAD, g, i);
    SGD_DECAY(float, x, d)
#if MOMENTUM
    float b = buffer[i];
    SGD_MOMENTUM(float, d, b)
    buffer[i] = b;
    SGD_DIRECTION(float, d, b)
#endif
    x = fma(-lr, d, x);
    STORE(p, i, x);
  }
}
