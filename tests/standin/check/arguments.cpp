#include "arguments.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <stdexcept>

namespace portico::standin::check {
namespace {

const std::map<std::string, std::size_t> kBytes = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"f64", 8}, {"i32", 4},
                                                   {"u32", 4}, {"i64", 8}, {"u64", 8},  {"u8", 1}};

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw std::runtime_error("--arg " + text + ": " + why +
                           "; wanted is TYPE=NUMBER or TYPE:COUNT=FILL, as in i32=5 or f32:1024=random");
}

std::uint16_t half_bits(float v) {
  if (v == 0 || std::isnan(v)) return v == 0 ? (std::signbit(v) ? 0x8000 : 0) : 0x7fff;
  const std::uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  const int exponent = std::max(std::ilogb(v), -14);
  const double units = std::nearbyint(std::ldexp(std::fabs(static_cast<double>(v)), 10 - exponent));
  const double bits = (exponent + 14) * 1024.0 + units;
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::min(bits, 31744.0)));
}

float half_value(std::uint16_t h) {
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  const float size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                     : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return h & 0x8000 ? -size : size;
}

std::uint16_t brain_bits(float v) {
  const auto u = std::bit_cast<std::uint32_t>(v);
  return static_cast<std::uint16_t>(std::isnan(v) ? 0x7fff : (u + 0x7fff + (u >> 16 & 1)) >> 16);
}

std::uint64_t bits_of(const std::string& type, double real, std::int64_t whole) {
  if (type == "f32") return std::bit_cast<std::uint32_t>(static_cast<float>(real));
  if (type == "f64") return std::bit_cast<std::uint64_t>(real);
  if (type == "f16") return half_bits(static_cast<float>(real));
  if (type == "bf16") return brain_bits(static_cast<float>(real));
  return static_cast<std::uint64_t>(whole);
}

bool is_real(const std::string& type) { return type[0] == 'f' || type == "bf16"; }

std::uint64_t number(const std::string& text, const std::string& type, const std::string& value) {
  std::size_t used = 0;
  double real = 0;
  std::int64_t whole = 0;
  try {
    if (is_real(type))
      real = std::stod(value, &used);
    else if (type[0] == 'u')
      whole = static_cast<std::int64_t>(std::stoull(value, &used, 0));
    else
      whole = std::stoll(value, &used, 0);
  } catch (const std::exception&) {
    used = std::string::npos;
  }
  if (used != value.size() || (type[0] == 'u' && value[0] == '-')) refuse(text, "'" + value + "' is no " + type);
  const std::size_t bits = 8 * kBytes.at(type);
  const bool fits =
      is_real(type) || bits == 64 ||
      (type[0] == 'u' ? (whole >> bits) == 0
                      : whole >= -(std::int64_t{1} << (bits - 1)) && whole < std::int64_t{1} << (bits - 1));
  if (!fits) refuse(text, value + " does not fit into " + type);
  return bits_of(type, real, whole);
}

void fill(const Argument& argument, const std::string& how) {
  std::mt19937 random(42);  // the same in every run
  auto* to = static_cast<std::uint8_t*>(argument.buffer);
  std::uint64_t same = 0;
  const bool each = how == "random" || how == "iota";
  if (!each)
    same = how == "zeros"  ? 0
           : how == "ones" ? bits_of(argument.type, 1, 1)
                           : number(argument.text, argument.type, how);
  for (std::size_t i = 0; i < argument.count; ++i) {
    std::uint64_t bits = same;
    if (how == "random")
      bits = is_real(argument.type) ? bits_of(argument.type, std::uniform_real_distribution<double>(-1, 1)(random), 0)
                                    : random() & 255;
    if (how == "iota") bits = bits_of(argument.type, static_cast<double>(i), static_cast<std::int64_t>(i));
    std::memcpy(to + i * argument.element_bytes, &bits, argument.element_bytes);
  }
}

}  // namespace

Argument make_argument(const std::string& text, Memory& memory) {
  Argument argument;
  argument.text = text;
  const std::size_t equals = text.find('='), colon = text.find(':');
  if (equals == std::string::npos) refuse(text, "no '='");
  argument.type = text.substr(0, std::min(colon, equals));
  const auto bytes = kBytes.find(argument.type);
  if (bytes == kBytes.end()) refuse(text, "no type '" + argument.type + "' (f32 f16 bf16 f64 i32 u32 i64 u64 u8)");
  argument.element_bytes = bytes->second;
  const std::string value = text.substr(equals + 1);
  if (colon == std::string::npos || colon > equals) {
    argument.value = number(text, argument.type, value);
    return argument;
  }
  const std::string count = text.substr(colon + 1, equals - colon - 1);
  const bool digits = !count.empty() && count.size() < 13 &&
                      std::all_of(count.begin(), count.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::stoull(count) == 0) refuse(text, "'" + count + "' is no count");
  argument.count = std::stoull(count);
  argument.buffer = memory.allocate(argument.count * argument.element_bytes);
  if (!argument.buffer)
    refuse(text, std::to_string(argument.count * argument.element_bytes) + " bytes are more than the " +
                     std::to_string(memory.total()) + " there are");
  argument.value = reinterpret_cast<std::uint64_t>(argument.buffer);
  if (value == "unset") return argument;
  fill(argument, value);
  memory.mark_written(argument.buffer, argument.count * argument.element_bytes);
  return argument;
}

std::string shown(const Argument& argument, const Memory& memory, std::size_t count) {
  std::string out;
  Block block;
  if (!memory.find(argument.value, block)) return out;
  for (std::size_t i = 0; i < std::min(count, argument.count); ++i) {
    const std::uint8_t* written = block.written + i * argument.element_bytes;
    if (std::count(written, written + argument.element_bytes, 0) > 0) {
      out += " unset";
      continue;
    }
    std::uint64_t bits = 0;
    std::memcpy(&bits, static_cast<const std::uint8_t*>(argument.buffer) + i * argument.element_bytes,
                argument.element_bytes);
    char text[48];
    const std::string& t = argument.type;
    if (t == "f64")
      std::snprintf(text, sizeof text, " %.17g", std::bit_cast<double>(bits));
    else if (is_real(t)) {
      const float v = t == "f16"    ? half_value(static_cast<std::uint16_t>(bits))
                      : t == "bf16" ? std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16)
                                    : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      std::snprintf(text, sizeof text, " %.9g", static_cast<double>(v));
    } else if (t == "i32")
      std::snprintf(text, sizeof text, " %d", static_cast<int>(bits));
    else if (t == "i64")
      std::snprintf(text, sizeof text, " %lld", static_cast<long long>(bits));
    else
      std::snprintf(text, sizeof text, " %llu", static_cast<unsigned long long>(bits));
    out += text;
  }
  return out;
}

}  // namespace portico::standin::check
