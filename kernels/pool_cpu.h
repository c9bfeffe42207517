// Pooling for a CPU under OpenCL: one work-item takes `rows` rows of the result, 16 channels at a time. A last piece of
// fewer channels is moved back so that it ends with the pixel; what overlaps is computed twice, to the same values.
//
// Spec:  STREAM  1: the result is larger than the caches and written past them
//        TILED   1: stride = window, no padding, no dilation
#include "past_caches.h"

#if R * S <= 64
#define UNROLL_WINDOW UNROLL
#else
#define UNROLL_WINDOW
#endif
#if STREAM
#define PAST_CACHES(y) const bool past_caches = ((ulong)(y) & 63) == 0 && c % 16 == 0;
#else
#define PAST_CACHES(y) const bool past_caches = false;
#endif
FN void put(GLOBAL float* to, const float16 v, const bool past_caches) {
  if (past_caches) {
    store_past_caches(to, v);
  } else {
    vstore16(v, 0, to);
  }
}

#if MAX
#define LOAD_WHICH(i) convert_int16(vload16(0, which + (i)))
#define CONVERT_u8(v) convert_uchar16(v)
#define CONVERT_i32(v) (v)
#define CONVERT_(T, v) CONVERT_##T(v)
#define CONVERT(T, v) CONVERT_(T, v)
#endif

// One position of the window joins what is known: the first of the largest wins, NaN is larger than all.
#if MAX && !KEEP
#define JOIN(value, index)                                                    \
  {                                                                           \
    const float16 joins = (value);                                            \
    best = select(best, joins, (joins > best) | (joins != joins));            \
  }
#define NOTHING_YET float16 best = -INFINITY;
#define DONE(place) put(y + (place), best, past_caches);
#elif MAX
#define JOIN(value, index)                                                    \
  {                                                                           \
    const float16 joins = (value);                                            \
    const int16 wins = (where < 0) | (joins > best) | (joins != joins);       \
    best = select(best, joins, wins);                                         \
    where = select(where, (int16)(index), wins);                              \
  }
#define NOTHING_YET           \
  float16 best = -INFINITY;   \
  int16 where = -1;
#define DONE(place)                                 \
  put(y + (place), best, past_caches);              \
  vstore16(CONVERT(WHICH, where), 0, which + (place));
#else
#define JOIN(value, index) sum += (value);
#define NOTHING_YET float16 sum = 0.0f;
#define DONE(place) put(y + (place), sum * scale, past_caches);
#endif

KERNEL void pool_forward(IN(REAL, x), OUT(REAL, y), OUT(WHICH, which), POOL_SIZES, const int rows) {
  OFFSET(x);
  OFFSET(y);
  OFFSET(which);
  PAST_CACHES(y)
  const int end = min((int)(GROUP_ID + 1) * rows, n * p);
  const ulong row_step = (ulong)dh * wd * c, column_step = (ulong)dw * c;
  for (int row = GROUP_ID * rows; row < end; ++row) {
    const int image = row / p, pp = row - image * p;
    const int top = pp * sh - ph;
    const bool rows_inside = top >= 0 && top + (R - 1) * dh < h;
    for (int qq = 0; qq < q; ++qq) {
      const int left = qq * sw - pw;
      const ulong place = ((ulong)row * q + qq) * c;
#if !MAX
      const float scale = 1.0f / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor);
#endif
      if (rows_inside && left >= 0 && left + (S - 1) * dw < wd) {
        // The whole window is in the image: no position needs a test.
        GLOBAL const float* const corner = x + (((ulong)image * h + top) * wd + left) * c;
        for (int next = 0; next < c; next += 16) {
          const int c0 = min(next, c - 16);
          NOTHING_YET
          UNROLL_WINDOW for (int r = 0; r < R; ++r) {
            UNROLL_WINDOW for (int s = 0; s < S; ++s) {
              JOIN(vload16(0, corner + r * row_step + s * column_step + c0), r * S + s)
            }
          }
          DONE(place + c0)
        }
        continue;
      }
      GLOBAL const float* in[R * S];
      int position[R * S], count = 0;
      UNROLL for (int r = 0; r < R; ++r) {
        UNROLL for (int s = 0; s < S; ++s) {
          const int hh = top + r * dh, ww = left + s * dw;
          if (hh >= 0 && hh < h && ww >= 0 && ww < wd) {
            in[count] = x + (((ulong)image * h + hh) * wd + ww) * c;
            position[count++] = r * S + s;
          }
        }
      }
      for (int next = 0; next < c; next += 16) {
        const int c0 = min(next, c - 16);
        NOTHING_YET
        for (int i = 0; i < count; ++i) JOIN(vload16(0, in[i] + c0), position[i])
        DONE(place + c0)
      }
    }
  }
}

