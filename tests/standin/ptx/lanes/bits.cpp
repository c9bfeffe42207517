// Logic, shifts, fields of bits, and additions that carry.
#include <type_traits>

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

struct And {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <typename T>
  T operator()(T a) const {
    return static_cast<T>(~a);
  }
};
struct Cnot {
  template <typename T>
  T operator()(T a) const {
    return a == 0;
  }
};
// Amounts beyond the width are clamped to it.
struct Shl {
  template <typename T>
  T operator()(T a, u32 n) const {
    return n < 8 * sizeof(T) ? static_cast<T>(a << n) : T{0};
  }
};
struct Shr {
  template <typename T>
  T operator()(T a, u32 n) const {
    constexpr u32 kBits = 8 * sizeof(T);
    if (std::is_signed_v<T>) return static_cast<T>(a >> (n < kBits ? n : kBits - 1));
    return n < kBits ? static_cast<T>(a >> n) : T{0};
  }
};
struct Popc {
  template <typename T>
  u32 operator()(T a) const {
    return static_cast<u32>(__builtin_popcountll(a));
  }
};
struct Clz {
  u32 operator()(u32 a) const { return a == 0 ? 32 : static_cast<u32>(__builtin_clz(a)); }
  u32 operator()(u64 a) const { return a == 0 ? 64 : static_cast<u32>(__builtin_clzll(a)); }
};
// The place of the highest bit that differs from the sign; with shiftamt, how far to shift it to the top.
template <bool kShift>
struct Bfind {
  template <typename T>
  u32 operator()(T a) const {
    const auto bits = static_cast<std::make_unsigned_t<T>>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (bits == 0) return 0xffffffff;
    const u32 zeros = Clz()(bits);
    return kShift ? zeros : static_cast<u32>(8 * sizeof(T)) - 1 - zeros;
  }
};
struct Brev {
  template <typename T>
  T operator()(T a) const {
    T r = 0;
    for (unsigned b = 0; b < 8 * sizeof(T); ++b) r = static_cast<T>(r << 1 | (a >> b & 1));
    return r;
  }
};
struct Bfe {
  template <typename T>
  T operator()(T a, u32 position, u32 length) const {
    constexpr u32 kBits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    if (length == 0) return 0;
    using U = std::make_unsigned_t<T>;
    const u32 top = position + length - 1 < kBits - 1 ? position + length - 1 : kBits - 1;
    const bool sign = std::is_signed_v<T> && (static_cast<U>(a) >> top & 1);
    U r = position < kBits ? static_cast<U>(a) >> position : 0;
    if (length < kBits) r &= (U{1} << length) - 1;
    // Bits from beyond the top of a, and those above the field, are the field's sign.
    const u32 have = position < kBits ? top - position + 1 : 0;
    if (sign) r |= have < kBits ? ~U{0} << have : 0;
    return static_cast<T>(r);
  }
};
struct Bmsk {
  u32 operator()(u32 position, u32 length) const {
    const u32 ones = length < 32 ? (1u << length) - 1 : 0xffffffff;
    return position < 32 ? ones << position : 0;
  }
};

template <typename T>
void bfi(Warp& w, const Instr& i) {
  const T *a = lanes<T>(w, i.op[1]), *b = lanes<T>(w, i.op[2]);
  const u32 *position = lanes<u32>(w, i.op[3]), *length = lanes<u32>(w, i.op[4]);
  each<T>(w, i.op[0], [=](int k) {
    constexpr u32 kBits = 8 * sizeof(T);
    const u32 p = position[k] & 0xff, n = length[k] & 0xff;
    if (p >= kBits || n == 0) return b[k];
    const T field = static_cast<T>((n < kBits ? (T{1} << n) - 1 : ~T{0}) << p);
    return static_cast<T>((b[k] & ~field) | ((a[k] << p) & field));
  });
}

