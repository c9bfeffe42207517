// Classes of matrix products that are cut alike, and what can be chosen for one.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/tuning/class_table.hpp"

namespace portico::detail {

/// dtype, transposes and the nearest powers of two of m, n and k.
struct GemmClass {
  std::uint8_t dtype = 0, trans = 0;  ///< trans: 1 for A, 2 for B
  std::uint8_t m = 0, n = 0, k = 0;   ///< exponents, 0 to 31

  bool operator==(const GemmClass&) const = default;
  std::uint32_t key() const {
    return static_cast<std::uint32_t>(dtype) << 17 | static_cast<std::uint32_t>(trans) << 15 |
           static_cast<std::uint32_t>(m) << 10 | static_cast<std::uint32_t>(n) << 5 | k;
  }
  /// Doublings between two classes; a product of another type or transposition is no neighbour.
  int distance(const GemmClass& other) const {
    if (dtype != other.dtype || trans != other.trans) return 1000;
    return std::abs(m - other.m) + std::abs(n - other.n) + std::abs(k - other.k);
  }
};

/// The exponent of the power of two that is nearest by ratio.
constexpr std::uint8_t nearest_exponent(std::uint64_t value) {
  if (value <= 1) return 0;
  const int below = static_cast<int>(std::bit_width(value)) - 1;
  // value / 2^below > sqrt(2), in whole numbers; a shift loses nothing that matters above 2^20
  const std::uint64_t shifted = below > 20 ? value >> (below - 20) : value << (20 - below);
  const int exponent = shifted > 1482910 ? below + 1 : below;
  return static_cast<std::uint8_t>(exponent > 31 ? 31 : exponent);
}

/// What differs from the rules of ops/gemm_plan.cpp; a field that says nothing leaves the rule in force.
struct GemmChoice {
  int vendor = -1;          ///< 1: the vendor's library; 0: the own kernel
  std::uint32_t rows = 0;   ///< CPU shape: of a tile
  std::uint32_t vecs = 0;   ///< CPU shape: vectors of 16 in a row of a tile
  int pack_b = -1;          ///< CPU shape
  std::uint32_t depth = 0;  ///< CPU shape: the deepest block
  int tile = -1;            ///< GPU shape: number of the tile

  bool operator==(const GemmChoice&) const = default;
  bool by_rule() const { return *this == GemmChoice{}; }
};

using GemmEntry = TunedClass<GemmClass, GemmChoice>;
using GemmTable = ClassTable<GemmClass, GemmChoice>;
using ForcedGemmChoice = ForcedChoice<GemmChoice>;

/// "rows 8, pack_b 0"; "by rule" for an empty one.
std::string to_string(const GemmChoice& choice);
std::string to_string(const GemmClass& shape);

}  // namespace portico::detail
