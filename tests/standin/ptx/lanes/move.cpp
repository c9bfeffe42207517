// mov with packing and unpacking, cvta, isspacep, selp, slct.
#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

struct Same {
  template <typename T>
  T operator()(T a) const {
    return a;
  }
};

void move_predicate(Warp& w, const Instr& i) { set_bits(w, i.op[0], bits(w, i.op[1])); }

void move_clock(Warp& w, const Instr& i) {
  const u64 now = w.executed;
  if (i.op[0].bytes == 8)
    each<u64>(w, i.op[0], [=](int) { return now; });
  else
    each<u32>(w, i.op[0], [=](int) { return static_cast<u32>(now); });
}

Handler copy_of(std::size_t bytes) {
  return bytes == 2 ? unary<u16, u16, Same> : bytes == 4 ? unary<u32, u32, Same> : unary<u64, u64, Same>;
}

// mov.b32 d, {a, b}; mov.b64 d, {a, b} or {a, b, c, d}.
template <typename D, typename S>
void pack(Warp& w, const Instr& i) {
  constexpr int kParts = sizeof(D) / sizeof(S);
  const S* part[kParts];
  for (int p = 0; p < kParts; ++p) part[p] = lanes<S>(w, i.op[1 + p]);
  each<D>(w, i.op[0], [&](int k) {
    D value = 0;
    for (int p = 0; p < kParts; ++p) value |= static_cast<D>(part[p][k]) << (8 * sizeof(S) * p);
    return value;
  });
}

template <typename D, typename S>
void unpack(Warp& w, const Instr& i) {
  constexpr int kParts = sizeof(S) / sizeof(D);
  S value[kLanes];  // a destination may be the source's neighbour, so nothing is written before all is read
  std::memcpy(value, lanes<S>(w, i.op[kParts]), sizeof value);
  for (int p = 0; p < kParts; ++p)
    each<D>(w, i.op[p], [&](int k) { return static_cast<D>(value[k] >> (8 * sizeof(D) * p)); });
}

bool decode_packed(Decoder& d, Type type) {
  const std::size_t bytes = bytes_of(type);
  if (d.items(1) > 1) {
    const std::size_t parts = d.items(1);
    d.out.run = bytes == 4 && parts == 2   ? pack<u32, u16>
                : bytes == 8 && parts == 2 ? pack<u64, u32>
                : bytes == 8 && parts == 4 ? pack<u64, u16>
                                           : nullptr;
    if (!d.out.run) return false;
    d.dst(0);
    const Type part = bytes / parts == 2 ? Type::b16 : Type::b32;
    for (std::size_t p = 0; p < parts; ++p) d.src(d.item(1, p), part);
    return true;
  }
  const std::size_t parts = d.items(0);
  d.out.run = bytes == 4 && parts == 2   ? unpack<u16, u32>
              : bytes == 8 && parts == 2 ? unpack<u32, u64>
              : bytes == 8 && parts == 4 ? unpack<u16, u64>
                                         : nullptr;
  if (!d.out.run) return false;
  for (std::size_t p = 0; p < parts; ++p) {
    d.dst(d.item(0, p));
    if (d.item(0, p).kind != Arg::Kind::sink && d.width(p) != bytes / parts) d.refuse("parts of another width");
  }
  d.src(1, type);
  return true;
}

template <typename T>
void select(Warp& w, const Instr& i) {
  const T *a = lanes<T>(w, i.op[1]), *b = lanes<T>(w, i.op[2]);
  const u32 p = bits(w, i.op[3]);
  each<T>(w, i.op[0], [=](int k) { return p >> k & 1 ? a[k] : b[k]; });
}

template <typename T, typename C>
void select_by_sign(Warp& w, const Instr& i) {
  const T *a = lanes<T>(w, i.op[1]), *b = lanes<T>(w, i.op[2]);
  const C* c = lanes<C>(w, i.op[3]);
  each<T>(w, i.op[0], [=](int k) { return c[k] >= 0 ? a[k] : b[k]; });
}

