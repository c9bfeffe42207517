#include <cmath>

#include "nn/checks.hpp"
#include "portico/nn/layers.hpp"

namespace portico::nn {

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options) : in_(in), out_(out) {
  check(in >= 0 && out >= 0, "Linear",
        "in and out are " + text(in) + " and " + text(out) + "; they must not be negative");
  const float bound = in > 0 ? 1.0f / std::sqrt(static_cast<float>(in)) : 0.0f;
  weight = add_parameter("weight", Tensor::uniform({out, in}, -bound, bound, options.tensor));
  if (options.bias) bias = add_parameter("bias", Tensor::uniform({out}, -bound, bound, options.tensor));
}

Tensor Linear::forward(const Tensor& x, Activation activation) { return linear(x, weight, bias, activation); }

std::string Linear::describe() const {
  return "Linear(in_features=" + text(in_) + ", out_features=" + text(out_) + ", bias=" + text(bias.defined()) + ")";
}

}  // namespace portico::nn