struct ShfLeft {
  u32 operator()(u32 a, u32 b, u32 n) const { return static_cast<u32>(((static_cast<u64>(b) << 32 | a) << n) >> 32); }
};
struct ShfRight {
  u32 operator()(u32 a, u32 b, u32 n) const { return static_cast<u32>((static_cast<u64>(b) << 32 | a) >> n); }
};
template <typename Shift, bool kWrap>
struct Amount {
  u32 operator()(u32 a, u32 b, u32 n) const {
    if (kWrap) return Shift()(a, b, n & 31);
    return n < 32 ? Shift()(a, b, n) : std::is_same_v<Shift, ShfLeft> ? a : b;
  }
};

void lop3(Warp& w, const Instr& i) {
  const u32 *a = lanes<u32>(w, i.op[1]), *b = lanes<u32>(w, i.op[2]), *c = lanes<u32>(w, i.op[3]);
  u32 pick[8];  // all ones where the table has a one
  for (u32 row = 0; row < 8; ++row) pick[row] = i.imm >> row & 1 ? 0xffffffff : 0;
  each<u32>(w, i.op[0], [&](int k) {
    const u32 x = a[k], y = b[k], z = c[k];
    return (pick[0] & ~x & ~y & ~z) | (pick[1] & ~x & ~y & z) | (pick[2] & ~x & y & ~z) | (pick[3] & ~x & y & z) |
           (pick[4] & x & ~y & ~z) | (pick[5] & x & ~y & z) | (pick[6] & x & y & ~z) | (pick[7] & x & y & z);
  });
}

enum PrmtMode : u16 { kIndexed, kF4e, kB4e, kRc8, kEcl, kEcr, kRc16 };

u32 selector_of(u32 mode, u32 c) {
  const u32 n = c & 3;
  static const u32 kRows[7][4] = {{},
                                  {0x3210, 0x4321, 0x5432, 0x6543},
                                  {0x5670, 0x6701, 0x7012, 0x0123},
                                  {0x0000, 0x1111, 0x2222, 0x3333},
                                  {0x3210, 0x3211, 0x3222, 0x3333},
                                  {0x0000, 0x1110, 0x2210, 0x3210},
                                  {0x1010, 0x3232, 0x1010, 0x3232}};
  return mode == kIndexed ? c : kRows[mode][n];
}

void prmt(Warp& w, const Instr& i) {
  const u32 *a = lanes<u32>(w, i.op[1]), *b = lanes<u32>(w, i.op[2]), *c = lanes<u32>(w, i.op[3]);
  const u32 mode = i.flags;
  each<u32>(w, i.op[0], [=](int k) {
    const u64 both = static_cast<u64>(b[k]) << 32 | a[k];
    const u32 selector = selector_of(mode, c[k]);
    u32 r = 0;
    for (int j = 0; j < 4; ++j) {
      const u32 s = selector >> (4 * j);
      u32 byte = static_cast<u32>(both >> (8 * (s & 7))) & 0xff;
      if (s & 8) byte = byte & 0x80 ? 0xff : 0;
      r |= byte << (8 * j);
    }
    return r;
  });
}

template <int kOperation>
void predicate_logic(Warp& w, const Instr& i) {
  const u32 a = bits(w, i.op[1]);
  if (kOperation == 3) return set_bits(w, i.op[0], ~a);
  const u32 b = bits(w, i.op[2]);
  set_bits(w, i.op[0], kOperation == 0 ? a & b : kOperation == 1 ? a | b : a ^ b);
}

template <typename F>
Handler logic_of(std::size_t bytes) {
  return bytes == 2 ? binary<u16, u16, u16, F> : bytes == 4 ? binary<u32, u32, u32, F> : binary<u64, u64, u64, F>;
}

bool bind(Decoder& d, Handler run, Type a, Type b = Type::none, Type c = Type::none) {
  if (!run) return false;
  d.out.run = run;
  d.dst(0);
  d.src(1, a);
  if (b != Type::none) d.src(2, b);
  if (c != Type::none) d.src(3, c);
  return true;
}

