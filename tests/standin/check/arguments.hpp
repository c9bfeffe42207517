// --arg: buffers and numbers for a kernel's parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/standin/memory.hpp"

namespace portico::standin::check {

struct Argument {
  std::string text;       ///< as given
  std::string type;       ///< f32, f16, bf16, f64, i32, u32, i64, u64, u8
  std::size_t count = 0;  ///< of a buffer's elements; 0: a number
  std::size_t element_bytes = 4;
  void* buffer = nullptr;   ///< in the device's memory
  std::uint64_t value = 0;  ///< the number's bits, or the buffer's address: what the launch points at
  std::size_t bytes() const { return count > 0 ? 8 : element_bytes; }
};

/// "f32:1024=random", "i32=5". Buffers are made in `memory` and filled: random (in [-1, 1), or 0..255), zeros, ones,
/// iota, a number, or unset: never written. Throws std::runtime_error that says what is wanted.
Argument make_argument(const std::string& text, Memory& memory);

/// The first `count` elements of a buffer; "unset" for what nothing has written.
std::string shown(const Argument& argument, const Memory& memory, std::size_t count);

}  // namespace portico::standin::check
