// The convolution behind cuDNN and MIOpen.
#pragma once

#include <array>
#include <cstdint>

#include "tests/standin/blas/product.hpp"
#include "tests/standin/driver/device.hpp"

namespace portico::standin::conv {

using blas::Type;
using Four = std::array<std::int64_t, 4>;

/// Extents are written N, C, H, W (a filter's K, C / groups, R, S); the strides say how they lie in memory.
struct Tensor {
  void* data = nullptr;
  Type type = Type::f32;
  Four extents{}, strides{};
};

/// Whether the strides are those of a dense tensor, channels first or channels last.
bool is_dense(const Tensor& tensor);

enum class Pass { forward, data, filter };

/// Forward: y = relu?(conv(x, w) + bias); data: x receives the gradient; filter: w does.
struct Convolution {
  Pass pass = Pass::forward;
  Tensor x, w, y;
  Tensor bias;  ///< of one element a channel; absent without data
  bool relu = false;
  bool tf32 = false;      ///< the factors are rounded as tensor cores do it
  bool unstable = false;  ///< sums change from run to run, as sums by atomics do
  std::array<std::int64_t, 2> padding{}, stride{1, 1}, dilation{1, 1};

  std::int64_t groups() const { return x.extents[1] / w.extents[1]; }
};

/// Whether the extents are those of a convolution.
bool fits(const Convolution& conv);

/// Whether all that is touched lies in memory of the device; says on stderr what does not.
bool in_memory(Device& device, const Convolution& conv);

/// A code of the driver's.
int run(Device& device, const Convolution& conv);

}  // namespace portico::standin::conv
