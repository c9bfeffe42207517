// Loops over the 32 lanes of a warp, written so that the compiler turns them into vector code. Every file that includes
// this is compiled once a processor family, each time into a namespace of its own (PTX_LANES).
#pragma once

#include <cstdint>
#include <cstring>

#include "tests/standin/ptx/decoder.hpp"
#include "tests/standin/ptx/program.hpp"

#ifndef PTX_LANES
#define PTX_LANES baseline
#endif

namespace portico::standin::ptx::PTX_LANES {

using u8 = std::uint8_t;
using s8 = std::int8_t;
using u16 = std::uint16_t;
using s16 = std::int16_t;
using u32 = std::uint32_t;
using s32 = std::int32_t;
using u64 = std::uint64_t;
using s64 = std::int64_t;

template <typename T>
inline T* lanes(const Warp& w, const Operand& o) {
  return reinterpret_cast<T*>(w.base[o.base] + o.offset);
}

/// A predicate's 32 bits.
inline u32 bits(const Warp& w, const Operand& o) {
  const u32 value = *lanes<u32>(w, o);
  return o.negated ? ~value : value;
}
inline void set_bits(const Warp& w, const Operand& o, u32 value) {
  if (o.base == Operand::none) return;
  u32& old = *lanes<u32>(w, o);
  old = (old & ~w.mask) | (value & w.mask);
}

/// d[k] = f(k) in the lanes that execute.
template <typename T, typename F>
inline void each(const Warp& w, const Operand& o, F f) {
  if (o.base == Operand::none) return;
  T* d = lanes<T>(w, o);
  if (w.mask == kAllLanes) {
#pragma GCC ivdep
    for (int k = 0; k < kLanes; ++k) d[k] = f(k);
  } else {
    const u32 mask = w.mask;
#pragma GCC ivdep
    for (int k = 0; k < kLanes; ++k) d[k] = mask >> k & 1 ? f(k) : d[k];
  }
}

/// The same one lane after the other, for what no vector can do: f(k) is called in executing lanes only.
template <typename F>
inline void each_lane(u32 mask, F f) {
  for (; mask != 0; mask &= mask - 1) f(__builtin_ctz(mask));
}

template <typename D, typename A, typename F>
void unary(Warp& w, const Instr& i) {
  const A* a = lanes<A>(w, i.op[1]);
  each<D>(w, i.op[0], [=](int k) { return static_cast<D>(F()(a[k])); });
}

template <typename D, typename A, typename B, typename F>
void binary(Warp& w, const Instr& i) {
  const A* a = lanes<A>(w, i.op[1]);
  const B* b = lanes<B>(w, i.op[2]);
  each<D>(w, i.op[0], [=](int k) { return static_cast<D>(F()(a[k], b[k])); });
}

template <typename D, typename A, typename B, typename C, typename F>
void ternary(Warp& w, const Instr& i) {
  const A* a = lanes<A>(w, i.op[1]);
  const B* b = lanes<B>(w, i.op[2]);
  const C* c = lanes<C>(w, i.op[3]);
  each<D>(w, i.op[0], [=](int k) { return static_cast<D>(F()(a[k], b[k], c[k])); });
}

// The families. Each says whether it knows the instruction, and if so has bound its operands and set its handler.
bool decode_move(Decoder&);
bool decode_integer(Decoder&);
bool decode_bits(Decoder&);
bool decode_carry(Decoder&);
bool decode_real(Decoder&);
bool decode_half(Decoder&);
bool decode_approximate(Decoder&);
bool decode_compare(Decoder&);
bool decode_convert(Decoder&);
bool decode_memory(Decoder&);
bool decode_atomic(Decoder&);
bool decode_warp(Decoder&);
bool decode_copy(Decoder&);
bool decode_tensor(Decoder&);

bool run_warp(Warp&, u64 budget);

}  // namespace portico::standin::ptx::PTX_LANES
