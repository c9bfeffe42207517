// Arithmetic on float and double, exact and in all roundings.
#include "reals.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

struct Add {
  template <typename T>
  T operator()(T a, T b, T) const {
    return a + b;
  }
};
struct Sub {
  template <typename T>
  T operator()(T a, T b, T) const {
    return a - b;
  }
};
struct Mul {
  template <typename T>
  T operator()(T a, T b, T) const {
    return a * b;
  }
};
struct Div {
  template <typename T>
  T operator()(T a, T b, T) const {
    return a / b;
  }
};
struct Fma {
  float operator()(float a, float b, float c) const { return __builtin_fmaf(a, b, c); }
  double operator()(double a, double b, double c) const { return __builtin_fma(a, b, c); }
};
struct Sqrt {
  template <typename T>
  T operator()(T a, T, T) const {
    return std::sqrt(a);
  }
};
struct Rcp {
  template <typename T>
  T operator()(T a, T, T) const {
    return T{1} / a;
  }
};
template <bool kMin, bool kPropagate>
struct Extreme {
  template <typename T>
  T operator()(T a, T b, T) const {
    const bool a_is = a == a, b_is = b == b;
    if (kPropagate && !(a_is && b_is)) return std::numeric_limits<T>::quiet_NaN();
    const T less = a < b || (a == b && std::signbit(a)) ? a : b;
    const T more = a < b || (a == b && std::signbit(a)) ? b : a;
    return !a_is ? b : !b_is ? a : kMin ? less : more;
  }
};

// The plain form: round to nearest, nothing flushed.
template <typename T, typename F, int kInputs>
void plain(Warp& w, const Instr& i) {
  const T* a = lanes<T>(w, i.op[1]);
  const T* b = kInputs > 1 ? lanes<T>(w, i.op[2]) : a;
  const T* c = kInputs > 2 ? lanes<T>(w, i.op[3]) : a;
  each<T>(w, i.op[0], [=](int k) { return canonical(F()(a[k], b[k], c[k])); });
}

// Not inlined: nothing of it may move to where another rounding holds.
template <typename T, typename F>
__attribute__((noinline)) void compute(const T* a, const T* b, const T* c, T* r) {
  for (int k = 0; k < kLanes; ++k) r[k] = F()(a[k], b[k], c[k]);
}

template <typename T, typename F, int kInputs>
void modified(Warp& w, const Instr& i) {
  T in[3][kLanes] = {}, r[kLanes];
  for (int p = 0; p < kInputs; ++p) {
    const T* from = lanes<T>(w, i.op[1 + p]);
    for (int k = 0; k < kLanes; ++k) in[p][k] = i.flags & kFtz ? flushed(from[k]) : from[k];
  }
  {
    const Rounding rounding(i.flags & kRoundMask);
    compute<T, F>(in[0], in[1], in[2], r);
  }
  if (i.flags & kFtz)
    for (T& v : r) v = flushed(v);
  if (i.flags & kSat)
    for (T& v : r) v = saturated(v);
  if (i.flags & kRelu)
    for (T& v : r) v = v < 0 ? T{0} : v;
  each<T>(w, i.op[0], [&](int k) { return canonical(r[k]); });
}

template <typename F, int kInputs>
bool bind(Decoder& d, Type type) {
  if (type != Type::f32 && type != Type::f64) return false;
  d.out.flags = real_flags(d);
  const bool is_modified = (d.out.flags & ~kNan) != 0;
  if (type == Type::f32)
    d.out.run = is_modified ? modified<float, F, kInputs> : plain<float, F, kInputs>;
  else
    d.out.run = is_modified ? modified<double, F, kInputs> : plain<double, F, kInputs>;
  d.dst(0);
  for (std::size_t p = 1; p <= kInputs; ++p) d.src(p, type);
  return true;
}

// Signs are bits: they change without a look at the value.
template <typename T>
struct NegBits {
  T operator()(T a) const { return a ^ (T{1} << (8 * sizeof(T) - 1)); }
};
template <typename T>
struct AbsBits {
  T operator()(T a) const { return a & ~(T{1} << (8 * sizeof(T) - 1)); }
};
template <typename T>
struct CopySign {  // PTX: the sign of the first operand, the value of the second
  T operator()(T a, T b) const {
    constexpr T kSign = T{1} << (8 * sizeof(T) - 1);
    return (b & ~kSign) | (a & kSign);
  }
};
struct NegFtz {
  u32 operator()(u32 a) const { return ((a & 0x7f800000) == 0 ? a & 0x80000000 : a) ^ 0x80000000; }
};
struct AbsFtz {
  u32 operator()(u32 a) const { return (a & 0x7f800000) == 0 ? 0 : a & 0x7fffffff; }
};

enum Test : u16 { kFinite, kInfinite, kNumber, kNotANumber, kNormal, kSubnormal };

