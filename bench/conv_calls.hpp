// Convolutions as calls to time: forward and both gradients, each as the operation that autograd would run.
#pragma once

#include <functional>
#include <string>

#include "portico/portico.hpp"
#include "timing.hpp"

namespace portico::bench {

struct Conv {
  std::int64_t n, c, h, w, k, r, s, stride, pad;

  std::string name() const {
    const auto part = [](const char* label, std::int64_t value) {
      return std::string("/") + label + ":" + std::to_string(value);
    };
    return (part("n", n) + part("c", c) + part("h", h) + part("w", w) + part("k", k) + part("r", r) + part("s", s) +
            part("stride", stride) + part("pad", pad));
  }
  std::int64_t out(std::int64_t extent, std::int64_t kernel) const { return (extent + 2 * pad - kernel) / stride + 1; }
  Work work() const {
    const auto in = static_cast<double>(n * c * h * w), weight = static_cast<double>(k * c * r * s);
    const auto result = static_cast<double>(n * k * out(h, r) * out(w, s));
    return {.bytes = 4 * (in + weight + result), .flops = 2 * result * static_cast<double>(c * r * s)};
  }
};

struct Operands {
  Operands(const Shape& x_shape, const Shape& weight_shape, const Conv2dOptions& how)
      : x(Tensor::uniform(x_shape, -1.0f, 1.0f).contiguous(Layout::channels_last)),
        weight(Tensor::uniform(weight_shape, -1.0f, 1.0f)),
        options(how) {}
  Operands(const Conv& conv)
      : Operands({conv.n, conv.c, conv.h, conv.w}, {conv.k, conv.c, conv.r, conv.s},
                 {.stride = {conv.stride, conv.stride}, .padding = {conv.pad, conv.pad}}) {}
  Tensor x, weight;
  Conv2dOptions options;
};

inline std::function<void()> conv_forward(const Operands& with) {
  return [with] {
    const NoGrad guard;
    conv2d(with.x, with.weight, {}, with.options);
  };
}

// One recorded forward whose graph is kept; each call runs one gradient of it.
inline std::function<void()> conv_gradient(Operands with, bool of_input) {
  (of_input ? with.x : with.weight).set_requires_grad();
  const Tensor y = conv2d(with.x, with.weight, {}, with.options);
  const Tensor seed = Tensor::uniform(y.shape(), -1.0f, 1.0f).contiguous(Layout::channels_last);
  return [with, y, seed, of_input] {
    (of_input ? with.x : with.weight).clear_grad();
    y.backward(seed, true);
  };
}

}  // namespace portico::bench
