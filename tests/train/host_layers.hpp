// Layers on the host in double, plainly: values as [n][c][h][w] or [n][features] in one vector, gradients beside them.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace portico::test::host {

using Doubles = std::vector<double>;

/// A value and the gradient of the loss with respect to it.
struct Value {
  Doubles x, d;
  explicit Value(std::size_t count = 0) : x(count), d(count) {}
  explicit Value(Doubles values) : x(std::move(values)), d(x.size()) {}
};

/// 3x3 cross-correlation with stride 1 and padding 1. Weight [out][in][3][3].
struct Conv3x3 {
  int n, in, out, side;
  Value& weight;
  Value& bias;

  template <typename Visit>  // visit(output, input, weight) for every product that is summed
  void products(Visit&& visit) const {
    for (int b = 0; b < n; ++b)
      for (int k = 0; k < out; ++k)
        for (int y = 0; y < side; ++y)
          for (int x = 0; x < side; ++x)
            for (int c = 0; c < in; ++c)
              for (int r = 0; r < 3; ++r)
                for (int s = 0; s < 3; ++s) {
                  const int yy = y + r - 1, xx = x + s - 1;
                  if (yy < 0 || yy >= side || xx < 0 || xx >= side) continue;
                  visit(std::size_t(((b * out + k) * side + y) * side + x),
                        std::size_t(((b * in + c) * side + yy) * side + xx),
                        std::size_t(((k * in + c) * 3 + r) * 3 + s));
                }
  }
  Value forward(const Value& input) const {
    Value y(std::size_t(n * out * side * side));
    for (std::size_t i = 0; i < y.x.size(); ++i) y.x[i] = bias.x[i / std::size_t(side * side) % std::size_t(out)];
    products([&](std::size_t o, std::size_t i, std::size_t w) { y.x[o] += input.x[i] * weight.x[w]; });
    return y;
  }
  void backward(Value& input, const Value& y) const {
    for (std::size_t i = 0; i < y.d.size(); ++i) bias.d[i / std::size_t(side * side) % std::size_t(out)] += y.d[i];
    products([&](std::size_t o, std::size_t i, std::size_t w) {
      input.d[i] += y.d[o] * weight.x[w];
      weight.d[w] += y.d[o] * input.x[i];
    });
  }
};

/// y = x W^T + b, weight [out][in].
struct Dense {
  int n, in, out;
  Value& weight;
  Value& bias;

  Value forward(const Value& input) const {
    Value y(std::size_t(n * out));
    for (int b = 0; b < n; ++b)
      for (int k = 0; k < out; ++k) {
        y.x[b * out + k] = bias.x[k];
        for (int c = 0; c < in; ++c) y.x[b * out + k] += input.x[b * in + c] * weight.x[k * in + c];
      }
    return y;
  }
  void backward(Value& input, const Value& y) const {
    for (int b = 0; b < n; ++b)
      for (int k = 0; k < out; ++k) {
        bias.d[k] += y.d[b * out + k];
        for (int c = 0; c < in; ++c) {
          input.d[b * in + c] += y.d[b * out + k] * weight.x[k * in + c];
          weight.d[k * in + c] += y.d[b * out + k] * input.x[b * in + c];
        }
      }
  }
};

inline Value relu(const Value& input) {
  Value y(input.x);
  for (double& v : y.x) v = v > 0 ? v : 0;
  return y;
}
inline void relu_backward(Value& input, const Value& y) {
  for (std::size_t i = 0; i < y.d.size(); ++i) input.d[i] += input.x[i] > 0 ? y.d[i] : 0;
}

/// 2x2 windows without overlap: where each output's value comes from.
struct MaxPool2x2 {
  int planes, side;
  std::vector<std::size_t> from = {};

  Value forward(const Value& input) {
    const int half = side / 2;
    Value y(std::size_t(planes * half * half));
    from.assign(y.x.size(), 0);
    for (std::size_t i = 0; i < y.x.size(); ++i) {
      const int plane = int(i) / (half * half), py = int(i) / half % half, px = int(i) % half;
      for (int k = 0; k < 4; ++k) {
        const std::size_t at = std::size_t((plane * side + 2 * py + k / 2) * side + 2 * px + k % 2);
        if (k == 0 || input.x[at] > input.x[from[i]]) from[i] = at;
      }
      y.x[i] = input.x[from[i]];
    }
    return y;
  }
  void backward(Value& input, const Value& y) const {
    for (std::size_t i = 0; i < y.d.size(); ++i) input.d[from[i]] += y.d[i];
  }
};

/// Mean over n of the cross-entropy of softmax; fills the logits' gradient.
inline double cross_entropy(Value& logits, const std::vector<std::int32_t>& labels) {
  const std::size_t n = labels.size(), classes = logits.x.size() / n;
  double loss = 0;
  for (std::size_t b = 0; b < n; ++b) {
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += std::exp(logits.x[b * classes + k]);
    for (std::size_t k = 0; k < classes; ++k) {
      const bool wanted = k == std::size_t(labels[b]);
      logits.d[b * classes + k] += (std::exp(logits.x[b * classes + k]) / sum - wanted) / double(n);
      if (wanted) loss += (std::log(sum) - logits.x[b * classes + k]) / double(n);
    }
  }
  return loss;
}

}  // namespace portico::test::host
