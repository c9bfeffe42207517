#include <cmath>

#include "nn/checks.hpp"
#include "ops/conv_pool.hpp"
#include "portico/nn/layers.hpp"

namespace portico::nn {
namespace {

// x with `extra` more rows of zeros below and columns to the right.
Tensor widened(const Tensor& x, const Pair& extra) {
  Tensor result = x;
  for (int axis = 2; axis < 4; ++axis) {
    if (extra[axis - 2] == 0) continue;
    Shape border = result.shape();
    border[axis] = extra[axis - 2];
    result = concat({result, Tensor::zeros(border, {.dtype = x.dtype(), .device = x.device()})}, axis);
  }
  return result;
}

}  // namespace

Conv2d::Conv2d(std::int64_t in, std::int64_t out, Pair kernel, const Conv2dLayerOptions& options)
    : in_(in), out_(out), kernel_(kernel), same_(options.same) {
  constexpr const char* kName = "Conv2d";
  const std::int64_t groups = options.groups;
  check(in >= 0 && out >= 0, kName,
        "in and out are " + text(in) + " and " + text(out) + " channels; they must not be negative");
  check(groups >= 1, kName, "groups is " + text(groups) + "; it must be at least 1");
  check(in % groups == 0 && out % groups == 0, kName,
        text(groups) + " groups do not divide " + text(in) + " input and " + text(out) + " output channels");
  check_pair(kernel, 1, kName, "kernel");
  check_pair(options.stride, 1, kName, "stride");
  check_pair(options.padding, 0, kName, "padding");
  check_pair(options.dilation, 1, kName, "dilation");
  options_ = {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = groups};
  if (same_) {
    check(options.stride == Pair{1, 1}, kName, "same padding needs stride 1, stride is " + text(options.stride));
    check(options.padding == Pair{0, 0}, kName,
          "padding is " + text(options.padding) + "; same chooses it, leave it 0");
    for (int i = 0; i < 2; ++i) {
      const std::int64_t total = options.dilation[i] * (kernel[i] - 1);
      options_.padding[i] = total / 2;
      extra_padding_[i] = total % 2;
    }
  }

  const std::int64_t fan_in = in / groups * kernel[0] * kernel[1];
  const float bound = fan_in > 0 ? 1.0f / std::sqrt(static_cast<float>(fan_in)) : 0.0f;
  const Shape shape = {out, in / groups, kernel[0], kernel[1]};
  weight = add_parameter("weight", Tensor::uniform(shape, -bound, bound, options.tensor));
  if (options.bias) bias = add_parameter("bias", Tensor::uniform({out}, -bound, bound, options.tensor));
}

Tensor Conv2d::forward(const Tensor& x, Activation activation) {
  Conv2dOptions options = options_;
  options.activation = activation;
  return conv2d(padded(x), weight, bias, options);
}

Tensor Conv2d::forward_relu_pool(const Tensor& x) {
  return detail::conv2d_relu_pool(padded(x), weight, bias, options_);
}

Tensor Conv2d::padded(const Tensor& x) const {
  const bool pads = extra_padding_ != Pair{0, 0} && x.defined() && x.rank() == 4;  // else conv2d says what is wrong
  return pads ? widened(x, extra_padding_) : x;
}

std::string Conv2d::describe() const {
  std::string result = "Conv2d(" + text(in_) + ", " + text(out_) + ", kernel_size=" + text(kernel_) +
                       ", stride=" + text(options_.stride);
  if (same_)
    result += ", padding=same";
  else if (options_.padding != Pair{0, 0})
    result += ", padding=" + text(options_.padding);
  if (options_.dilation != Pair{1, 1}) result += ", dilation=" + text(options_.dilation);
  if (options_.groups != 1) result += ", groups=" + text(options_.groups);
  if (!bias.defined()) result += ", bias=False";
  return result + ")";
}

}  // namespace portico::nn
