// The gradient behind a bias and an activation, as gemm's epilogue applies them.
#pragma once

#include "ops/common.hpp"

namespace portico::detail {

struct ActivationGradient {
  Tensor dz;    ///< dy itself when there is no activation
  Tensor bias;  ///< the column sums of dz, of dz's dtype; undefined unless asked for
};

/// dz = dy * act'(.) over rows of `cols` elements. `saved` is relu's result or gelu's input; unused without activation.
/// dy is row-major or becomes so.
ActivationGradient activation_gradient(const Tensor& dy, const Tensor& saved, Activation activation, std::int64_t cols,
                                       bool with_bias);

}  // namespace portico::detail