#if TILED
// Windows that lie side by side: each gives its own R x S pixels of dx all they get, read once and written once.
KERNEL void pool_gradient(IN(REAL, dy), IN(WHICH, which), OUT(REAL, dx), POOL_SIZES, const int rows) {
  OFFSET(dy);
  OFFSET(which);
  OFFSET(dx);
  PAST_CACHES(dx)
  const int bands = (h + R - 1) / R, columns = (wd + S - 1) / S;
  const int end = min((int)(GROUP_ID + 1) * rows, n * bands);
  for (int row = GROUP_ID * rows; row < end; ++row) {
    const int image = row / bands, pp = row - image * bands;
    for (int qq = 0; qq < columns; ++qq) {
      const bool has_window = pp < p && qq < q;  // else what is left beyond the last whole window
      const bool whole = (pp + 1) * R <= h && (qq + 1) * S <= wd;
      const ulong place = (((ulong)image * p + pp) * q + qq) * c;
      GLOBAL float* const corner = dx + (((ulong)image * h + pp * R) * wd + qq * S) * c;
#if !MAX
      const float scale = 1.0f / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor);
#endif
      for (int next = 0; next < c; next += 16) {
        const int c0 = min(next, c - 16);
        float16 d = 0.0f;
        if (has_window) d = vload16(0, dy + place + c0);
#if MAX
        int16 at = -1;
        if (has_window) at = LOAD_WHICH(place + c0);
#else
        d *= scale;
#endif
        UNROLL_WINDOW for (int r = 0; r < R; ++r) {
          UNROLL_WINDOW for (int s = 0; s < S; ++s) {
            if (whole || (pp * R + r < h && qq * S + s < wd)) {
#if MAX
              const float16 part = select((float16)0.0f, d, at == (int16)(r * S + s));
#else
              const float16 part = d;
#endif
              put(corner + ((ulong)r * wd + s) * c + c0, part, past_caches);
            }
          }
        }
      }
    }
  }
}
#else
KERNEL void pool_gradient(IN(REAL, dy), IN(WHICH, which), OUT(REAL, dx), POOL_SIZES, const int rows) {
  OFFSET(dy);
  OFFSET(which);
  OFFSET(dx);
  PAST_CACHES(dx)
  const int end = min((int)(GROUP_ID + 1) * rows, n * h);
  for (int row = GROUP_ID * rows; row < end; ++row) {
    const int image = row / h, hh = row - image * h;
    for (int ww = 0; ww < wd; ++ww) {
      ulong places[R * S];
      int position[R * S], count = 0;
#if !MAX
      float scale[R * S];
#endif
      for (int r = R - 1; r >= 0; --r) {
        const int down = hh + ph - r * dh, pp = down / sh;
        if (down < 0 || pp * sh != down || pp >= p) continue;
        for (int s = S - 1; s >= 0; --s) {
          const int right = ww + pw - s * dw, qq = right / sw;
          if (right < 0 || qq * sw != right || qq >= q) continue;
          places[count] = (((ulong)image * p + pp) * q + qq) * c;
#if !MAX
          scale[count] = 1.0f / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor);
#endif
          position[count++] = r * S + s;
        }
      }
      const ulong place = ((ulong)row * wd + ww) * c;
      for (int next = 0; next < c; next += 16) {
        const int c0 = min(next, c - 16);
        float16 sum = 0.0f;
        for (int i = 0; i < count; ++i) {
          const float16 d = vload16(0, dy + places[i] + c0);
#if MAX
          sum += select((float16)0.0f, d, LOAD_WHICH(places[i] + c0) == (int16)position[i]);
#else
          sum = fma(d, (float16)scale[i], sum);
#endif
        }
        put(dx + place + c0, sum, past_caches);
      }
    }
  }
}
#endif
