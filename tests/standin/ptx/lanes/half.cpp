// Arithmetic on f16, bf16 and pairs of them: computed wider, rounded once.
#include "halves.hpp"
#include "reals.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

// float has more than twice the digits of a half and two more: for one operation, rounding twice is rounding once.
struct Add {
  float operator()(float a, float b, float) const { return a + b; }
};
struct Sub {
  float operator()(float a, float b, float) const { return a - b; }
};
struct Mul {
  float operator()(float a, float b, float) const { return a * b; }
};
struct Ex2 {
  float operator()(float a, float, float) const { return std::exp2(a); }
};
struct Tanh {
  float operator()(float a, float, float) const { return std::tanh(a); }
};
struct Min {
  float operator()(float a, float b, float) const {
    return a != a ? b : b != b ? a : a < b || (a == b && std::signbit(a)) ? a : b;
  }
};
struct Max {
  float operator()(float a, float b, float) const {
    return a != a ? b : b != b ? a : a < b || (a == b && std::signbit(a)) ? b : a;
  }
};
struct Fma {};

template <typename H, typename F>
u16 apply(u16 a, u16 b, u16 c, u32 flags) {
  const float x = H::to_float(a), y = H::to_float(b), z = H::to_float(c);
  u16 r = nearest(H(), F()(x, y, z));
  if ((flags & kNan) && (x != x || y != y)) r = H::kNotANumber;
  return r;
}

// The product is exact in double; the sum's error decides, where its double would lie on the fence between two halves.
template <typename H>
u16 fused(u16 a, u16 b, u16 c) {
  const double product = static_cast<double>(H::to_float(a)) * H::to_float(b), z = H::to_float(c);
  double s = product + z;
  const double back = s - product;
  const double error = (product - (s - back)) + (z - back);
  u64 b64;
  std::memcpy(&b64, &s, 8);
  if (error == error && error != 0 && !std::isinf(s) && (b64 & 1) == 0) {  // to odd, on the side of the error
    b64 += (error > 0) == (s > 0) ? 1 : -1;
    std::memcpy(&s, &b64, 8);
  }
  return to_half<H>(s, 0);
}

template <typename H, typename F>
u16 one(u16 a, u16 b, u16 c, u32 flags) {
  u16 r;
  if constexpr (std::is_same_v<F, Fma>)
    r = fused<H>(a, b, c);
  else
    r = apply<H, F>(a, b, c, flags);
  if (flags & kFtz && (r & 0x7fff) < (1 << H::kMantissa)) r &= 0x8000;
  if (flags & kSat) {
    const float v = H::to_float(r);
    r = v > 0 ? (v < 1 ? r : nearest(H(), 1.0f)) : 0;
  }
  if ((flags & kRelu) && (r & 0x8000) && (r & 0x7fff) <= H::kInfinity) r = 0;
  return r;
}

template <typename H, typename F, int kInputs>
void single(Warp& w, const Instr& i) {
  const u16* a = lanes<u16>(w, i.op[1]);
  const u16* b = kInputs > 1 ? lanes<u16>(w, i.op[2]) : a;
  const u16* c = kInputs > 2 ? lanes<u16>(w, i.op[3]) : a;
  const u32 flags = i.flags;
  each<u16>(w, i.op[0], [=](int k) { return one<H, F>(a[k], b[k], c[k], flags); });
}

template <typename H, typename F, int kInputs>
void paired(Warp& w, const Instr& i) {
  const u32* a = lanes<u32>(w, i.op[1]);
  const u32* b = kInputs > 1 ? lanes<u32>(w, i.op[2]) : a;
  const u32* c = kInputs > 2 ? lanes<u32>(w, i.op[3]) : a;
  const u32 flags = i.flags;
  each<u32>(w, i.op[0], [=](int k) {
    const u32 low = one<H, F>(static_cast<u16>(a[k]), static_cast<u16>(b[k]), static_cast<u16>(c[k]), flags);
    const u32 high =
        one<H, F>(static_cast<u16>(a[k] >> 16), static_cast<u16>(b[k] >> 16), static_cast<u16>(c[k] >> 16), flags);
    return high << 16 | low;
  });
}

template <typename F, int kInputs>
bool bind(Decoder& d, Type type) {
  switch (type) {
    case Type::f16:
      d.out.run = single<Half, F, kInputs>;
      break;
    case Type::bf16:
      d.out.run = single<Brain, F, kInputs>;
      break;
    case Type::f16x2:
      d.out.run = paired<Half, F, kInputs>;
      break;
    case Type::bf16x2:
      d.out.run = paired<Brain, F, kInputs>;
      break;
    default:
      return false;
  }
  d.out.flags = real_flags(d);
  d.dst(0);
  for (std::size_t p = 1; p <= kInputs; ++p) d.src(p, type);
  return true;
}

template <u32 kFlip, u32 kKeep>
struct SignBits {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>((a ^ kFlip) & kKeep);
  }
};

}  // namespace

bool decode_half(Decoder& d) {
  const Type type = d.type();
  if (d.types() > 1 || d.has("xorsign")) return false;
  if (d.is("add")) return bind<Add, 2>(d, type);
  if (d.is("sub")) return bind<Sub, 2>(d, type);
  if (d.is("mul")) return bind<Mul, 2>(d, type);
  if (d.is("fma")) return !d.has("oob") && bind<Fma, 3>(d, type);
  if (d.is("min")) return bind<Min, 2>(d, type);
  if (d.is("max")) return bind<Max, 2>(d, type);
  if (d.is("ex2")) return bind<Ex2, 1>(d, type);
  if (d.is("tanh")) return bind<Tanh, 1>(d, type);
  if (d.is("neg") || d.is("abs")) {
    const bool is_one = type == Type::f16 || type == Type::bf16, is_pair = type == Type::f16x2 || type == Type::bf16x2;
    if (!is_one && !is_pair) return false;
    if (d.is("neg"))
      d.out.run =
          is_one ? unary<u16, u16, SignBits<0x8000, 0xffff>> : unary<u32, u32, SignBits<0x80008000, 0xffffffff>>;
    else
      d.out.run = is_one ? unary<u16, u16, SignBits<0, 0x7fff>> : unary<u32, u32, SignBits<0, 0x7fff7fff>>;
    d.dst(0);
    d.src(1, type);
    return true;
  }
  return false;
}

}  // namespace portico::standin::ptx::PTX_LANES
