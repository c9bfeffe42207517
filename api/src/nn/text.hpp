// Values as Python prints them, for describe().
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "portico/ops.hpp"

namespace portico::nn {

inline std::string text(std::int64_t value) { return std::to_string(value); }
inline std::string text(int value) { return std::to_string(value); }
inline std::string text(bool value) { return value ? "True" : "False"; }

inline std::string text(float value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string shortest(digits, end);
  return shortest.find_first_not_of("-0123456789") == std::string::npos ? shortest + ".0" : shortest;
}

inline std::string text(const Pair& pair) { return "(" + text(pair[0]) + ", " + text(pair[1]) + ")"; }

/// One number where both are the same, as pooling layers are written.
inline std::string text_short(const Pair& pair) { return pair[0] == pair[1] ? text(pair[0]) : text(pair); }

}  // namespace portico::nn
