// cvt: between all types, in all roundings, saturating or not.
#include <limits>
#include <type_traits>

#include "halves.hpp"
#include "reals.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

// ---- What nearly every kernel uses, as vector code. ----

// Through the source's type, then the destination's, each in the register that it has.
template <typename D, typename S>
struct Cast {
  template <typename R>
  D operator()(R a) const {
    return static_cast<D>(static_cast<S>(a));
  }
};
template <typename T>
using Register = std::conditional_t<sizeof(T) == 1, std::conditional_t<std::is_signed_v<T>, s16, u16>, T>;

template <typename D, typename S>
void cast(Warp& w, const Instr& i) {
  unary<Register<D>, Register<S>, Cast<D, S>>(w, i);
}

template <typename D>
Handler cast_from(Type source) {
  switch (source) {
    case Type::u8:
      return cast<D, u8>;
    case Type::s8:
      return cast<D, s8>;
    case Type::u16:
      return cast<D, u16>;
    case Type::s16:
      return cast<D, s16>;
    case Type::u32:
      return cast<D, u32>;
    case Type::s32:
      return cast<D, s32>;
    case Type::u64:
      return cast<D, u64>;
    case Type::s64:
      return cast<D, s64>;
    default:
      return nullptr;
  }
}
Handler cast_of(Type to, Type from) {
  switch (to) {
    case Type::u8:
      return cast_from<u8>(from);
    case Type::s8:
      return cast_from<s8>(from);
    case Type::u16:
      return cast_from<u16>(from);
    case Type::s16:
      return cast_from<s16>(from);
    case Type::u32:
      return cast_from<u32>(from);
    case Type::s32:
      return cast_from<s32>(from);
    case Type::u64:
      return cast_from<u64>(from);
    case Type::s64:
      return cast_from<s64>(from);
    default:
      return nullptr;
  }
}

