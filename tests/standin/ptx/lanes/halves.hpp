// f16 and bf16 as bits: to float exactly, and from double in any rounding.
#pragma once

#include <cmath>

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {

struct Half {
  static constexpr int kMantissa = 10, kLeast = -14, kMost = 15;
  static constexpr u16 kNotANumber = 0x7fff, kInfinity = 0x7c00;
  static float to_float(u16 h) {
    const u32 sign = static_cast<u32>(h & 0x8000) << 16, rest = h & 0x7fff;
    u32 b = (rest << 13) + 0x38000000;        // another bias
    b = rest >= 0x7c00 ? b + 0x38000000 : b;  // infinity and what is no number
    float v;
    std::memcpy(&v, &b, 4);
    const float small = static_cast<float>(rest) * 5.9604644775390625e-08f;  // 2^-24: subnormal
    v = rest < 0x0400 ? small : v;
    std::memcpy(&b, &v, 4);
    b |= sign;
    std::memcpy(&v, &b, 4);
    return v;
  }
};

struct Brain {
  static constexpr int kMantissa = 7, kLeast = -126, kMost = 127;
  static constexpr u16 kNotANumber = 0x7fff, kInfinity = 0x7f80;
  static float to_float(u16 h) {
    const u32 b = static_cast<u32>(h) << 16;
    float v;
    std::memcpy(&v, &b, 4);
    return v;
  }
};

/// Rounds once, from a double; modes as in RealFlags: nearest even, to zero, down, up; 4: nearest, ties away.
template <typename H>
u16 to_half(double v, unsigned mode) {
  if (v != v) return H::kNotANumber;
  const u16 sign = std::signbit(v) ? 0x8000 : 0;
  const double size = std::fabs(v);
  if (std::isinf(v)) return sign | H::kInfinity;
  if (size == 0) return sign;
  int exponent = std::ilogb(size);
  if (exponent < H::kLeast) exponent = H::kLeast;
  // In units of the last place: below 2^(kMantissa + 1), so its fraction decides the rounding.
  const double units = std::ldexp(size, H::kMantissa - exponent);
  double whole = std::floor(units);
  const double rest = units - whole;
  bool up = false;
  switch (mode) {
    case 0:
      up = rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) == 1);
      break;
    case 1:
      break;
    case 2:
      up = sign != 0 && rest > 0;
      break;
    case 3:
      up = sign == 0 && rest > 0;
      break;
    default:
      up = rest >= 0.5;
      break;
  }
  if (up) whole += 1;
  // The hidden bit, and a carry out of the mantissa, count into the exponent by themselves.
  const u32 biased = static_cast<u32>(exponent - H::kLeast);
  const u32 value = (biased << H::kMantissa) + static_cast<u32>(whole);
  if (value >= H::kInfinity) {
    const bool to_most = mode == 1 || (mode == 2 && sign == 0) || (mode == 3 && sign != 0);
    return static_cast<u16>(sign | (to_most ? H::kInfinity - 1 : H::kInfinity));
  }
  return static_cast<u16>(sign | value);
}

/// To the nearest, from a float: what nearly every kernel does, written so that it becomes vector code.
inline u16 float_to_half(float v) {
  u32 b;
  std::memcpy(&b, &v, 4);
  const u32 sign = b >> 16 & 0x8000;
  b &= 0x7fffffff;
  const u32 normal = (b - 0x38000000 + 0x0fff + (b >> 13 & 1)) >> 13;
  // Adding 0.5 puts a small number's last place at 2^-24; the adder rounds it.
  float size;
  std::memcpy(&size, &b, 4);
  size += 0.5f;
  u32 small;
  std::memcpy(&small, &size, 4);
  small -= 0x3f000000;
  u32 r = b < 0x38800000 ? small : normal;
  r = b >= 0x477ff000 ? 0x7c00 : r;
  r = b > 0x7f800000 ? 0x7fff : r | sign;
  return static_cast<u16>(r);
}
inline u16 float_to_brain(float v) {
  u32 b;
  std::memcpy(&b, &v, 4);
  const u32 r = (b + 0x7fff + (b >> 16 & 1)) >> 16;
  return static_cast<u16>((b & 0x7fffffff) > 0x7f800000 ? 0x7fff : r);
}

inline u16 nearest(Half, float v) { return float_to_half(v); }
inline u16 nearest(Brain, float v) { return float_to_brain(v); }

}  // namespace portico::standin::ptx::PTX_LANES
