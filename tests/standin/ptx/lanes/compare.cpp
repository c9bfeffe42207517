// setp and set: all comparisons, combined with a predicate where the instruction says so.
#include "halves.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

enum Combine : u16 { kAlone, kAnd, kOr, kXor };

struct Eq {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct Ne {  // ordered: false where one is no number
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b || a > b;
  }
};
struct Lt {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct Le {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct Gt {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct Ge {
  template <typename T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};
template <typename F>
struct NotF {  // the unordered forms: ltu is "not ge"
  template <typename T>
  bool operator()(T a, T b) const {
    return !F()(a, b);
  }
};
struct Num {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == a && b == b;
  }
};

// How the lanes of a type are compared: halves as floats.
template <typename T>
struct Plain {
  using Lane = T;
  static T value(T a) { return a; }
};
template <typename H>
struct AsFloat {
  using Lane = u16;
  static float value(u16 a) { return H::to_float(a); }
};
struct Flushed {
  using Lane = float;
  static float value(float a) { return a < 1.17549435e-38f && a > -1.17549435e-38f ? 0.0f : a; }
};

template <typename V, typename F>
u32 compare(const Warp& w, const Instr& i, int first) {
  const auto *a = lanes<typename V::Lane>(w, i.op[first]), *b = lanes<typename V::Lane>(w, i.op[first + 1]);
  u32 result = 0;
  for (int k = 0; k < kLanes; ++k) result |= static_cast<u32>(F()(V::value(a[k]), V::value(b[k]))) << k;
  return result;
}

u32 combined(const Warp& w, const Instr& i, int at, u32 result) {
  switch (i.flags) {
    case kAnd:
      return result & bits(w, i.op[at]);
    case kOr:
      return result | bits(w, i.op[at]);
    case kXor:
      return result ^ bits(w, i.op[at]);
    default:
      return result;
  }
}

// p and, where asked for, q: the opposite comparison, combined with the same predicate.
template <typename V, typename F>
void setp(Warp& w, const Instr& i) {
  const u32 result = compare<V, F>(w, i, 2);
  const u32 first = combined(w, i, 4, result), second = combined(w, i, 4, ~result);
  set_bits(w, i.op[0], first);
  set_bits(w, i.op[1], second);
}

// set: all ones, or 1.0.
template <typename V, typename F>
void set(Warp& w, const Instr& i) {
  const u32 result = combined(w, i, 4, compare<V, F>(w, i, 2));
  const u32 yes = static_cast<u32>(i.imm);
  if (i.op[0].bytes == 2)
    each<u16>(w, i.op[0], [=](int k) { return static_cast<u16>(result >> k & 1 ? yes : 0); });
  else
    each<u32>(w, i.op[0], [=](int k) { return result >> k & 1 ? yes : 0; });
}

template <typename V>
Handler handler_of(Decoder& d, bool is_set, bool real) {
  struct Row {
    const char* name;
    Handler setp, set;
    bool integers, reals;
  };
  static const Row kRows[] = {{"eq", setp<V, Eq>, set<V, Eq>, true, true},
                              {"ne", setp<V, Ne>, set<V, Ne>, true, true},
                              {"lt", setp<V, Lt>, set<V, Lt>, true, true},
                              {"le", setp<V, Le>, set<V, Le>, true, true},
                              {"gt", setp<V, Gt>, set<V, Gt>, true, true},
                              {"ge", setp<V, Ge>, set<V, Ge>, true, true},
                              {"lo", setp<V, Lt>, set<V, Lt>, true, false},
                              {"ls", setp<V, Le>, set<V, Le>, true, false},
                              {"hi", setp<V, Gt>, set<V, Gt>, true, false},
                              {"hs", setp<V, Ge>, set<V, Ge>, true, false},
                              {"equ", setp<V, NotF<Ne>>, set<V, NotF<Ne>>, false, true},
                              {"neu", setp<V, NotF<Eq>>, set<V, NotF<Eq>>, false, true},
                              {"ltu", setp<V, NotF<Ge>>, set<V, NotF<Ge>>, false, true},
                              {"leu", setp<V, NotF<Gt>>, set<V, NotF<Gt>>, false, true},
                              {"gtu", setp<V, NotF<Le>>, set<V, NotF<Le>>, false, true},
                              {"geu", setp<V, NotF<Lt>>, set<V, NotF<Lt>>, false, true},
                              {"num", setp<V, Num>, set<V, Num>, false, true},
                              {"nan", setp<V, NotF<Num>>, set<V, NotF<Num>>, false, true}};
  for (const Row& row : kRows)
    if ((real ? row.reals : row.integers) && d.modifiers() > 0 && d.modifier(0) == row.name)
      return is_set ? row.set : row.setp;
  return nullptr;
}

Handler handler_for(Decoder& d, Type type, bool is_set) {
  switch (type) {
    case Type::b16:
    case Type::u16:
      return handler_of<Plain<u16>>(d, is_set, false);
    case Type::s16:
      return handler_of<Plain<s16>>(d, is_set, false);
    case Type::b32:
    case Type::u32:
      return handler_of<Plain<u32>>(d, is_set, false);
    case Type::s32:
      return handler_of<Plain<s32>>(d, is_set, false);
    case Type::b64:
    case Type::u64:
      return handler_of<Plain<u64>>(d, is_set, false);
    case Type::s64:
      return handler_of<Plain<s64>>(d, is_set, false);
    case Type::f32:
      return d.has("ftz") ? handler_of<Flushed>(d, is_set, true) : handler_of<Plain<float>>(d, is_set, true);
    case Type::f64:
      return handler_of<Plain<double>>(d, is_set, true);
    case Type::f16:
      return handler_of<AsFloat<Half>>(d, is_set, true);
    case Type::bf16:
      return handler_of<AsFloat<Brain>>(d, is_set, true);
    default:
      return nullptr;
  }
}

}  // namespace

bool decode_compare(Decoder& d) {
  const bool is_set = d.is("set");
  if (!d.is("setp") && !is_set) return false;
  const Type type = d.type(is_set ? 1 : 0);
  d.out.run = handler_for(d, type, is_set);
  if (!d.out.run) return false;
  if (d.args() == 4) d.out.flags = d.has("and") ? kAnd : d.has("or") ? kOr : kXor;
  if (is_set) {
    const Type result = d.type();
    d.out.imm = result == Type::f32    ? 0x3f800000
                : result == Type::f16  ? 0x3c00
                : result == Type::bf16 ? 0x3f80
                                       : 0xffffffff;
  }
  d.dst_pair(0);
  d.src(1, type);
  d.src(2, type);
  if (d.args() == 4) d.src(3, Type::pred);
  return true;
}

}  // namespace portico::standin::ptx::PTX_LANES
