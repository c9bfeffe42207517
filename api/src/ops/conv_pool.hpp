// A convolution whose relu and max-pooling are one operation with it.
#pragma once

#include "portico/ops.hpp"

namespace portico::detail {

/// max_pool2d(conv2d(x, weight, bias, options with relu), 2x2 windows, stride 2), the same values and gradients.
/// options.activation is not looked at. On CPU devices one kernel makes the pooled result, the full one is never
/// stored, and the gradients use that of four pixels at most one has one; elsewhere, and for shapes that this does not
/// fit, the operations run one by one.
Tensor conv2d_relu_pool(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options);

}  // namespace portico::detail
