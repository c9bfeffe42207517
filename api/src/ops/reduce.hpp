// Reductions that other operations need.
#pragma once

#include <cstdint>

#include "ops/common.hpp"

namespace portico::detail {

/// The sum of `x` over the axes along which `shape` was broadcast to x's shape: the gradient of a broadcast operand.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// The sum over all elements of (a - b)^2, times `scale`, as a scalar of a's dtype. Equal shapes and layouts.
Tensor sum_squared_difference(const Tensor& a, const Tensor& b, float scale);

}  // namespace portico::detail