struct ToFloat {
  template <typename S>
  float operator()(S a) const {
    return static_cast<float>(a);
  }
};
struct TruncateSigned {
  s32 operator()(float a) const {
    const float inside = a >= -2147483648.0f && a < 2147483648.0f ? a : 0.0f;
    const s32 v = static_cast<s32>(inside);
    return a >= 2147483648.0f ? INT32_MAX : a < -2147483648.0f ? INT32_MIN : v;
  }
};
struct Widen {
  float operator()(u16 a) const { return canonical(Half::to_float(a)); }
};
struct WidenBrain {
  float operator()(u16 a) const { return canonical(Brain::to_float(a)); }
};
struct Narrow {
  u16 operator()(float a) const { return float_to_half(a); }
};
struct NarrowBrain {
  u16 operator()(float a) const { return float_to_brain(a); }
};
struct Tf32 {  // nearest, ties away from zero
  u32 operator()(u32 a) const { return (a & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : (a + 0x1000) & ~0x1fffu; }
};

// ---- Everything else, one lane after the other. ----

enum ConvertFlags : u16 { kToInteger = 0x100, kSatFinite = 0x200, kAway = 0x400 };

bool is_integer(Type type) { return type >= Type::b8 && type <= Type::s64; }
bool is_signed(Type type) { return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64; }
int size_of(Type type) {
  return type == Type::u8 || type == Type::s8 || type == Type::b8 ? 1 : static_cast<int>(bytes_of(type));
}

struct Number {
  bool integer;
  __int128 whole;
  double real;
};

Number read(const Warp& w, const Operand& o, Type type, int k) {
  const u64 raw = o.bytes == 2 ? lanes<u16>(w, o)[k] : o.bytes == 4 ? lanes<u32>(w, o)[k] : lanes<u64>(w, o)[k];
  if (is_integer(type)) {
    const int unused = 64 - 8 * size_of(type);
    if (is_signed(type)) return {true, static_cast<s64>(raw << unused) >> unused, 0};
    return {true, static_cast<__int128>(raw << unused >> unused), 0};
  }
  if (type == Type::f16) return {false, 0, Half::to_float(static_cast<u16>(raw))};
  if (type == Type::bf16) return {false, 0, Brain::to_float(static_cast<u16>(raw))};
  if (type == Type::f64) return {false, 0, lanes<double>(w, o)[k]};
  return {false, 0, lanes<float>(w, o)[k]};
}

double to_whole(double v, unsigned mode) {
  return mode == 0 ? std::nearbyint(v) : mode == 1 ? std::trunc(v) : mode == 2 ? std::floor(v) : std::ceil(v);
}

// Out of range: the nearest end of the range, always for floats, and for integers with .sat.
u64 to_integer(const Number& n, Type type, u32 flags) {
  const int bits = 8 * size_of(type);
  const __int128 one = 1;
  const __int128 low = is_signed(type) ? -(one << (bits - 1)) : 0;
  const __int128 high = is_signed(type) ? (one << (bits - 1)) - 1 : (one << bits) - 1;
  __int128 v = n.whole;
  if (!n.integer) {
    double r = flags & kFtz ? flushed(n.real) : n.real;
    r = to_whole(r, flags & kRoundMask);
    if (r != r) return 0;
    v = r < static_cast<double>(low) ? low : r > static_cast<double>(high) ? high : static_cast<__int128>(r);
    v = v < low ? low : v > high ? high : v;
  } else if (flags & kSat) {
    v = v < low ? low : v > high ? high : v;
  }
  return static_cast<u64>(v);
}

// Not inlined: what rounds must not move away from where its rounding is set.
__attribute__((noinline)) double real_of(const Number& n, bool single) {
  if (!n.integer) return single ? static_cast<double>(static_cast<float>(n.real)) : n.real;
  if (n.whole < 0) {
    const s64 v = static_cast<s64>(n.whole);
    return single ? static_cast<double>(static_cast<float>(v)) : static_cast<double>(v);
  }
  const u64 v = static_cast<u64>(n.whole);
  return single ? static_cast<double>(static_cast<float>(v)) : static_cast<double>(v);
}

template <typename H>
u64 half_of(const Number& n, u32 flags) {
  double v = n.integer ? static_cast<double>(n.whole) : n.real;
  if (flags & kToInteger) v = to_whole(v, flags & kRoundMask);
  if (flags & kSat) v = saturated(v);
  if ((flags & kRelu) && v < 0) v = 0;
  u16 h = to_half<H>(v, flags & kToInteger ? 0 : flags & kRoundMask);
  if ((flags & kSatFinite) && (h & 0x7fff) == H::kInfinity) h -= 1;
  return h;
}

u64 to_real(const Number& n, Type type, u32 flags, bool from_single) {
  if (type == Type::f16) return half_of<Half>(n, flags);
  if (type == Type::bf16) return half_of<Brain>(n, flags);
  Number from = n;
  if ((flags & kFtz) && from_single) from.real = static_cast<double>(flushed(static_cast<float>(from.real)));
  if (flags & kToInteger) from.real = to_whole(from.real, flags & kRoundMask);
  double v;
  {
    const Rounding rounding(flags & kToInteger ? 0 : flags & kRoundMask);
    v = real_of(from, type == Type::f32);
  }
  if (flags & kSat) v = saturated(v);
  if ((flags & kRelu) && v < 0) v = 0;
  u64 raw = 0;
  if (type == Type::f64) {
    const double d = canonical(v);
    std::memcpy(&raw, &d, 8);
  } else {
    float f = canonical(static_cast<float>(v));
    if (flags & kFtz) f = flushed(f);
    std::memcpy(&raw, &f, 4);
  }
  return raw;
}

void general(Warp& w, const Instr& i) {
  const Type to = static_cast<Type>(i.imm & 0xff), from = static_cast<Type>(i.imm >> 8 & 0xff);
  u64 r[kLanes] = {};
  each_lane(w.mask, [&](int k) {
    const Number n = read(w, i.op[1], from, k);
    if (is_integer(to)) {
      const int unused = 64 - 8 * size_of(to);
      const u64 v = to_integer(n, to, i.flags);
      r[k] = is_signed(to) ? static_cast<u64>(static_cast<s64>(v << unused) >> unused) : v << unused >> unused;
    } else {
      r[k] = to_real(n, to, i.flags, from == Type::f32);
    }
  });
  if (i.op[0].bytes == 2)
    each<u16>(w, i.op[0], [&](int k) { return static_cast<u16>(r[k]); });
  else if (i.op[0].bytes == 4)
    each<u32>(w, i.op[0], [&](int k) { return static_cast<u32>(r[k]); });
  else
    each<u64>(w, i.op[0], [&](int k) { return r[k]; });
}

// cvt.rn.f16x2.f32 d, a, b: a above, b below.
template <typename H>
void pack_pair(Warp& w, const Instr& i) {
  const float *a = lanes<float>(w, i.op[1]), *b = lanes<float>(w, i.op[2]);
  each<u32>(w, i.op[0], [=](int k) {
    const u32 high = static_cast<u32>(half_of<H>({false, 0, a[k]}, i.flags));
    return high << 16 | static_cast<u32>(half_of<H>({false, 0, b[k]}, i.flags));
  });
}

// Null where only the general way will do.
Handler fast(const Decoder& d, Type to, Type from, u32 flags) {
  const std::size_t to_bytes = is_integer(to) && size_of(to) == 1 ? 2 : bytes_of(to);
  const std::size_t from_bytes = is_integer(from) && size_of(from) == 1 ? 2 : bytes_of(from);
  if (d.width(0) != to_bytes || d.width(1) != from_bytes) return nullptr;
  if (is_integer(to) && is_integer(from)) return flags & kSat ? nullptr : cast_of(to, from);
  if (flags == 0) {
    if (to == Type::f32 && from == Type::s32) return unary<float, s32, ToFloat>;
    if (to == Type::f32 && from == Type::u32) return unary<float, u32, ToFloat>;
    if (to == Type::f32 && from == Type::s64) return unary<float, s64, ToFloat>;
    if (to == Type::f32 && from == Type::f16) return unary<float, u16, Widen>;
    if (to == Type::f32 && from == Type::bf16) return unary<float, u16, WidenBrain>;
    if (to == Type::f16 && from == Type::f32) return unary<u16, float, Narrow>;
    if (to == Type::bf16 && from == Type::f32) return unary<u16, float, NarrowBrain>;
  }
  if (to == Type::s32 && from == Type::f32 && flags == (kToInteger | 1)) return unary<s32, float, TruncateSigned>;
  return nullptr;
}

}  // namespace

