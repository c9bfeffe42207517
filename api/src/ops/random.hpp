// Launching kernels/random.cl.
#pragma once

#include <cstdint>

#include "ops/common.hpp"

namespace portico::detail {

/// A stretch of a Generator's counters, enough for `count` elements.
struct Stretch {
  std::uint64_t seed;
  std::uint64_t first;
};
Stretch take_stretch(std::int64_t count);

enum class Random : std::uint32_t { uniform, normal, dropout };

/// Fills y in memory order: a + b u or a + b n; for dropout x where the word is at least `threshold`, times b.
void launch_random(Random kind, const Tensor* x, const Tensor& y, float a, float b, std::uint32_t threshold,
                   const Stretch& stretch);

}  // namespace portico::detail
