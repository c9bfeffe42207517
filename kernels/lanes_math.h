// The functions of math.h that a formula over V may call: EXP, EXP_NEGATIVE (x <= 0, and results below 1e-38 may be 0),
// EXPM1, SOFTPLUS, TANH, POW and NORMAL_CDF. In the GPU shape they are the compiler's own. In the CPU shape they are
// straight-line code over sixteen lanes: PoCL's tanh, log1p, expm1 and pow go lane by lane or call a library for each
// lane, up to twenty times the time of the memory access beside them.
//
// Errors in units in the last place over all floats, as tests/ops/math_test.cpp finds them: EXP 1, EXPM1 1, SOFTPLUS 2,
// TANH 2.3, POW 1.6; NORMAL_CDF 5e-8 absolute. Infinities, zeros and NaN are those of C. The polynomials are minimax
// fits, found by iteratively reweighted least squares, of what their comments name.
//
// Spec:  CPU_SHAPE  (lanes.h, which includes this)

#if CPU_SHAPE
#define EXP(x) lanes_exp(x)
#define EXP_NEGATIVE(x) lanes_exp_negative(x)
#define EXPM1(x) lanes_expm1(x)
#define SOFTPLUS(x) lanes_softplus(x)
#define TANH(x) lanes_tanh(x)
#define POW(x, y) lanes_pow(x, y)
#define NORMAL_CDF(x) lanes_normal_cdf(x)
#define LANES_SELECT(c, a, b) select((float16)(b), (float16)(a), (c))

// 2^n p for whole n in [-252, 254], as two factors so that neither leaves the range of floats.
FN float16 lanes_scale(const float16 p, const int16 n) {
  const int16 half_n = n >> 1;
  return p * as_float16((half_n + 127) << 23) * as_float16((n - half_n + 127) << 23);
}

