// Softmax and log-softmax along a line, and their gradients.
//
// Spec:  T  storage type of x, y, dy, dx (the arithmetic is float)    LOG  1: log-softmax
//        KEEP  1: y holds the exponentials until their sum is known (f32 only: halves would round them twice)
//        WALK, WG, CPU_SHAPE (line.h)
#include "line.h"

KERNEL void softmax_forward(IN(T, x), OUT(T, y), const uint outer, const uint len, const uint inner) {
  LINE_SCRATCH
  OFFSET(x);
  OFFSET(y);
  LINES {
    LINE_BASE
    V v;
    V peak = (V)(-INFINITY);
    EACH(c) {
      GET(T, v, x, c, -INFINITY)
      peak = SELECT(v > peak, v, peak);
    }
    peak = TOTAL_MAX(peak);

    V total = (V)(0.0f);
    EACH(c) {
      GET(T, v, x, c, -INFINITY)
      v = EXP_NEGATIVE(v - peak);
      total += v;
#if KEEP
      PUT(T, y, c, v)
#endif
    }
    total = TOTAL_SUM(total);

#if LOG
    const V shift = log(total);
#else
    const V scale = 1.0f / total;
#endif
    EACH(c) {
#if KEEP
      GET(T, v, y, c, 0.0f)
      v *= scale;
#elif LOG
      GET(T, v, x, c, 0.0f)
      v = v - peak - shift;
#else
      GET(T, v, x, c, 0.0f)
      v = EXP_NEGATIVE(v - peak) * scale;
#endif
      PUT(T, y, c, v)
    }
  }
}

// softmax: dx = y (dy - sum(dy y)).  log-softmax: dx = dy - exp(y) sum(dy). The input itself is not needed.
KERNEL void softmax_backward(IN(T, y), IN(T, dy), OUT(T, dx), const uint outer, const uint len, const uint inner) {
  LINE_SCRATCH
  OFFSET(y);
  OFFSET(dy);
  OFFSET(dx);
  LINES {
    LINE_BASE
    V v, g;
    V total = (V)(0.0f);
    EACH(c) {
      GET(T, g, dy, c, 0.0f)
#if LOG
      total += g;
#else
      GET(T, v, y, c, 0.0f)
      total += g * v;
#endif
    }
    total = TOTAL_SUM(total);
    EACH(c) {
      GET(T, v, y, c, 0.0f)
      GET(T, g, dy, c, 0.0f)
#if LOG
      g = g - EXP_NEGATIVE(v) * total;
#else
      g = v * (g - total);
#endif
      PUT(T, dx, c, g)
    }
  }
}
