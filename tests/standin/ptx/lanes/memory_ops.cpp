// ld and st in all widths and vector forms.
#include <type_traits>

#include "access.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

// R: the register's lane, T: the memory's element. A load widens by T's sign, a store takes the lower part.
template <typename R, typename T, int kVector>
void load(Warp& w, const Instr& i) {
  Reach r;
  reach(w, i, i.op[kVector], sizeof(T) * kVector, static_cast<Space>(i.flags & 7), static_cast<Use>(i.flags >> 3), r);
  using Signed = std::conditional_t<std::is_signed_v<T>, std::make_signed_t<R>, R>;
  const int first = __builtin_ctz(w.mask);
  if (r.contiguous) {
    const T* from = reinterpret_cast<const T*>(r.at[0]);
    for (int v = 0; v < kVector; ++v)
      each<R>(w, i.op[v], [=](int k) { return static_cast<R>(static_cast<Signed>(from[k * kVector + v])); });
  } else if (r.uniform) {
    T value[kVector];
    std::memcpy(value, r.at[first], sizeof value);
    for (int v = 0; v < kVector; ++v)
      each<R>(w, i.op[v], [=](int) { return static_cast<R>(static_cast<Signed>(value[v])); });
  } else {
    T value[kLanes][kVector];
    each_lane(w.mask, [&](int k) { std::memcpy(value[k], r.at[k], sizeof value[k]); });
    for (int v = 0; v < kVector; ++v)
      each<R>(w, i.op[v], [&](int k) { return static_cast<R>(static_cast<Signed>(value[k][v])); });
  }
}

template <typename R, typename T, int kVector>
void store(Warp& w, const Instr& i) {
  Reach r;
  reach(w, i, i.op[0], sizeof(T) * kVector, static_cast<Space>(i.flags & 7), static_cast<Use>(i.flags >> 3), r);
  const R* from[kVector];
  for (int v = 0; v < kVector; ++v) from[v] = lanes<R>(w, i.op[1 + v]);
  if (r.contiguous) {
    T* to = reinterpret_cast<T*>(r.at[0]);
    for (int v = 0; v < kVector; ++v)
      for (int k = 0; k < kLanes; ++k) to[k * kVector + v] = static_cast<T>(from[v][k]);
    return;
  }
  each_lane(w.mask, [&](int k) {
    T value[kVector];
    for (int v = 0; v < kVector; ++v) value[v] = static_cast<T>(from[v][k]);
    std::memcpy(r.at[k], value, sizeof value);
  });
}

template <typename R, typename T>
Handler load_of(std::size_t vector) {
  return vector == 1 ? load<R, T, 1> : vector == 2 ? load<R, T, 2> : vector == 4 ? load<R, T, 4> : nullptr;
}
template <typename T>
Handler load_into(std::size_t width, std::size_t vector) {
  if constexpr (sizeof(T) <= 2)
    if (width == 2) return load_of<u16, T>(vector);
  if constexpr (sizeof(T) <= 4)
    if (width == 4) return load_of<u32, T>(vector);
  return width == 8 ? load_of<u64, T>(vector) : nullptr;
}
template <typename R, typename T>
Handler store_of(std::size_t vector) {
  return vector == 1 ? store<R, T, 1> : vector == 2 ? store<R, T, 2> : vector == 4 ? store<R, T, 4> : nullptr;
}
template <typename T>
Handler store_from(std::size_t width, std::size_t vector) {
  if constexpr (sizeof(T) <= 2)
    if (width == 2) return store_of<u16, T>(vector);
  if constexpr (sizeof(T) <= 4)
    if (width == 4) return store_of<u32, T>(vector);
  return width == 8 ? store_of<u64, T>(vector) : nullptr;
}

Handler load_handler(Type type, std::size_t width, std::size_t vector) {
  switch (type) {
    case Type::u8:
    case Type::b8:
      return load_into<u8>(width, vector);
    case Type::s8:
      return load_into<s8>(width, vector);
    case Type::u16:
    case Type::b16:
    case Type::f16:
    case Type::bf16:
      return load_into<u16>(width, vector);
    case Type::s16:
      return load_into<s16>(width, vector);
    case Type::u32:
    case Type::b32:
    case Type::f32:
    case Type::f16x2:
    case Type::bf16x2:
      return load_into<u32>(width, vector);
    case Type::s32:
      return load_into<s32>(width, vector);
    case Type::u64:
    case Type::b64:
    case Type::s64:
    case Type::f64:
      return load_into<u64>(width, vector);
    default:
      return nullptr;
  }
}
Handler store_handler(std::size_t bytes, std::size_t width, std::size_t vector) {
  switch (bytes) {
    case 1:
      return store_from<u8>(width, vector);
    case 2:
      return store_from<u16>(width, vector);
    case 4:
      return store_from<u32>(width, vector);
    default:
      return store_from<u64>(width, vector);
  }
}

bool is_byte(Type type) { return type == Type::u8 || type == Type::s8 || type == Type::b8; }

bool is_strong(const Decoder& d) {
  for (const char* word : {"volatile", "relaxed", "acquire", "release", "mmio"})
    if (d.has(word)) return true;
  return false;
}

std::size_t vector_of(const Decoder& d) { return d.has("v2") ? 2 : d.has("v4") ? 4 : d.has("v8") ? 8 : 1; }

}  // namespace

bool decode_memory(Decoder& d) {
  const bool is_load = d.is("ld") || d.is("ldu");
  if (!is_load && !d.is("st")) return false;
  const Type type = d.type();
  const std::size_t vector = vector_of(d), bytes = is_byte(type) ? 1 : bytes_of(type);
  if (type == Type::none || type == Type::pred || vector == 8) return false;
  const std::size_t list = is_load ? 0 : 1;
  if (d.items(list) != vector) d.refuse("another number of registers than the vector has");
  const Space space = d.space();
  const Use use =
      is_load ? (is_strong(d) ? Use::strong_read : Use::read) : (is_strong(d) ? Use::strong_write : Use::write);
  d.out.flags = static_cast<u16>(static_cast<u16>(space) | static_cast<u16>(use) << 3);
  d.narrow_access(space, bytes);
  if (!is_load) d.address(0);
  for (std::size_t v = 0; v < vector; ++v) {
    const Arg& item = d.item(list, v);
    if (is_load)
      d.dst(item);
    else  // a register may be wider than what is stored of it
      d.src(item, item.kind == Arg::Kind::name ? Type::none : type);
  }
  std::size_t width = 0;
  for (std::size_t v = 0; v < vector; ++v)
    if (const std::size_t lane = d.width(is_load ? v : 1 + v); lane != 0) {
      if (width != 0 && lane != width) d.refuse("registers of several widths");
      width = lane;
    }
  if (width == 0) width = bytes < 2 ? 2 : bytes;  // all of it goes to _
  if (is_load) d.address(1);
  d.out.run = is_load ? load_handler(type, width, vector) : store_handler(bytes, width, vector);
  return d.out.run != nullptr;
}

}  // namespace portico::standin::ptx::PTX_LANES
