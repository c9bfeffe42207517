// Pooling for a CPU under OpenCL: one work-item takes `rows` rows of the result, 16 channels at a time. A last piece of
// fewer channels is moved back so that it ends with the pixel; what overlaps is computed twice, to the same values.

#if MAX
#define LOAD_WHICH(i) convert_int16(vload16(0, which + (i)))
#define CONVERT_u8(v) convert_uchar16(v)
#define CONVERT_i32(v) (v)
#define CONVERT_(T, v) CONVERT_##T(v)
#define CONVERT(T, v) CONVERT_(T, v)
#endif

KERNEL void pool_forward(IN(REAL, x), OUT(REAL, y), OUT(WHICH, which), POOL_SIZES, const int rows) {
  OFFSET(x);
  OFFSET(y);
  OFFSET(which);
  const int end = min((int)(GROUP_ID + 1) * rows, n * p);
  for (int row = GROUP_ID * rows; row < end; ++row) {
    const int image = row / p, pp = row - image * p;
    for (int qq = 0; qq < q; ++qq) {
      GLOBAL const float* in[R * S];
      int position[R * S], count = 0;
      UNROLL for (int r = 0; r < R; ++r) {
        UNROLL for (int s = 0; s < S; ++s) {
          const int hh = pp * sh - ph + r * dh, ww = qq * sw - pw + s * dw;
          if (hh >= 0 && hh < h && ww >= 0 && ww < wd) {
            in[count] = x + (((ulong)image * h + hh) * wd + ww) * c;
            position[count++] = r * S + s;
          }
        }
      }
      const ulong place = ((ulong)row * q + qq) * c;
#if !MAX
      const float scale = 1.0f / (float)pool_area(pp, qq, h, wd, sh, sw, ph, pw, padded, divisor);
#endif
      for (int next = 0; next < c; next += 16) {
        const int c0 = min(next, c - 16);
#if MAX
        float16 best = -INFINITY;
        int16 where = -1;
        for (int i = 0; i < count; ++i) {
          const float16 value = vload16(0, in[i] + c0);
          const int16 wins = (where < 0) | (value > best) | (value != value);
          best = select(best, value, wins);
          where = select(where, (int16)position[i], wins);
        }
        vstore16(best, 0, y + place + c0);
#if KEEP
        vstore16(CONVERT(WHICH, where), 0, which + place + c0);
#endif
#else
        float16 sum = 0.0f;
        for (int i = 0; i < count; ++i) sum += vload16(0, in[i] + c0);
        vstore16(sum * scale, 0, y + place + c0);
#endif
      }
    }
  }
}

KERNEL void pool_gradient(IN(REAL, dy), IN(WHICH, which), OUT(REAL, dx), POOL_SIZES, const int rows) {
  OFFSET(dy);
  OFFSET(which);
  OFFSET(dx);
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
        vstore16(sum, 0, dx + place + c0);
      }
    }
  }
}
