// Half types as the vendors' libraries convert them: to nearest even.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "tests/standin/blas/product.hpp"

namespace portico::standin::blas {

inline float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

inline std::uint16_t to_bf16(float value) {
  const auto u = std::bit_cast<std::uint32_t>(value);
  if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 64u);
  return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

inline float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, mantissa = bits & 0x3ffu;
  if (exponent == 0)
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(std::ldexp(static_cast<float>(mantissa), -24)));
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

// Below the smallest normal number an addition of 0.5 rounds at the right bit.
inline std::uint16_t to_f16(float value) {
  const auto u = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = u >> 16 & 0x8000u, magnitude = u & 0x7fffffffu;
  std::uint32_t bits = 0;
  if (magnitude > 0x7f800000u)
    bits = 0x7e00u;
  else if (magnitude >= 0x47800000u)
    bits = 0x7c00u;
  else if (magnitude < 0x38800000u)
    bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  else
    bits = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
  return static_cast<std::uint16_t>(sign | bits);
}

inline float get(const void* data, Type type, std::int64_t i) {
  if (type == Type::f32) return static_cast<const float*>(data)[i];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(data)[i];
  return type == Type::f16 ? from_f16(bits) : from_bf16(bits);
}

inline void put(void* data, Type type, std::int64_t i, float value) {
  if (type == Type::f32)
    static_cast<float*>(data)[i] = value;
  else
    static_cast<std::uint16_t*>(data)[i] = type == Type::f16 ? to_f16(value) : to_bf16(value);
}

}  // namespace portico::standin::blas
