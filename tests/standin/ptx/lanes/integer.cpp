// Integer arithmetic: add to remainder, exact as PTX says it.
#include <limits>
#include <type_traits>

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

template <typename T>
using Unsigned = std::make_unsigned_t<T>;
// Narrow types are promoted to int, whose overflow is undefined; arithmetic is done in what wraps.
template <typename T>
using Wrapping = std::conditional_t<sizeof(T) < 4, u32, Unsigned<T>>;
template <typename T>
using Wide = std::conditional_t<
    std::is_signed_v<T>, std::conditional_t<sizeof(T) == 2, s32, std::conditional_t<sizeof(T) == 4, s64, __int128>>,
    std::conditional_t<sizeof(T) == 2, u32, std::conditional_t<sizeof(T) == 4, u64, unsigned __int128>>>;

template <typename T>
T product(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}
template <typename T>
T high(T a, T b) {
  return static_cast<T>((static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b)) >> (8 * sizeof(T)));
}
template <typename T>
T sum(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return sum(a, b);
  }
};
struct Sub {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
  }
};
struct AddSaturated {
  s32 operator()(s32 a, s32 b) const {
    const s64 v = static_cast<s64>(a) + b;
    return static_cast<s32>(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
  }
};
struct SubSaturated {
  s32 operator()(s32 a, s32 b) const {
    const s64 v = static_cast<s64>(a) - b;
    return static_cast<s32>(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
  }
};
struct MulLo {
  template <typename T>
  T operator()(T a, T b) const {
    return product(a, b);
  }
};
struct MulHi {
  template <typename T>
  T operator()(T a, T b) const {
    return high(a, b);
  }
};
struct MulWide {
  template <typename T>
  Wide<T> operator()(T a, T b) const {
    return static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b);
  }
};
template <typename T>
s64 low_24(T a) {
  return std::is_signed_v<T> ? static_cast<s32>(static_cast<u32>(a) << 8) >> 8 : static_cast<s64>(a & 0xffffff);
}
struct Mul24Lo {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(low_24(a) * low_24(b));
  }
};
struct Mul24Hi {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>((low_24(a) * low_24(b)) >> 16);
  }
};
template <typename Multiply>
struct Then {  // mad
  template <typename T, typename C>
  C operator()(T a, T b, C c) const {
    return sum<C>(static_cast<C>(Multiply()(a, b)), c);
  }
};
// The hardware gives all ones for a division by zero; so nothing is undefined here.
struct Div {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Sub()(T{0}, a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <typename T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
struct Max {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
struct MinRelu {
  s32 operator()(s32 a, s32 b) const { return Max()(Min()(a, b), 0); }
};
struct MaxRelu {
  s32 operator()(s32 a, s32 b) const { return Max()(Max()(a, b), 0); }
};
struct Neg {
  template <typename T>
  T operator()(T a) const {
    return Sub()(T{0}, a);
  }
};
struct Abs {
  template <typename T>
  T operator()(T a) const {
    return a < 0 ? Sub()(T{0}, a) : a;
  }
};
struct Sad {
  template <typename T, typename C>
  C operator()(T a, T b, C c) const {
    return sum<C>(c, static_cast<C>(a < b ? Sub()(b, a) : Sub()(a, b)));
  }
};

// F for T by type; null where PTX has no such form.
template <typename F>
Handler binary_of(Type type) {
  switch (type) {
    case Type::u16:
      return binary<u16, u16, u16, F>;
    case Type::s16:
      return binary<s16, s16, s16, F>;
    case Type::u32:
      return binary<u32, u32, u32, F>;
    case Type::s32:
      return binary<s32, s32, s32, F>;
    case Type::u64:
      return binary<u64, u64, u64, F>;
    case Type::s64:
      return binary<s64, s64, s64, F>;
    default:
      return nullptr;
  }
}
template <typename F>
Handler ternary_of(Type type) {
  switch (type) {
    case Type::u16:
      return ternary<u16, u16, u16, u16, F>;
    case Type::s16:
      return ternary<s16, s16, s16, s16, F>;
    case Type::u32:
      return ternary<u32, u32, u32, u32, F>;
    case Type::s32:
      return ternary<s32, s32, s32, s32, F>;
    case Type::u64:
      return ternary<u64, u64, u64, u64, F>;
    case Type::s64:
      return ternary<s64, s64, s64, s64, F>;
    default:
      return nullptr;
  }
}
template <typename F>
Handler unary_of(Type type) {
  switch (type) {
    case Type::s16:
      return unary<s16, s16, F>;
    case Type::s32:
      return unary<s32, s32, F>;
    case Type::s64:
      return unary<s64, s64, F>;
    default:
      return nullptr;
  }
}
Handler wide_of(Type type) {
  switch (type) {
    case Type::u16:
      return binary<u32, u16, u16, MulWide>;
    case Type::s16:
      return binary<s32, s16, s16, MulWide>;
    case Type::u32:
      return binary<u64, u32, u32, MulWide>;
    case Type::s32:
      return binary<s64, s32, s32, MulWide>;
    default:
      return nullptr;
  }
}
Handler wide_then_of(Type type) {
  switch (type) {
    case Type::u16:
      return ternary<u32, u16, u16, u32, Then<MulWide>>;
    case Type::s16:
      return ternary<s32, s16, s16, s32, Then<MulWide>>;
    case Type::u32:
      return ternary<u64, u32, u32, u64, Then<MulWide>>;
    case Type::s32:
      return ternary<s64, s32, s32, s64, Then<MulWide>>;
    default:
      return nullptr;
  }
}

Type doubled(Type type) {
  return type == Type::u16 ? Type::u32 : type == Type::s16 ? Type::s32 : type == Type::u32 ? Type::u64 : Type::s64;
}

// dp4a, dp2a: four products of bytes, or two of a half word and a byte, added to c.
template <bool kSignedA, bool kSignedB, int kBytes>
void dot(Warp& w, const Instr& i) {
  const u32 *a = lanes<u32>(w, i.op[1]), *b = lanes<u32>(w, i.op[2]), *c = lanes<u32>(w, i.op[3]);
  const int first = static_cast<int>(i.flags);  // dp2a.hi takes the upper bytes of b
  each<u32>(w, i.op[0], [=](int k) {
    u32 total = c[k];
    for (int j = 0; j < 4 / kBytes; ++j) {
      const u32 x = a[k] >> (8 * kBytes * j), y = b[k] >> (8 * (j + first));
      const s32 xs = kBytes == 1 ? (kSignedA ? static_cast<s32>(static_cast<s8>(x)) : static_cast<s32>(x & 0xff))
                                 : (kSignedA ? static_cast<s32>(static_cast<s16>(x)) : static_cast<s32>(x & 0xffff));
      const s32 ys = kSignedB ? static_cast<s32>(static_cast<s8>(y)) : static_cast<s32>(y & 0xff);
      total += static_cast<u32>(xs * ys);
    }
    return total;
  });
}

template <int kBytes>
Handler dot_of(Type a, Type b) {
  if (a == Type::s32) return b == Type::s32 ? dot<true, true, kBytes> : dot<true, false, kBytes>;
  return b == Type::s32 ? dot<false, true, kBytes> : dot<false, false, kBytes>;
}

bool two(Decoder& d, Handler run, Type type) {
  if (!run) return false;
  d.out.run = run;
  d.dst(0);
  d.src(1, type);
  d.src(2, type);
  return true;
}

bool three(Decoder& d, Handler run, Type type, Type third) {
  if (!two(d, run, type)) return false;
  d.src(3, third);
  return true;
}

}  // namespace

bool decode_integer(Decoder& d) {
  const Type type = d.type();
  if (d.has("cc")) return false;
  if (d.is("add")) return two(d, d.has("sat") ? binary<s32, s32, s32, AddSaturated> : binary_of<Add>(type), type);
  if (d.is("sub")) return two(d, d.has("sat") ? binary<s32, s32, s32, SubSaturated> : binary_of<Sub>(type), type);
  if (d.is("mul"))
    return two(d, d.has("wide") ? wide_of(type) : d.has("hi") ? binary_of<MulHi>(type) : binary_of<MulLo>(type), type);
  if (d.is("mad")) {
    if (d.has("sat")) return false;
    if (d.has("wide")) return three(d, wide_then_of(type), type, doubled(type));
    return three(d, d.has("hi") ? ternary_of<Then<MulHi>>(type) : ternary_of<Then<MulLo>>(type), type, type);
  }
  if (d.is("mul24") || d.is("mad24")) {
    const bool is_signed = type == Type::s32;
    if (d.is("mul24"))
      return two(d,
                 d.has("hi") ? is_signed ? binary<s32, s32, s32, Mul24Hi> : binary<u32, u32, u32, Mul24Hi>
                 : is_signed ? binary<s32, s32, s32, Mul24Lo>
                             : binary<u32, u32, u32, Mul24Lo>,
                 type);
    if (d.has("sat")) return false;
    return three(d,
                 d.has("hi") ? is_signed ? ternary<s32, s32, s32, s32, Then<Mul24Hi>>
                                         : ternary<u32, u32, u32, u32, Then<Mul24Hi>>
                 : is_signed ? ternary<s32, s32, s32, s32, Then<Mul24Lo>>
                             : ternary<u32, u32, u32, u32, Then<Mul24Lo>>,
                 type, type);
  }
  if (d.is("div")) return two(d, binary_of<Div>(type), type);
  if (d.is("rem")) return two(d, binary_of<Rem>(type), type);
  if (d.is("min")) return two(d, d.has("relu") ? binary<s32, s32, s32, MinRelu> : binary_of<Min>(type), type);
  if (d.is("max")) return two(d, d.has("relu") ? binary<s32, s32, s32, MaxRelu> : binary_of<Max>(type), type);
  if (d.is("sad")) return three(d, ternary_of<Sad>(type), type, type);
  if (d.is("dp4a")) return three(d, dot_of<1>(type, d.type(1)), type, Type::b32);
  if (d.is("dp2a")) {
    d.out.flags = d.has("hi") ? 2 : 0;
    return three(d, dot_of<2>(type, d.type(1)), type, Type::b32);
  }
  if (d.is("neg") || d.is("abs")) {
    d.out.run = d.is("neg") ? unary_of<Neg>(type) : unary_of<Abs>(type);
    if (!d.out.run) return false;
    d.dst(0);
    d.src(1, type);
    return true;
  }
  return false;
}

}  // namespace portico::standin::ptx::PTX_LANES