template <typename T>
void testp(Warp& w, const Instr& i) {
  const T* a = lanes<T>(w, i.op[1]);
  u32 result = 0;
  for (int k = 0; k < kLanes; ++k) {
    const int kind = std::fpclassify(a[k]);
    bool yes = false;
    switch (i.flags) {
      case kFinite:
        yes = kind != FP_INFINITE && kind != FP_NAN;
        break;
      case kInfinite:
        yes = kind == FP_INFINITE;
        break;
      case kNumber:
        yes = kind != FP_NAN;
        break;
      case kNotANumber:
        yes = kind == FP_NAN;
        break;
      case kNormal:
        yes = kind == FP_NORMAL;
        break;
      default:
        yes = kind == FP_SUBNORMAL;
        break;
    }
    result |= static_cast<u32>(yes) << k;
  }
  set_bits(w, i.op[0], result);
}

bool decode_sign(Decoder& d, Type type) {
  const bool wide = type == Type::f64;
  if (type != Type::f32 && !wide) return false;
  if (d.is("copysign"))
    d.out.run = wide ? binary<u64, u64, u64, CopySign<u64>> : binary<u32, u32, u32, CopySign<u32>>;
  else if (d.is("neg"))
    d.out.run = wide           ? unary<u64, u64, NegBits<u64>>
                : d.has("ftz") ? unary<u32, u32, NegFtz>
                               : unary<u32, u32, NegBits<u32>>;
  else
    d.out.run = wide           ? unary<u64, u64, AbsBits<u64>>
                : d.has("ftz") ? unary<u32, u32, AbsFtz>
                               : unary<u32, u32, AbsBits<u32>>;
  d.dst(0);
  d.src(1, type);
  if (d.is("copysign")) d.src(2, type);
  return true;
}

bool decode_testp(Decoder& d, Type type) {
  static const char* const kTests[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
  if (type != Type::f32 && type != Type::f64) return false;
  for (u16 t = 0; t < 6; ++t)
    if (d.has(kTests[t])) d.out.flags = t;
  d.out.run = type == Type::f32 ? testp<float> : testp<double>;
  d.dst(0);
  d.src(1, type);
  return true;
}

}  // namespace

bool decode_real(Decoder& d) {
  const Type type = d.type();
  if (d.has("xorsign") || d.types() > 1) return false;
  if (d.is("add")) return bind<Add, 2>(d, type);
  if (d.is("sub")) return bind<Sub, 2>(d, type);
  if (d.is("mul")) return bind<Mul, 2>(d, type);
  if (d.is("div")) return bind<Div, 2>(d, type);
  if (d.is("fma") || d.is("mad")) return bind<Fma, 3>(d, type);
  if (d.is("sqrt")) return bind<Sqrt, 1>(d, type);
  if (d.is("rcp")) return bind<Rcp, 1>(d, type);
  if (d.is("min") || d.is("max")) {
    if (d.args() != 3) return false;
    const bool propagate = d.has("NaN");
    if (d.is("min")) return propagate ? bind<Extreme<true, true>, 2>(d, type) : bind<Extreme<true, false>, 2>(d, type);
    return propagate ? bind<Extreme<false, true>, 2>(d, type) : bind<Extreme<false, false>, 2>(d, type);
  }
  if (d.is("neg") || d.is("abs") || d.is("copysign")) return decode_sign(d, type);
  if (d.is("testp")) return decode_testp(d, type);
  return false;
}

// ---- The approximate functions: at least as near to the truth as PTX promises. ----
namespace {

struct Rsqrt {
  float operator()(float a) const { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
  double operator()(double a) const { return 1.0 / std::sqrt(a); }
};
struct Sin {
  float operator()(float a) const { return std::sin(a); }
};
struct Cos {
  float operator()(float a) const { return std::cos(a); }
};
struct Lg2 {
  float operator()(float a) const { return std::log2(a); }
};
struct Ex2 {
  float operator()(float a) const { return std::exp2(a); }
};
struct Tanh {
  float operator()(float a) const { return std::tanh(a); }
};

template <typename T, typename F>
void approximate(Warp& w, const Instr& i) {
  const T* a = lanes<T>(w, i.op[1]);
  T r[kLanes];
  const bool ftz = i.flags & kFtz;
  each_lane(w.mask, [&](int k) {
    r[k] = F()(ftz ? flushed(a[k]) : a[k]);
    if (ftz) r[k] = flushed(r[k]);
  });
  each<T>(w, i.op[0], [&](int k) { return canonical(r[k]); });
}

}  // namespace

bool decode_approximate(Decoder& d) {
  const Type type = d.type();
  if (d.is("rsqrt") && type == Type::f64)
    d.out.run = approximate<double, Rsqrt>;
  else if (type != Type::f32)
    return false;
  else if (d.is("rsqrt"))
    d.out.run = approximate<float, Rsqrt>;
  else if (d.is("sin"))
    d.out.run = approximate<float, Sin>;
  else if (d.is("cos"))
    d.out.run = approximate<float, Cos>;
  else if (d.is("lg2"))
    d.out.run = approximate<float, Lg2>;
  else if (d.is("ex2"))
    d.out.run = approximate<float, Ex2>;
  else if (d.is("tanh"))
    d.out.run = approximate<float, Tanh>;
  else
    return false;
  d.out.flags = real_flags(d);
  d.dst(0);
  d.src(1, type);
  return true;
}

}  // namespace portico::standin::ptx::PTX_LANES
