// Losses on index labels, a line a sample: cross-entropy (softmax and negative log-likelihood in one) and the likelihood
// alone. A label outside [0, len) that is not ignore_index counts for nothing and is reported.
//
// Spec:  T  storage type of x and dx      NLL  1: x holds log-probabilities      SMOOTH  1: label smoothing
//        MEAN  backward: 1: one dy for all, times scale[0]; 2: one dy for all; 0: a dy for each sample
//        WALK (0, 2 or 3), WG, CPU_SHAPE (line.h)
#include "line.h"

#define COUNTS(label) ((label) != ignore && (label) >= 0 && (uint)(label) < len)

// stats[2 row] is the line's largest logit, stats[2 row + 1] the logarithm of the sum of exp(x - largest): kept apart,
// because their sum would cancel in the gradient.
KERNEL void loss_forward(IN(T, x), IN(i32, labels), OUT(f32, losses), OUT(f32, stats), OUT(i32, report), const uint outer,
                         const uint len, const int ignore, const float smoothing) {
  LINE_SCRATCH
  const uint inner = 1;
  OFFSET(x);
  OFFSET(labels);
  OFFSET(losses);
  OFFSET(stats);
  OFFSET(report);
  LINES {
    LINE_BASE
    const int label = labels[unit];
    const bool counts = COUNTS(label);
    float loss = 0.0f;
#if !NLL
    V v;
    V peak = (V)(-INFINITY);
    EACH(c) {
      GET(T, v, x, c, -INFINITY)
      peak = fmax(peak, v);
    }
    peak = TOTAL_MAX(peak);
    V total = (V)(0.0f);
    EACH(c) {
      GET(T, v, x, c, -INFINITY)
      total += EXP_NEGATIVE(v - peak);
    }
    total = TOTAL_SUM(total);
    const float top = FIRST_OF(peak);
    const float spread = log(FIRST_OF(total));
#else
    const float top = 0.0f, spread = 0.0f;
#endif
#if SMOOTH
    V part;
    V sum = (V)(0.0f);
    EACH(c) {
      GET(T, part, x, c, 0.0f)
      sum += part;
    }
    sum = TOTAL_SUM(sum);
    const float average = FIRST_OF(sum) / (float)len;
#endif
    if (LEADS) {
      if (counts) {
        const float hit = LOAD_AS(T, x, base + (uint)label);
#if SMOOTH
        loss = spread + (1.0f - smoothing) * (top - hit) + smoothing * (top - average);
#else
        loss = spread + (top - hit);
#endif
      } else if (label != ignore) {
        // The first to come writes all; the host reads once the work is done.
        if (ATOMIC_CAS(report, 0, 1) == 0) {
          report[1] = label;
          report[2] = (int)unit;
          report[3] = (int)len;
        }
      }
      losses[unit] = loss;
      stats[2 * unit] = top;
      stats[2 * unit + 1] = spread;
    }
  }
  (void)smoothing;
}

KERNEL void loss_backward(IN(T, x), IN(i32, labels), IN(f32, stats), IN(T, dy), IN(f32, scale), OUT(T, dx),
                          const uint outer, const uint len, const int ignore, const float smoothing) {
  LINE_SCRATCH
  const uint inner = 1;
  OFFSET(x);
  OFFSET(labels);
  OFFSET(stats);
  OFFSET(dy);
  OFFSET(scale);
  OFFSET(dx);
  LINES {
    LINE_BASE
    const int label = labels[unit];
#if MEAN
    float weight = LOAD_AS(T, dy, 0);
#else
    float weight = LOAD_AS(T, dy, unit);
#endif
#if MEAN == 1
    weight *= scale[0];
#endif
    if (!COUNTS(label)) weight = 0.0f;
    const float top = stats[2 * unit], spread = stats[2 * unit + 1];
    EACH(c) {
      V v;
#if NLL
      v = (V)(0.0f);
#else
      GET(T, v, x, c, 0.0f)
      v = EXP_NEGATIVE(v - top - spread);
#endif
      v = v - SELECT(POSITION(c) == (uvec)((uint)label), (V)(1.0f - smoothing), (V)(0.0f)) - smoothing / (float)len;
      v = SELECT((V)(weight) == 0.0f, (V)(0.0f), v * weight);  // an ignored line may hold anything
      PUT(T, dx, c, v)
    }
    (void)top;
    (void)spread;
  }
  (void)scale;
}
