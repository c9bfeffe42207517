// Convolutions by the vendor's library, where the backend has one (cuDNN, MIOpen) and nothing asks for another
// algorithm. Every function answers "no" where there is none, or where it declines; the kernels of our own follow then.
#pragma once

#include "ops/winograd_plan.hpp"

namespace portico::detail {

/// Whether the library may be asked at all: it exists, PORTICO_VENDOR allows it, the algorithm is left open, and there
/// is something to compute; where the tuner found the own kernels to be faster, it is not asked.
bool vendor_takes(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass, ConvAlgorithm algorithm);

/// y = act(conv(x, weight) + bias) with everything in one call, or, where that rounds no more often, the product by the
/// library and the rest by kernels/gemm_finish.cl.
bool vendor_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y,
                    Activation activation, ConvAlgorithm algorithm);
bool vendor_input_gradient(const ConvShape& shape, const Tensor& dy, const Tensor& weight, const Tensor& dx,
                           ConvAlgorithm algorithm);
/// Row-major like the weight; undefined when the library declines. vendor_takes() was asked.
Tensor vendor_weight_gradient(const ConvShape& shape, const Tensor& x, const Tensor& dy);

}  // namespace portico::detail
