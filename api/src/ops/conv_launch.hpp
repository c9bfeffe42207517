// The launches of a convolution's kernels, on channels-last tensors and without history. conv.cpp and conv_pool.cpp
// make operations of them.
#pragma once

#include "ops/conv_plan.hpp"

namespace portico::detail {

/// The CPU shape is written for f32 and 32-bit indices; everything else takes the other text, on any device.
bool takes_cpu_shape(const Device& device, DType dtype, const ConvShape& shape);
std::uint32_t units_of(const Device& device);

/// y = act(conv(x, weight) + bias); with walk.gradient one phase of the input's gradient, where x is dy and y is dx.
/// With walk.pooled y is pooled and `which` (u8, its shape) takes the winners' places.
void run_walk(const ConvShape& shape, const ConvWalk& walk, const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Tensor& y, Activation activation, const Tensor& which = {});

/// y = act(conv(x, weight) + bias) by the algorithm that `algorithm` comes to.
void run_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y,
                 Activation activation, ConvAlgorithm algorithm);
Tensor input_gradient(const ConvShape& shape, const Tensor& dy, const Tensor& weight, ConvAlgorithm algorithm);

struct WeightGradients {
  Tensor weight, bias, masked;  ///< masked: dy where relu passed, when asked for
};
/// y is the stored result when its relu masks dy, else undefined. With `which` dy is pooled, as run_walk made it.
WeightGradients weight_gradients(const ConvShape& shape, const Tensor& x, const Tensor& dy, const Tensor& y,
                                 bool want_weight, bool want_bias, bool want_masked, ConvAlgorithm algorithm,
                                 const Tensor& which = {});

/// dy where y > 0, else 0.
Tensor mask(const Tensor& dy, const Tensor& y);

}  // namespace portico::detail