bool decode_logic(Decoder& d, Type type) {
  if (type == Type::pred) {
    if (d.is("not")) return bind(d, predicate_logic<3>, type);
    return bind(d, d.is("and") ? predicate_logic<0> : d.is("or") ? predicate_logic<1> : predicate_logic<2>, type, type);
  }
  const std::size_t bytes = bytes_of(type);
  if (d.is("and")) return bind(d, logic_of<And>(bytes), type, type);
  if (d.is("or")) return bind(d, logic_of<Or>(bytes), type, type);
  if (d.is("xor")) return bind(d, logic_of<Xor>(bytes), type, type);
  if (d.is("not"))
    return bind(d, bytes == 2 ? unary<u16, u16, Not> : bytes == 4 ? unary<u32, u32, Not> : unary<u64, u64, Not>, type);
  return bind(d, bytes == 2 ? unary<u16, u16, Cnot> : bytes == 4 ? unary<u32, u32, Cnot> : unary<u64, u64, Cnot>, type);
}

Handler shift_of(bool left, Type type) {
  const std::size_t bytes = bytes_of(type);
  if (left)
    return bytes == 2   ? binary<u16, u16, u32, Shl>
           : bytes == 4 ? binary<u32, u32, u32, Shl>
                        : binary<u64, u64, u32, Shl>;
  switch (type) {
    case Type::s16:
      return binary<s16, s16, u32, Shr>;
    case Type::s32:
      return binary<s32, s32, u32, Shr>;
    case Type::s64:
      return binary<s64, s64, u32, Shr>;
    default:
      return bytes == 2   ? binary<u16, u16, u32, Shr>
             : bytes == 4 ? binary<u32, u32, u32, Shr>
                          : binary<u64, u64, u32, Shr>;
  }
}

Handler bfind_of(Type type, bool shift) {
  switch (type) {
    case Type::u32:
      return shift ? unary<u32, u32, Bfind<true>> : unary<u32, u32, Bfind<false>>;
    case Type::s32:
      return shift ? unary<u32, s32, Bfind<true>> : unary<u32, s32, Bfind<false>>;
    case Type::u64:
      return shift ? unary<u32, u64, Bfind<true>> : unary<u32, u64, Bfind<false>>;
    case Type::s64:
      return shift ? unary<u32, s64, Bfind<true>> : unary<u32, s64, Bfind<false>>;
    default:
      return nullptr;
  }
}

Handler bfe_of(Type type) {
  switch (type) {
    case Type::u32:
      return ternary<u32, u32, u32, u32, Bfe>;
    case Type::s32:
      return ternary<s32, s32, u32, u32, Bfe>;
    case Type::u64:
      return ternary<u64, u64, u32, u32, Bfe>;
    case Type::s64:
      return ternary<s64, s64, u32, u32, Bfe>;
    default:
      return nullptr;
  }
}

}  // namespace

