// Element types. Half types are storage: arithmetic and accumulation are always float.
#pragma once

#include <cstddef>
#include <cstdint>

#include "portico/error.hpp"

namespace portico {

enum class DType : std::int32_t { f32 = 0, f16 = 1, bf16 = 2, i32 = 3, u8 = 4 };

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t kSizes[] = {4, 2, 2, 4, 1};
  return kSizes[static_cast<int>(dtype)];
}

/// "f32", "f16", "bf16", "i32", "u8": also the type's word in the kernel dialect.
constexpr const char* name_of(DType dtype) {
  constexpr const char* kNames[] = {"f32", "f16", "bf16", "i32", "u8"};
  return kNames[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType dtype) { return dtype <= DType::bf16; }

/// IEEE 754 binary16 and bfloat16 as their bits, rounded to nearest even; the host's side of half storage.
PORTICO_API std::uint16_t to_f16(float value);
PORTICO_API float from_f16(std::uint16_t bits);
PORTICO_API std::uint16_t to_bf16(float value);
PORTICO_API float from_bf16(std::uint16_t bits);

}  // namespace portico
