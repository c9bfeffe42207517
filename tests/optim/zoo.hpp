// Parameters of every awkward kind, the same for every optimizer: sizes around the vector width and the chunk of a
// launch, views at odd offsets, channels-last memory, none at all; and more of them than one launch takes.
#pragma once

#include <cstdint>
#include <vector>

#include "portico/tensor.hpp"

namespace portico::test {

/// Numbers in [-1, 1) that depend on the seed alone.
class HostNumbers {
 public:
  explicit HostNumbers(std::uint32_t seed) : state_(seed * 2654435761u + 1u) {}
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) * 0x1p-23f - 1.0f;
  }
  std::vector<float> take(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = next();
    return values;
  }

 private:
  std::uint32_t state_;
};

struct Zoo {
  std::vector<Tensor> parameters;
  Tensor odd_memory;  ///< what the second parameter is a view of

  explicit Zoo(DType dtype, std::uint32_t seed = 1) {
    HostNumbers numbers(seed);
    const auto leaf = [&](const Shape& shape) {
      return Tensor::from(numbers.take(shape.count()), shape, {.dtype = dtype});
    };
    odd_memory = leaf({7, 5});
    parameters = {leaf({}), odd_memory.rows(1, 6), leaf({2, 3, 4, 5}).contiguous(Layout::channels_last), leaf({0, 3})};
    for (const std::int64_t count : {1, 7, 15, 16, 17, 31, 32, 33, 255, 2047, 2049, 8191, 8193, 20000})
      parameters.push_back(leaf({count}));
    for (Tensor& parameter : parameters) parameter = parameter.detach().set_requires_grad();
  }

  /// A gradient for step `step` (from 0), or none now and then.
  static bool has_gradient(std::size_t index, int step) { return index % 3 != 2 || (index + step) % 4 != 0; }
};

}  // namespace portico::test