// Shared and local addresses are offsets; generic ones are the host's.
u64 window(const Warp& w, Space space, int lane) {
  const BlockState& b = *w.block;
  if (space == Space::shared) return reinterpret_cast<u64>(b.shared);
  if (space == Space::local)
    return reinterpret_cast<u64>(b.local) + (w.number * kLanes + static_cast<u32>(lane)) * b.program->local_bytes;
  return 0;
}

template <bool kFromGeneric>
void convert_address(Warp& w, const Instr& i) {
  u64 value[kLanes];
  for (int k = 0; k < kLanes; ++k) {
    const u64 a = i.op[1].bytes == 8 ? lanes<u64>(w, i.op[1])[k] : lanes<u32>(w, i.op[1])[k];
    const u64 begin = window(w, static_cast<Space>(i.flags), k);
    value[k] = kFromGeneric ? a - begin : a + begin;
  }
  if (i.op[0].bytes == 8)
    each<u64>(w, i.op[0], [&](int k) { return value[k]; });
  else
    each<u32>(w, i.op[0], [&](int k) { return static_cast<u32>(value[k]); });
}

void is_space(Warp& w, const Instr& i) {
  const BlockState& b = *w.block;
  const u64* a = lanes<u64>(w, i.op[1]);
  const u64 shared = reinterpret_cast<u64>(b.shared), local = reinterpret_cast<u64>(b.local);
  const u64 constant = reinterpret_cast<u64>(b.module->constant.data());
  u32 result = 0;
  for (int k = 0; k < kLanes; ++k) {
    const bool in_shared = a[k] - shared < b.shared_bytes;
    const bool in_local = a[k] - local < b.threads * b.program->local_bytes;
    const bool in_constant = a[k] - constant < b.module->constant.size();
    const Space space = static_cast<Space>(i.flags);
    const bool yes = space == Space::shared     ? in_shared
                     : space == Space::local    ? in_local
                     : space == Space::constant ? in_constant
                                                : !in_shared && !in_local && !in_constant;
    result |= static_cast<u32>(yes) << k;
  }
  set_bits(w, i.op[0], result);
}

}  // namespace

bool decode_move(Decoder& d) {
  const Type type = d.type();
  if (d.is("mov")) {
    if (d.items(0) > 1 || d.items(1) > 1) return decode_packed(d, type);
    const bool clock = d.arg(1).kind == Arg::Kind::name &&
                       (d.arg(1).name.starts_with("%clock") || d.arg(1).name.starts_with("%globaltimer"));
    d.out.run = type == Type::pred ? move_predicate : clock ? move_clock : copy_of(bytes_of(type));
    d.dst(0);
    d.src(1, type);
    if (type != Type::pred && d.width(0) != bytes_of(type)) d.refuse("the register has another width");
    return true;
  }
  if (d.is("cvta")) {
    d.out.flags = static_cast<u16>(d.space());
    d.out.run = d.has("to") ? convert_address<true> : convert_address<false>;
    d.dst(0);
    d.src(1, type);
    return true;
  }
  if (d.is("isspacep")) {
    d.out.flags = static_cast<u16>(d.space());
    d.out.run = is_space;
    d.dst(0);
    d.src(1, Type::u64);
    return true;
  }
  if (d.is("selp") || d.is("slct")) {
    const std::size_t bytes = bytes_of(type);
    const bool by_real = d.types() > 1 && d.type(1) == Type::f32;
    if (d.is("selp"))
      d.out.run = bytes == 2 ? select<u16> : bytes == 4 ? select<u32> : select<u64>;
    else if (by_real)
      d.out.run = bytes == 2   ? select_by_sign<u16, float>
                  : bytes == 4 ? select_by_sign<u32, float>
                               : select_by_sign<u64, float>;
    else
      d.out.run = bytes == 2   ? select_by_sign<u16, s32>
                  : bytes == 4 ? select_by_sign<u32, s32>
                               : select_by_sign<u64, s32>;
    d.dst(0);
    d.src(1, type);
    d.src(2, type);
    d.src(3, d.is("selp") ? Type::pred : Type::b32);
    return true;
  }
  return false;
}

}  // namespace portico::standin::ptx::PTX_LANES