bool decode_bits(Decoder& d) {
  const Type type = d.type();
  if (d.is("and") || d.is("or") || d.is("xor") || d.is("not") || d.is("cnot")) return decode_logic(d, type);
  if (d.is("shl") || d.is("shr")) return bind(d, shift_of(d.is("shl"), type), type, Type::u32);
  const bool wide = bytes_of(type) == 8;
  if (d.is("popc")) return bind(d, wide ? unary<u32, u64, Popc> : unary<u32, u32, Popc>, type);
  if (d.is("clz")) return bind(d, wide ? unary<u32, u64, Clz> : unary<u32, u32, Clz>, type);
  if (d.is("brev")) return bind(d, wide ? unary<u64, u64, Brev> : unary<u32, u32, Brev>, type);
  if (d.is("bfind")) return bind(d, bfind_of(type, d.has("shiftamt")), type);
  if (d.is("bfe")) return bind(d, bfe_of(type), type, Type::u32, Type::u32);
  if (d.is("bmsk")) return d.has("clamp") && bind(d, binary<u32, u32, u32, Bmsk>, Type::u32, Type::u32);
  if (d.is("bfi")) {
    if (!bind(d, wide ? bfi<u64> : bfi<u32>, type, type, Type::u32)) return false;
    d.src(4, Type::u32);
    return true;
  }
  if (d.is("shf")) {
    const bool wrap = d.has("wrap");
    return bind(d,
                d.has("l") ? wrap ? ternary<u32, u32, u32, u32, Amount<ShfLeft, true>>
                                  : ternary<u32, u32, u32, u32, Amount<ShfLeft, false>>
                : wrap ? ternary<u32, u32, u32, u32, Amount<ShfRight, true>>
                           : ternary<u32, u32, u32, u32, Amount<ShfRight, false>>,
                Type::b32, Type::b32, Type::u32);
  }
  if (d.is("lop3")) {
    if (d.modifiers() != 1 || !d.constant(4, d.out.imm)) return false;
    return bind(d, lop3, Type::b32, Type::b32, Type::b32);
  }
  if (d.is("prmt")) {
    static const char* const kModes[] = {"", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
    for (u16 mode = 1; mode < 7; ++mode)
      if (d.has(kModes[mode])) d.out.flags = mode;
    return bind(d, prmt, Type::b32, Type::b32, Type::b32);
  }
  return false;
}

// ---- add.cc and its family: the carry is one bit a lane, kept in the warp. ----
namespace {

enum CarryFlags : u16 { kTakes = 1, kGives = 2, kHigh = 4 };

template <typename T>
void give(Warp& w, const Instr& i, const T* result, u32 carry) {
  each<T>(w, i.op[0], [=](int k) { return result[k]; });
  if (i.flags & kGives) w.carry = (w.carry & ~w.mask) | (carry & w.mask);
}

template <typename T, bool kSubtract>
void add_carry(Warp& w, const Instr& i) {
  const T *a = lanes<T>(w, i.op[1]), *b = lanes<T>(w, i.op[2]);
  T r[kLanes];
  u32 out = 0;
  for (int k = 0; k < kLanes; ++k) {
    const T in = i.flags & kTakes ? static_cast<T>(w.carry >> k & 1) : T{0};
    T one, two;
    const bool first = kSubtract ? __builtin_sub_overflow(a[k], b[k], &one) : __builtin_add_overflow(a[k], b[k], &one);
    const bool second = kSubtract ? __builtin_sub_overflow(one, in, &two) : __builtin_add_overflow(one, in, &two);
    r[k] = two;
    out |= static_cast<u32>(first || second) << k;
  }
  give(w, i, r, out);
}

template <typename T, typename W>
void mad_carry(Warp& w, const Instr& i) {
  const T *a = lanes<T>(w, i.op[1]), *b = lanes<T>(w, i.op[2]), *c = lanes<T>(w, i.op[3]);
  using U = std::make_unsigned_t<T>;
  T r[kLanes];
  u32 out = 0;
  for (int k = 0; k < kLanes; ++k) {
    const W product = static_cast<W>(a[k]) * static_cast<W>(b[k]);
    const U part = static_cast<U>(i.flags & kHigh ? product >> (8 * sizeof(T)) : product);
    const U in = i.flags & kTakes ? static_cast<U>(w.carry >> k & 1) : U{0};
    U one, two;
    const bool first = __builtin_add_overflow(part, static_cast<U>(c[k]), &one);
    const bool second = __builtin_add_overflow(one, in, &two);
    r[k] = static_cast<T>(two);
    out |= static_cast<u32>(first || second) << k;
  }
  give(w, i, r, out);
}

}  // namespace

bool decode_carry(Decoder& d) {
  const bool takes = d.is("addc") || d.is("subc") || d.is("madc"), gives = d.has("cc");
  if (!takes && !gives) return false;
  const Type type = d.type();
  const bool wide = bytes_of(type) == 8;
  d.out.flags = static_cast<u16>((takes ? kTakes : 0) | (gives ? kGives : 0) | (d.has("hi") ? kHigh : 0));
  if (d.is("add") || d.is("addc")) return bind(d, wide ? add_carry<u64, false> : add_carry<u32, false>, type, type);
  if (d.is("sub") || d.is("subc")) return bind(d, wide ? add_carry<u64, true> : add_carry<u32, true>, type, type);
  if (!d.is("mad") && !d.is("madc")) return false;
  switch (type) {
    case Type::u32:
      return bind(d, mad_carry<u32, u64>, type, type, type);
    case Type::s32:
      return bind(d, mad_carry<s32, s64>, type, type, type);
    case Type::u64:
      return bind(d, mad_carry<u64, unsigned __int128>, type, type, type);
    case Type::s64:
      return bind(d, mad_carry<s64, __int128>, type, type, type);
    default:
      return false;
  }
}

}  // namespace portico::standin::ptx::PTX_LANES
