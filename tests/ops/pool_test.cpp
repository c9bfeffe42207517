// Max and average pooling against references that walk each window.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

// PyTorch's rule: in ceil mode a partial window counts when it starts inside the image or its leading padding.
std::int64_t windows(std::int64_t extent, std::int64_t covered, std::int64_t stride, std::int64_t padding, bool ceil) {
  const double count = static_cast<double>(extent + 2 * padding - covered) / static_cast<double>(stride);
  const auto result = static_cast<std::int64_t>(ceil ? std::ceil(count) : std::floor(count)) + 1;
  return ceil && (result - 1) * stride >= extent + padding ? result - 1 : result;
}

/// Calls each(output, its windows' element offsets, the window's area with the padding) over [n, c] planes.
template <typename Each>
void for_windows(const Shape& x, Pair kernel, Pair stride, Pair padding, Pair dilation, bool ceil, Each&& each) {
  const std::int64_t h = x[2], w = x[3];
  const std::int64_t p = windows(h, dilation[0] * (kernel[0] - 1) + 1, stride[0], padding[0], ceil);
  const std::int64_t q = windows(w, dilation[1] * (kernel[1] - 1) + 1, stride[1], padding[1], ceil);
  for (std::int64_t plane = 0; plane < x[0] * x[1]; ++plane)
    for (std::int64_t pp = 0; pp < p; ++pp)
      for (std::int64_t qq = 0; qq < q; ++qq) {
        std::vector<std::size_t> inside;
        std::int64_t area = 0;
        for (std::int64_t r = 0; r < kernel[0]; ++r)
          for (std::int64_t s = 0; s < kernel[1]; ++s) {
            const std::int64_t hh = pp * stride[0] - padding[0] + r * dilation[0];
            const std::int64_t ww = qq * stride[1] - padding[1] + s * dilation[1];
            if (hh < h + padding[0] && ww < w + padding[1]) ++area;
            if (hh >= 0 && hh < h && ww >= 0 && ww < w)
              inside.push_back(static_cast<std::size_t>((plane * h + hh) * w + ww));
          }
        each(inside, area);
      }
}

OpCase max_case(const std::string& name, const Shape& x, const MaxPool2dOptions& o) {
  return {.name = "max_" + name,
          .inputs = {x},
          .op = [o](const auto& in) { return max_pool2d(in[0], o); },
          .reference =
              [x, o](const auto& in) {
                Doubles y;
                for_windows(x, o.kernel, o.stride.value_or(o.kernel), o.padding, o.dilation, o.ceil_mode,
                            [&](const auto& inside, std::int64_t) {
                              double best = -std::numeric_limits<double>::infinity();
                              for (const std::size_t i : inside) best = std::max(best, in[0][i]);
                              y.push_back(best);
                            });
                return y;
              },
          .length = o.kernel[0] * o.kernel[1],  // windows over one element, whose gradients add up
          .values = {{.distinct = true}}};
}

OpCase average_case(const std::string& name, const Shape& x, const AvgPool2dOptions& o) {
  return {.name = "average_" + name,
          .inputs = {x},
          .op = [o](const auto& in) { return avg_pool2d(in[0], o); },
          .reference =
              [x, o](const auto& in) {
                Doubles y;
                for_windows(x, o.kernel, o.stride.value_or(o.kernel), o.padding, {1, 1}, o.ceil_mode,
                            [&](const auto& inside, std::int64_t area) {
                              double sum = 0.0;
                              for (const std::size_t i : inside) sum += in[0][i];
                              const auto counted = static_cast<std::int64_t>(inside.size());
                              y.push_back(sum / static_cast<double>(
                                                    o.divisor_override.value_or(o.count_include_pad ? area : counted)));
                            });
                return y;
              },
          .length = o.kernel[0] * o.kernel[1]};
}

// Channels below, at and beyond the CPU shape's vectors of 16; windows that overlap, leave gaps, hang over the border.
const std::vector<OpCase>& max_cases() {
  static const std::vector<OpCase> cases = {
      max_case("2x2", {2, 32, 8, 8}, {}),
      max_case("2x2_odd_image", {1, 33, 7, 9}, {}),
      max_case("one_channel", {2, 1, 8, 31}, {}),
      max_case("channels_7", {2, 7, 6, 5}, {.kernel = {3, 3}, .stride = Pair{2, 2}, .padding = {1, 1}}),
      max_case("3x3_overlapping", {1, 16, 8, 7}, {.kernel = {3, 3}, .stride = Pair{2, 2}, .padding = {1, 1}}),
      max_case("3x3_stride_1", {1, 17, 5, 6}, {.kernel = {3, 3}, .stride = Pair{1, 1}, .padding = {1, 1}}),
      max_case("gaps", {1, 16, 9, 9}, {.kernel = {2, 2}, .stride = Pair{3, 4}}),
      max_case("2x3_window", {1, 31, 7, 8}, {.kernel = {2, 3}, .stride = Pair{2, 1}, .padding = {1, 0}}),
      max_case("ceil", {1, 20, 8, 7}, {.kernel = {3, 3}, .stride = Pair{2, 2}, .ceil_mode = true}),
      max_case("ceil_padded", {1, 16, 6, 6},
               {.kernel = {2, 2}, .stride = Pair{4, 3}, .padding = {1, 1}, .ceil_mode = true}),
      max_case("dilated", {1, 24, 9, 8},
               {.kernel = {3, 2}, .stride = Pair{1, 2}, .padding = {1, 1}, .dilation = {2, 3}}),
      max_case("window_of_one", {1, 16, 3, 3}, {.kernel = {1, 1}}),
      max_case("whole_image", {2, 16, 7, 7}, {.kernel = {7, 7}}),
      max_case("more_than_a_byte", {1, 16, 16, 16}, {.kernel = {16, 16}}),
  };
  return cases;
}

