// The launches of Winograd's algorithm for 3x3 convolutions of stride 1, on channels-last tensors and without history.
#pragma once

#include "ops/conv_launch.hpp"
#include "ops/winograd_plan.hpp"

namespace portico::detail {

/// As run_walk: y = act(conv(x, weight) + bias), or with `gradient` the input's gradient, where x is dy and y is dx.
/// With `which` (CPU shape) relu and 2x2 max-pooling follow at once.
void run_winograd(const WinogradCall& call, bool gradient, bool cpu, const Tensor& x, const Tensor& weight,
                  const Tensor& bias, const Tensor& y, Activation activation, const Tensor& which = {});

/// As weight_gradients, into the tensors of `result` that are defined.
void winograd_weight_gradients(const WinogradCall& call, bool cpu, const Tensor& x, const Tensor& dy, const Tensor& y,
                               const WeightGradients& result);

}  // namespace portico::detail