// x rounded to a whole number, as a float and as an int: adding 1.5 * 2^23 leaves it in the low bits. |x| < 2^22.
#define LANES_ROUND(x, whole, n) \
  const float16 whole##_bits = (x) + 12582912.0f; \
  const float16 whole = whole##_bits - 12582912.0f; \
  const int16 n = as_int16(whole##_bits) - 0x4b400000;

// exp(x) = 2^n exp(r), |r| <= ln(2) / 2; (exp(r) - 1 - r) / r^2 is the polynomial.
#define LANES_EXP_PARTS(x, p, n) \
  LANES_ROUND((x) * 1.4426950216f, p##_whole, n) \
  const float16 p##_r = fma(p##_whole, (float16)(1.9046542e-09f), fma(p##_whole, (float16)(-0.69314718246f), (x))); \
  float16 p = 1.3813142432e-03f; \
  p = fma(p, p##_r, (float16)(8.3694187924e-03f)); \
  p = fma(p, p##_r, (float16)(4.1668456048e-02f)); \
  p = fma(p, p##_r, (float16)(1.6666515172e-01f)); \
  p = fma(p, p##_r, (float16)(4.9999994040e-01f)); \
  p = fma(p##_r * p##_r, p, p##_r) + 1.0f;

FN float16 lanes_exp(const float16 given) {
  // Comparisons this way round keep NaN.
  const float16 x = LANES_SELECT(given > 89.0f, 89.0f, LANES_SELECT(given < -104.0f, -104.0f, given));
  LANES_EXP_PARTS(x, p, n)
  return lanes_scale(p, n);
}

// exp of what is not above 80; 0 where the result would be no normal number.
FN float16 lanes_exp_negative(const float16 x) {
  LANES_EXP_PARTS(x, p, n)
  return LANES_SELECT(x < -87.33654f, 0.0f, p * as_float16((n + 127) << 23));
}

// The same before 1 is added, then 2^n p + (2^n - 1), at half the size so that 2^128 is not needed.
FN float16 lanes_expm1(const float16 given) {
  const float16 x = LANES_SELECT(given > 89.0f, 89.0f, LANES_SELECT(given < -30.0f, -30.0f, given));
  LANES_ROUND(x * 1.4426950216f, whole, n)
  const float16 r = fma(whole, (float16)(1.9046542e-09f), fma(whole, (float16)(-0.69314718246f), x));
  float16 q = 1.9915030861e-04f;
  q = fma(q, r, (float16)(1.3942059595e-03f));
  q = fma(q, r, (float16)(8.3332713693e-03f));
  q = fma(q, r, (float16)(4.1666340083e-02f));
  q = fma(q, r, (float16)(1.6666667163e-01f));
  q = fma(q, r, (float16)(0.5f));
  const float16 p = fma(r * r, q, r);
  const float16 half_power = as_float16((n + 126) << 23);
  return 2.0f * fma(half_power, p, half_power - 0.5f);
}

// log(1 + exp(x)) = max(x, 0) + z P(z) with z = exp(-|x|), P a fit of log(1 + z) / z over [0, 1].
FN float16 lanes_softplus(const float16 x) {
  const float16 z = lanes_exp_negative(-fabs(x));
  float16 p = -3.2439806964e-03f;
  p = fma(p, z, (float16)(1.9851261750e-02f));
  p = fma(p, z, (float16)(-5.6959159672e-02f));
  p = fma(p, z, (float16)(1.0603617132e-01f));
  p = fma(p, z, (float16)(-1.5305569768e-01f));
  p = fma(p, z, (float16)(1.9675931335e-01f));
  p = fma(p, z, (float16)(-2.4954132736e-01f));
  p = fma(p, z, (float16)(3.3329963684e-01f));
  p = fma(p, z, (float16)(-4.9999901652e-01f));
  p = fma(p, z, (float16)(1.0f));
  return fma(p, z, LANES_SELECT(x < 0.0f, 0.0f, x));
}

FN float16 lanes_tanh(const float16 x) {
  const float16 a = fabs(x);
  const float16 t = lanes_expm1(-2.0f * LANES_SELECT(a > 10.0f, 10.0f, a));
  return copysign(-t / (t + 2.0f), x);
}

// x^y = 2^(y log2 |x|), the logarithm as a sum of two floats since y multiplies its error: log(m) = 2 s + s^3 P(s^2)
// with s = (m - 1) / (m + 1), and m in [sqrt(1/2), sqrt(2)).
FN float16 lanes_pow(const float16 x, const float16 y) {
  const float16 ax = fabs(x);
  // Denormal numbers are brought into the range of the others first.
  const int16 small = ax < 1.17549435e-38f;
  const float16 normal = LANES_SELECT(small, ax * 8388608.0f, ax);
  const int16 steps = (as_int16(normal) - 0x3f3504f3) >> 23;
  const float16 m = as_float16(as_int16(normal) - (steps << 23));
  const float16 e = convert_float16(steps) - LANES_SELECT(small, 23.0f, 0.0f);

  const float16 f = m - 1.0f;
  const float16 d = 2.0f + f;
  const float16 d_rest = f - (d - 2.0f);
  const float16 inverse = 1.0f / d;
  const float16 s = f * inverse;
  const float16 s_rest = fma(-s, d_rest, fma(-s, d, f)) * inverse;
  const float16 z = s * s;
  float16 p = 0.23353262246f;
  p = fma(p, z, (float16)(0.28549990058f));
  p = fma(p, z, (float16)(0.40000128746f));
  p = fma(p, z, (float16)(0.66666668653f));
  const float16 natural = 2.0f * s;
  const float16 natural_rest = fma(s * z, p, 2.0f * s_rest);

  // log2 = natural / ln(2), then the exponent in front.
  const float16 part = natural * 1.4426950216f;
  const float16 part_rest =
      fma(natural, (float16)(1.9259630e-08f), fma(natural, (float16)(1.4426950216f), -part)) +
      natural_rest * 1.4426950216f;
  const float16 log2_x = e + part;
  const float16 log2_rest = (part - (log2_x - e)) + part_rest;

  const float16 product = y * log2_x;
  const int16 far = fabs(product) > 200.0f;  // the result is 0 or infinite
  const float16 t = LANES_SELECT(far, copysign((float16)(200.0f), product), product);
  const float16 t_rest = LANES_SELECT(far, 0.0f, fma(y, log2_x, -product) + y * log2_rest);
  LANES_ROUND(t, whole, n)
  const float16 r = (t - whole) + t_rest;
  float16 q = 1.5477367560e-04f;
  q = fma(q, r, (float16)(1.3401624747e-03f));
  q = fma(q, r, (float16)(9.6180001274e-03f));
  q = fma(q, r, (float16)(5.5503245443e-02f));
  q = fma(q, r, (float16)(2.4022650719e-01f));
  q = fma(q, r, (float16)(6.9314718246e-01f));
  float16 result = lanes_scale(fma(q, r, (float16)(1.0f)), n);

  const float16 at_limit = LANES_SELECT((ax == 0.0f) == (y > 0.0f), 0.0f, INFINITY);
  result = LANES_SELECT((ax == 0.0f) | (ax == INFINITY), at_limit, result);
  const int16 whole_y = trunc(y) == y;
  const int16 odd_y = whole_y & (2.0f * trunc(0.5f * y) != y);
  const int16 negative = as_int16(x) < 0;
  result = LANES_SELECT(negative & odd_y, -result, result);
  result = LANES_SELECT(negative & (ax != 0.0f) & (ax != INFINITY) & ~whole_y, NAN, result);
  result = LANES_SELECT((x != x) | (y != y), NAN, result);
  result = LANES_SELECT((ax == 1.0f) & (fabs(y) == INFINITY), 1.0f, result);
  return LANES_SELECT((x == 1.0f) | (y == 0.0f), 1.0f, result);
}

// The standard normal distribution function: for x <= 0 exp(polynomial), a fit of log(erfc(-x / sqrt(2)) / 2) over
// [-5.8, 0], beyond which it is below 4e-9; for x > 0 one minus that.
FN float16 lanes_normal_cdf(const float16 x) {
  const float16 t = fabs(x);
  float16 q = -1.4802314929e-08f;
  q = fma(q, t, (float16)(4.6333312298e-07f));
  q = fma(q, t, (float16)(-6.2040699049e-06f));
  q = fma(q, t, (float16)(4.5006945584e-05f));
  q = fma(q, t, (float16)(-1.6711669741e-04f));
  q = fma(q, t, (float16)(-5.3261006542e-05f));
  q = fma(q, t, (float16)(4.8769372515e-03f));
  q = fma(q, t, (float16)(-3.6388576031e-02f));
  q = fma(q, t, (float16)(-3.1829571724e-01f));
  q = fma(q, t, (float16)(-7.9788595438e-01f));
  q = fma(q, t, (float16)(-6.9314718246e-01f));
  const float16 tail = LANES_SELECT(t > 5.8f, 0.0f, lanes_exp_negative(q));
  return LANES_SELECT(x > 0.0f, 1.0f - tail, tail);
}
#else
#define EXP(x) exp(x)
#define EXP_NEGATIVE(x) exp(x)
#define EXPM1(x) expm1(x)
#define SOFTPLUS(x) (fmax(x, 0.0f) + log1p(exp(-fabs(x))))
#define TANH(x) tanh(x)
#define POW(x, y) pow(x, y)
#define NORMAL_CDF(x) (0.5f * (1.0f + erf(0.7071067812f * (x))))
#endif
