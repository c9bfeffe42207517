// How far a result may lie from its reference in double. The one place where the tests' tolerances are made.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "portico/dtype.hpp"

namespace portico::test {

/// Unit roundoff of the float arithmetic that every kernel uses.
constexpr double kFloatRoundoff = 0x1p-24;

/// Relative error of storing a value in `dtype`, rounded to nearest.
constexpr double storage_roundoff(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return 0x1p-11;
    case DType::bf16:
      return 0x1p-8;
    default:
      return kFloatRoundoff;
  }
}

/// Half the spacing of `dtype` around zero: what a value may lose where the relative bound no longer holds.
constexpr double storage_floor(DType dtype) { return dtype == DType::f16 ? 0x1p-25 : 0.0; }

/// The largest accepted |value - reference| of a result that is a sum of `length` rounded terms of size about
/// `magnitude` (1 for inputs in [-1, 1]) and is stored once in `dtype`.
///
/// Arithmetic: a few roundings for the formula itself, and a random walk of roundings along the sum, whose partial sums
/// are at most the larger of |reference| and magnitude * sqrt(length). `factor` is the case's own: 1 unless the formula
/// takes more roundings or intermediate results are stored.
inline double tolerance(DType dtype, std::int64_t length, double magnitude, double factor, double reference) {
  const double root = std::sqrt(static_cast<double>(std::max<std::int64_t>(length, 1)));
  const double partial = std::max(std::abs(reference), magnitude * root);
  const double arithmetic = kFloatRoundoff * (6.0 + root) * partial;
  return factor * (arithmetic + storage_roundoff(dtype) * std::abs(reference) + storage_floor(dtype));
}

}  // namespace portico::test