bool decode_convert(Decoder& d) {
  if (!d.is("cvt") || d.types() != 2 || d.has("rs")) return false;
  const Type to = d.type(0), from = d.type(1);
  d.out.flags = real_flags(d);
  if (d.has("satfinite")) d.out.flags |= kSatFinite;
  static const char* const kWhole[] = {"rni", "rzi", "rmi", "rpi"};
  for (u16 mode = 0; mode < 4; ++mode)
    if (d.has(kWhole[mode])) d.out.flags = static_cast<u16>(d.out.flags | kToInteger | mode);

  if (to == Type::f16x2 || to == Type::bf16x2) {
    if (from != Type::f32) return false;
    d.out.run = to == Type::f16x2 ? pack_pair<Half> : pack_pair<Brain>;
    d.dst(0);
    d.src(1, Type::f32);
    d.src(2, Type::f32);
    return true;
  }
  if (to == Type::tf32) {
    if (from != Type::f32 || !d.has("rna")) return false;
    d.out.run = unary<u32, u32, Tf32>;
    d.dst(0);
    d.src(1, Type::f32);
    return true;
  }
  if (to == Type::pred || from == Type::pred || from == Type::f16x2 || from == Type::bf16x2 || from == Type::tf32)
    return false;
  d.dst(0);
  d.src(1, is_integer(from) ? Type::none : from);
  d.out.imm = static_cast<s64>(to) | static_cast<s64>(from) << 8;
  d.out.run = fast(d, to, from, d.out.flags);
  if (!d.out.run) d.out.run = general;
  return true;
}

}  // namespace portico::standin::ptx::PTX_LANES
