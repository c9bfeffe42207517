// Launching kernels/random.cl.
#pragma once

#include <cstdint>

#include <memory>

#include "ops/common.hpp"
#include "runtime/capture.hpp"

namespace portico::detail {

/// A stretch of a Generator's counters, enough for `count` elements.
struct Stretch {
  std::uint64_t seed = 0;
  std::uint64_t first = 0;
  std::shared_ptr<const Values> replayed;  ///< inside a recorded graph: both as four words, new ones each replay
};
Stretch take_stretch(std::int64_t count);

enum class Random : std::uint32_t { uniform, normal, dropout };

/// Fills y in memory order: a + b u or a + b n; for dropout x where the word is at least `threshold`, times b.
void launch_random(Random kind, const Tensor* x, const Tensor& y, float a, float b, std::uint32_t threshold,
                   const Stretch& stretch);

}  // namespace portico::detail