const std::vector<OpCase>& average_cases() {
  static const std::vector<OpCase> cases = {
      average_case("2x2", {2, 32, 8, 8}, {}),
      average_case("one_channel", {2, 1, 7, 8}, {}),
      average_case("whole_image", {2, 33, 7, 7}, {.kernel = {7, 7}}),
      average_case("padded", {1, 16, 7, 8}, {.kernel = {3, 3}, .stride = Pair{2, 2}, .padding = {1, 1}}),
      average_case("padding_left_out", {1, 17, 7, 8},
                   {.kernel = {3, 3}, .stride = Pair{2, 2}, .padding = {1, 1}, .count_include_pad = false}),
      average_case("ceil", {1, 31, 6, 8},
                   {.kernel = {3, 2}, .stride = Pair{2, 3}, .padding = {1, 0}, .ceil_mode = true}),
      average_case(
          "ceil_padding_left_out", {1, 8, 6, 8},
          {.kernel = {3, 3}, .stride = Pair{2, 2}, .padding = {1, 1}, .ceil_mode = true, .count_include_pad = false}),
      average_case("divisor", {1, 16, 6, 6}, {.kernel = {3, 3}, .stride = Pair{1, 2}, .divisor_override = 5}),
  };
  return cases;
}

}  // namespace

TEST_CASE("max_pool2d agrees with its reference", "[pool]") { check_forward(GENERATE(from_range(max_cases()))); }

TEST_CASE("avg_pool2d agrees with its reference", "[pool]") { check_forward(GENERATE(from_range(average_cases()))); }

TEST_CASE("pooling of half storage agrees with its reference", "[pool][half]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  check_forward(max_cases()[4], dtype);
  check_forward(average_cases()[3], dtype);
}

TEST_CASE("max_pool2d's gradient agrees with central differences", "[pool][gradient]") {
  check_gradient(GENERATE(from_range(max_cases())));
}

TEST_CASE("avg_pool2d's gradient agrees with central differences", "[pool][gradient]") {
  check_gradient(GENERATE(from_range(average_cases())));
}

TEST_CASE("max_pool2d gives the gradient of equal maxima to the first, and lets NaN win", "[pool]") {
  const std::int64_t channels = GENERATE(1, 16);
  const Tensor x = Tensor::ones({1, channels, 2, 2}).set_requires_grad();
  max_pool2d(x).backward(Tensor::ones({1, channels, 1, 1}));
  const std::vector<float> grad = x.grad().to_vector();
  for (std::size_t i = 0; i < grad.size(); ++i) CHECK(grad[i] == (i % 4 == 0 ? 1.0f : 0.0f));

  std::vector<float> values(static_cast<std::size_t>(channels * 4), 3.0f);
  for (std::size_t i = 1; i < values.size(); i += 4) values[i] = std::nanf("");
  for (const float value : max_pool2d(Tensor::from(values, {1, channels, 2, 2})).to_vector()) CHECK(std::isnan(value));
}

TEST_CASE("pooling of no images makes no images", "[pool][empty]") {
  const Tensor x = Tensor::zeros({0, 3, 8, 8}).set_requires_grad();
  const Tensor y = GENERATE(true, false) ? max_pool2d(x) : avg_pool2d(x);
  CHECK(y.shape() == Shape{0, 3, 4, 4});
  y.backward(Tensor::zeros(y.shape()));
  CHECK(x.grad().shape() == x.shape());
}

TEST_CASE("pooling refuses what does not fit", "[pool][errors]") {
  const Tensor x = Tensor::zeros({1, 3, 4, 4});
  const auto refused = [](const std::function<void()>& call, std::string_view part) {
    check_error(call, ErrorCode::invalid_argument, part);
  };
  refused([&] { max_pool2d(x, {.kernel = {5, 2}}); }, "max_pool2d: a window of [5,2] is larger than x [1,3,4,4]");
  refused(
      [&] {
        max_pool2d(x, {.kernel = {2, 2}, .padding = {2, 0}});
      },
      "padding [2,0] must be from 0 to half of kernel [2,2]");
  refused([&] { max_pool2d(x, {.kernel = {0, 2}}); }, "kernel [0,2] must be at least 1");
  refused([&] { max_pool2d(x, {.kernel = {2, 2}, .stride = Pair{0, 1}}); }, "stride [0,1] must be at least 1");
  refused([&] { max_pool2d(x, {.kernel = {2, 2}, .dilation = {1, 0}}); }, "dilation [1,0] must be at least 1");
  refused([&] { avg_pool2d(x, {.kernel = {5, 5}}); }, "avg_pool2d: a window of [5,5]");
  refused([&] { avg_pool2d(x, {.divisor_override = 0}); }, "avg_pool2d: divisor_override 0 must be at least 1");
  refused([&] { avg_pool2d(Tensor::zeros({3, 4})); }, "avg_pool2d: x [3,4] needs four axes");
}

}  // namespace portico::test
