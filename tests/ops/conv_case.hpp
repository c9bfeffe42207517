// Convolutions as cases: sizes, and a reference that is one sum over the filter, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "op_check.hpp"

namespace portico::test {

struct Sizes {
  std::int64_t n, c, h, w, k, r, s;
  Conv2dOptions options = {};
  bool bias = true;
};

inline std::int64_t out(std::int64_t extent, std::int64_t filter, const Conv2dOptions& o, int axis) {
  return (extent + 2 * o.padding[axis] - o.dilation[axis] * (filter - 1) - 1) / o.stride[axis] + 1;
}

inline Doubles conv_reference(const Sizes& z, const std::vector<Doubles>& in) {
  const std::int64_t p = out(z.h, z.r, z.options, 0), q = out(z.w, z.s, z.options, 1);
  const std::int64_t cg = z.c / z.options.groups, kg = z.k / z.options.groups;
  Doubles y(static_cast<std::size_t>(z.n * z.k * p * q));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < z.n; ++n)
    for (std::int64_t k = 0; k < z.k; ++k)
      for (std::int64_t pp = 0; pp < p; ++pp)
        for (std::int64_t qq = 0; qq < q; ++qq, ++at) {
          double sum = z.bias ? in[2][static_cast<std::size_t>(k)] : 0.0;
          for (std::int64_t c = 0; c < cg; ++c)
            for (std::int64_t r = 0; r < z.r; ++r)
              for (std::int64_t s = 0; s < z.s; ++s) {
                const std::int64_t h = pp * z.options.stride[0] - z.options.padding[0] + r * z.options.dilation[0];
                const std::int64_t w = qq * z.options.stride[1] - z.options.padding[1] + s * z.options.dilation[1];
                if (h < 0 || h >= z.h || w < 0 || w >= z.w) continue;
                const std::int64_t x = ((n * z.c + k / kg * cg + c) * z.h + h) * z.w + w;
                sum += in[0][static_cast<std::size_t>(x)] *
                       in[1][static_cast<std::size_t>(((k * cg + c) * z.r + r) * z.s + s)];
              }
          y[at] = z.options.activation == Activation::relu   ? std::max(sum, 0.0)
                  : z.options.activation == Activation::gelu ? 0.5 * sum * (1.0 + std::erf(sum / std::sqrt(2.0)))
                  : z.options.activation == Activation::gelu_tanh
                      ? 0.5 * sum *
                            (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (sum + 0.044715 * sum * sum * sum)))
                      : sum;
        }
  return y;
}

inline OpCase conv_case(const std::string& name, const Sizes& z) {
  const std::int64_t cg = z.c / z.options.groups, p = out(z.h, z.r, z.options, 0), q = out(z.w, z.s, z.options, 1);
  std::vector<Shape> inputs = {{z.n, z.c, z.h, z.w}, {z.k, cg, z.r, z.s}};
  if (z.bias) inputs.push_back({z.k});
  return {.name = name,
          .inputs = inputs,
          .op = [z](const auto& in) { return conv2d(in[0], in[1], z.bias ? in[2] : Tensor(), z.options); },
          .reference = [z](const auto& in) { return conv_reference(z, in); },
          // The longest sums: over the filter forward, over all pixels for the weights' gradient.
          .length = std::max(cg * z.r * z.s, z.n * p * q)};
}

inline Conv2dOptions options(Pair stride, Pair padding, Pair dilation = {1, 1}, std::int64_t groups = 1,
                             Activation activation = Activation::none) {
  return {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups, .activation = activation};
}

}  // namespace portico::test
