// Classes of convolutions that are cut alike, and what can be chosen for one.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/tuning/class_table.hpp"

namespace portico::detail {

/// Filters whose kernels are chosen among alike. Only a plain 3x3 has Winograd's algorithm.
enum class ConvFilter : std::uint8_t { one, three, three_strided, other, grouped };

/// dtype, pass, kind of filter, and the nearest powers of two of the channels and of the result's pixels.
struct ConvClass {
  std::uint8_t dtype = 0, pass = 0;  ///< pass: 0 forward, 1 the input's gradient, 2 the weight's
  ConvFilter filter = ConvFilter::one;
  std::uint8_t c = 0, k = 0, pixels = 0;  ///< exponents, 0 to 31

  bool operator==(const ConvClass&) const = default;
  std::uint32_t key() const {
    return static_cast<std::uint32_t>(dtype) << 20 | static_cast<std::uint32_t>(pass) << 18 |
           static_cast<std::uint32_t>(filter) << 15 | static_cast<std::uint32_t>(c) << 10 |
           static_cast<std::uint32_t>(k) << 5 | pixels;
  }
  /// Doublings between two classes; another type, pass or filter is no neighbour.
  int distance(const ConvClass& other) const {
    if (dtype != other.dtype || pass != other.pass || filter != other.filter) return 1000;
    return std::abs(c - other.c) + std::abs(k - other.k) + std::abs(pixels - other.pixels);
  }
};

/// What differs from the rules of ops/conv_plan.cpp and ops/winograd_plan.cpp; a field that says nothing leaves the
/// rule in force.
struct ConvChoice {
  int vendor = -1;         ///< 1: the vendor's library; 0: the own kernels
  int winograd = -1;       ///< 0: the direct sum; 2, 4: that tile, where there is such an algorithm
  std::uint32_t tile = 0;  ///< CPU shape: pixels of the direct kernel's tile

  bool operator==(const ConvChoice&) const = default;
  bool by_rule() const { return *this == ConvChoice{}; }
};

using ConvEntry = TunedClass<ConvClass, ConvChoice>;
using ConvTable = ClassTable<ConvClass, ConvChoice>;
using ForcedConvChoice = ForcedChoice<ConvChoice>;

/// "winograd 4"; "by rule" for an empty one.
std::string to_string(const ConvChoice& choice);
std::string to_string(const ConvClass& shape);

}  // namespace portico::detail
