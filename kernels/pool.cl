// Max and average pooling over windows of channels-last images, and their gradients. The gradients gather: an element of
// dx adds up what the windows over it hand back, in the windows' order, so nothing is added atomically and overlapping
// windows give the same result every time.
//
// x [n, h, wd, c], y [n, p, q, c]; the window of (p, q) covers the rows p * sh - ph + r * dh, r < R, and likewise columns.
//
// Spec:  REAL       storage type
//        MAX        1: the maximum, NaN winning, the first of equals; 0: the average
//        R, S       the window (loop bounds: small windows are unrolled)
//        WHICH      maximum: type that holds r * S + s of the maximum (u8 up to 256 positions, else i32)
//        KEEP       maximum: 1 writes `which` for the gradient
//        CPU_SHAPE  1: pool_cpu.h, f32 with at least 16 channels only
#define POOL_SIZES                                                                                                  \
  const int n, const int h, const int wd, const int c, const int p, const int q, const int sh, const int sw, const int ph, \
      const int pw, const int dh, const int dw, const int padded, const int divisor

// Number of elements that the average of window (pp, qq) divides by: `divisor` when given, else the window's area, with
// (padded) or without the padding. What ceil mode adds beyond the padding never counts.
FN int pool_area(const int pp, const int qq, const int h, const int wd, const int sh, const int sw, const int ph,
                 const int pw, const int padded, const int divisor) {
  if (divisor) return divisor;
  const int h0 = pp * sh - ph, w0 = qq * sw - pw;
  const int h1 = min(h0 + R, padded ? h + ph : h), w1 = min(w0 + S, padded ? wd + pw : wd);
  return padded ? (h1 - h0) * (w1 - w0) : (h1 - max(h0, 0)) * (w1 - max(w0, 0));
}

#if CPU_SHAPE
#include "pool_cpu.h"
#else
KERNEL void pool_forward(IN(REAL, x), OUT(REAL, y), OUT(WHICH, which), POOL_SIZES) {
  OFFSET(x);
  OFFSET(y);
  OFFSET(which);
  const uint count = (uint)n * p * q * c;
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    const int ch = i % c, qq = i / c % q, pp = i / c / q % p, image = i / c / q / p;
    const ulong from = (ulong)image * h * wd * c + ch;
#if MAX
    float best = -INFINITY;
    int where = -1;
#else
    float best = 0.0f;
#endif
    for (int r = 0; r < R; ++r) {
      const int hh = pp * sh - ph + r * dh;
      if (hh < 0 || hh >= h) continue;
      for (int s = 0; s < S; ++s) {
        const int ww = qq * sw - pw + s * dw;
        if (ww < 0 || ww >= wd) continue;
        const float value = LOAD(x, from + (ulong)(hh * wd + ww) * c);
#if MAX
        if (where < 0 || value > best || value != value) {
          best = value;
          where = r * S + s;
        }
#else
        best += value;
#endif
      }
    }
#if MAX
    STORE(y, i, best);
#if KEEP
    STORE_AS(WHICH, which, i, where);
#endif
#else
    STORE(y, i, best / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor));
#endif
  }
}

KERNEL void pool_gradient(IN(REAL, dy), IN(WHICH, which), OUT(REAL, dx), POOL_SIZES) {
  OFFSET(dy);
  OFFSET(which);
  OFFSET(dx);
  const uint count = (uint)n * h * wd * c;
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    const int ch = i % c, ww = i / c % wd, hh = i / c / wd % h, image = i / c / wd / h;
    float sum = 0.0f;
    for (int r = R - 1; r >= 0; --r) {
      const int down = hh + ph - r * dh;
      if (down < 0 || down % sh != 0 || down / sh >= p) continue;
      for (int s = S - 1; s >= 0; --s) {
        const int right = ww + pw - s * dw;
        if (right < 0 || right % sw != 0 || right / sw >= q) continue;
        const int pp = down / sh, qq = right / sw;
        const ulong place = (((ulong)image * p + pp) * q + qq) * c + ch;
#if MAX
        if (LOAD_AS(WHICH, which, place) == r * S + s) sum += LOAD(dy, place);
#else
        sum += LOAD(dy, place) / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor);
#endif
      }
    }
    STORE(dx, i, sum);
  }
}
#endif
