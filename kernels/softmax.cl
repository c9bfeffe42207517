// Softmax and log-softmax along a line, and their gradients.
//
// Spec:  T  storage type of x, y, dy, dx (the arithmetic is float)    LOG  1: log-softmax
//        KEEP  where the exponentials stay until their sum is known: 1 in y (f32 only: halves would round them twice),
//              2 in private memory (WALK 0, lines of at most KEPT lanes), 0 nowhere: they are computed twice
//        WALK, WG, STREAM, CPU_SHAPE (line.h)
#include "line.h"

KERNEL void softmax_forward(IN(T, x), OUT(T, y), const uint outer, const uint len, const uint inner) {
  LINE_SCRATCH
  OFFSET(x);
  OFFSET(y);
  LINES {
    LINE_BASE
    V v;
    V peak = (V)(-INFINITY);
#if KEEP == 2
    V kept[KEPT / 16];
#endif
    EACH(c) {
      GET(T, v, x, c, -INFINITY)
#if KEEP == 2
      kept[c / 16] = v;
#endif
      peak = SELECT(v > peak, v, peak);
    }
    peak = TOTAL_MAX(peak);

    V total = (V)(0.0f);
    EACH(c) {
#if KEEP == 2
      v = kept[c / 16];
#else
      GET(T, v, x, c, -INFINITY)
#endif
      v = EXP_NEGATIVE(v - peak);
      total += v;
#if KEEP == 1
      PUT(T, y, c, v)
#elif KEEP == 2 && !LOG
      kept[c / 16] = v;
#endif
    }
    total = TOTAL_SUM(total);

#if LOG
    const V shift = log(total);
#else
    const V scale = 1.0f / total;
#endif
    EACH(c) {
#if KEEP == 2 && LOG
      v = kept[c / 16] - peak - shift;
#elif KEEP == 2
      v = kept[c / 16] * scale;
#elif LOG
      GET(T, v, x, c, 0.0f)
      v = v - peak - shift;
#elif KEEP == 1
      GET(T, v, y, c, 0.0f)
      v *= scale;
#else
      GET(T, v, x, c, 0.0f)
      v = EXP_NEGATIVE(v - peak) * scale;
#endif
      PUT_LAST(T, y, c, v)
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
      PUT_LAST(T, dx, c, g)
    }
  }
}
