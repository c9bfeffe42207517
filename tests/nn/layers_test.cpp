// Layers: initial values, printing, refused options, and that each hands its options to its operation.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

const auto kInvalid = ErrorCode::invalid_argument;

// Uniform in +-bound: mean 0, variance bound^2 / 3, and the ends nearly reached. Six standard errors of each estimate.
void check_uniform(const Tensor& tensor, double bound) {
  const std::vector<float> values = tensor.to_vector();
  const double n = static_cast<double>(values.size());
  double mean = 0.0, square = 0.0;
  for (const float value : values) {
    mean += value / n;
    square += double(value) * value / n;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  INFO(tensor.describe() << " should be uniform in +-" << bound << "; mean " << mean << ", square " << square
                         << ", from " << *low << " to " << *high);
  CHECK(*low >= -bound);
  CHECK(*high <= bound);
  CHECK(*low < -bound * (1.0 - 24.0 / n));
  CHECK(*high > bound * (1.0 - 24.0 / n));
  CHECK(std::abs(mean) < 6.0 * bound / std::sqrt(3.0 * n));
  CHECK(std::abs(square - bound * bound / 3.0) < 6.0 * bound * bound * std::sqrt(4.0 / (45.0 * n)));
}

Tensor numbers(const Shape& shape) { return Tensor::uniform(shape, -1.0f, 1.0f); }

}  // namespace

TEST_CASE("Linear and Conv2d start as PyTorch's", "[nn][init]") {
  seed(11);
  const nn::Linear linear(400, 300);
  CHECK(linear.weight.shape() == Shape{300, 400});
  check_uniform(linear.weight, 1.0 / 20.0);
  check_uniform(linear.bias, 1.0 / 20.0);
  const nn::Conv2d conv(32, 64, 3, {.groups = 2});
  CHECK(conv.weight.shape() == Shape{64, 16, 3, 3});
  check_uniform(conv.weight, 1.0 / 12.0);
  check_uniform(conv.bias, 1.0 / 12.0);
  check_uniform(nn::Conv2d(1, 500, {4, 9}).weight, 1.0 / 6.0);
}

TEST_CASE("the seed decides the initial values", "[nn][init]") {
  seed(5);
  const std::vector<float> first = nn::Linear(7, 9).weight.to_vector();
  const std::vector<float> second = nn::Linear(7, 9).weight.to_vector();
  seed(5);
  CHECK(nn::Linear(7, 9).weight.to_vector() == first);
  CHECK(first != second);
}

TEST_CASE("parameters of other dtypes, none, and empty ones", "[nn][init]") {
  const nn::Linear half(8, 4, {.tensor = {.dtype = DType::bf16}});
  CHECK(half.weight.dtype() == DType::bf16);
  CHECK(half.bias.dtype() == DType::bf16);
  CHECK_FALSE(nn::Conv2d(2, 2, 1, {.bias = false}).bias.defined());
  CHECK(nn::Linear(0, 4).bias.to_vector() == std::vector<float>(4, 0.0f));
  CHECK(nn::Linear(4, 0).parameter_count() == 0);
}

TEST_CASE("layers print as PyTorch's do", "[nn]") {
  CHECK(nn::Linear(784, 10).describe() == "Linear(in_features=784, out_features=10, bias=True)");
  CHECK(nn::Conv2d(1, 32, 3).describe() == "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1))");
  CHECK(nn::Conv2d(4, 32, {3, 5}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 4, .bias = false})
            .describe() ==
        "Conv2d(4, 32, kernel_size=(3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=4, bias=False)");
  CHECK(nn::Conv2d(1, 2, 3, {.same = true}).describe() ==
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same)");
  CHECK(nn::MaxPool2d(2).describe() == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
  CHECK(nn::MaxPool2d({.kernel = {3, 2}, .stride = Pair{2, 2}, .padding = {1, 0}, .ceil_mode = true}).describe() ==
        "MaxPool2d(kernel_size=(3, 2), stride=2, padding=(1, 0), dilation=1, ceil_mode=True)");
  CHECK(nn::AvgPool2d(3).describe() == "AvgPool2d(kernel_size=3, stride=3, padding=0)");
  CHECK(nn::ReLU().describe() == "ReLU()");
  CHECK(nn::LeakyReLU().describe() == "LeakyReLU(negative_slope=0.01)");
  CHECK(nn::ELU().describe() == "ELU(alpha=1.0)");
  CHECK(nn::GELU().describe() == "GELU(approximate='none')");
  CHECK(nn::GELU(Gelu::tanh).describe() == "GELU(approximate='tanh')");
  CHECK(nn::SiLU().describe() == "SiLU()");
  CHECK(nn::Sigmoid().describe() == "Sigmoid()");
  CHECK(nn::Tanh().describe() == "Tanh()");
  CHECK(nn::Softplus().describe() == "Softplus(beta=1.0, threshold=20.0)");
  CHECK(nn::Softmax(1).describe() == "Softmax(dim=1)");
  CHECK(nn::Dropout(0.25f).describe() == "Dropout(p=0.25, inplace=False)");
  CHECK(nn::Flatten().describe() == "Flatten(start_dim=1, end_dim=-1)");
}

TEST_CASE("options that no input could fit are refused", "[nn][errors]") {
  check_error([] { nn::Linear(-1, 2); }, kInvalid, "Linear: in and out are -1 and 2; they must not be negative");
  check_error([] { nn::Conv2d(1, -2, 3); }, kInvalid, "Conv2d: in and out are 1 and -2 channels");
  check_error([] { nn::Conv2d(4, 6, 3, {.groups = 4}); }, kInvalid,
              "Conv2d: 4 groups do not divide 4 input and 6 output channels");
  check_error([] { nn::Conv2d(4, 6, 3, {.groups = 0}); }, kInvalid, "Conv2d: groups is 0; it must be at least 1");
  check_error([] { nn::Conv2d(1, 1, 0); }, kInvalid, "Conv2d: kernel is (0, 0); it must be at least 1");
  check_error([] { nn::Conv2d(1, 1, 3, {.stride = {1, 0}}); }, kInvalid, "Conv2d: stride is (1, 0)");
  check_error([] { nn::Conv2d(1, 1, 3, {.padding = {-1, 0}}); }, kInvalid, "Conv2d: padding is (-1, 0)");
  check_error([] { nn::Conv2d(1, 1, 3, {.dilation = {0, 1}}); }, kInvalid, "Conv2d: dilation is (0, 1)");
  check_error(
      [] {
        nn::Conv2d(1, 1, 3, {.stride = {2, 2}, .same = true});
      },
      kInvalid, "Conv2d: same padding needs stride 1, stride is (2, 2)");
  check_error([] { nn::Conv2d(1, 1, 3, {.padding = {1, 1}, .same = true}); }, kInvalid, "Conv2d: padding is (1, 1)");
  check_error(
      [] {
        nn::MaxPool2d({.kernel = {3, 3}, .padding = {2, 0}});
      },
      kInvalid, "MaxPool2d: padding is (2, 0); it must be at most half the kernel (3, 3)");
  check_error([] { nn::MaxPool2d(0); }, kInvalid, "MaxPool2d: kernel is (0, 0)");
  check_error([] { nn::AvgPool2d({.stride = Pair{0, 1}}); }, kInvalid, "AvgPool2d: stride is (0, 1)");
  check_error([] { nn::AvgPool2d({.divisor_override = 0}); }, kInvalid, "AvgPool2d: divisor_override is 0");
  check_error([] { nn::Dropout(1.5f); }, kInvalid, "Dropout: p is 1.5; it must lie in [0, 1]");
  check_error([] { nn::Dropout(NAN); }, kInvalid, "Dropout: p is nan");
}

TEST_CASE("layers hand their options to their operations", "[nn]") {
  const Tensor x = numbers({2, 4, 6, 5});
  nn::Conv2d conv(4, 6, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2});
  CHECK(conv(x).to_vector() ==
        conv2d(x, conv.weight, conv.bias, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2})
            .to_vector());
  const MaxPool2dOptions max_options = {.kernel = {3, 2}, .stride = Pair{2, 1}, .padding = {1, 1}, .ceil_mode = true};
  CHECK(nn::MaxPool2d(max_options)(x).to_vector() == max_pool2d(x, max_options).to_vector());
  const AvgPool2dOptions avg_options = {.kernel = {3, 2}, .padding = {1, 1}, .count_include_pad = false};
  CHECK(nn::AvgPool2d(avg_options)(x).to_vector() == avg_pool2d(x, avg_options).to_vector());
}

TEST_CASE("activation layers are their functions", "[nn]") {
  const Tensor x = numbers({3, 7});
  const auto same = [&](nn::Module&& layer, const Tensor& expected) {
    INFO(layer.describe());
    CHECK(layer(x).to_vector() == expected.to_vector());
  };
  same(nn::ReLU(), relu(x));
  same(nn::LeakyReLU(0.2f), leaky_relu(x, 0.2f));
  same(nn::ELU(0.5f), elu(x, 0.5f));
  same(nn::GELU(), gelu(x));
  same(nn::GELU(Gelu::tanh), gelu(x, Gelu::tanh));
  same(nn::SiLU(), silu(x));
  same(nn::Sigmoid(), sigmoid(x));
  same(nn::Tanh(), tanh(x));
  same(nn::Softplus(2.0f, 1.0f), softplus(x, 2.0f, 1.0f));
  same(nn::Softmax(0), softmax(x, 0));
  CHECK(nn::Flatten()(numbers({2, 3, 4})).shape() == Shape{2, 12});
  CHECK(nn::Flatten(0, 1)(numbers({2, 3, 4})).shape() == Shape{6, 4});
}

TEST_CASE("same padding keeps the extent, for even and dilated kernels too", "[nn]") {
  const Tensor x = numbers({1, 2, 7, 6});
  struct Case {
    Pair kernel, dilation;
  };
  for (const auto& [kernel, dilation] :
       {Case{{3, 3}, {1, 1}}, Case{{2, 4}, {1, 1}}, Case{{2, 2}, {2, 1}}, Case{{1, 5}, {1, 3}}}) {
    nn::Conv2d layer(2, 3, kernel, {.dilation = dilation, .same = true});
    INFO(layer.describe());
    const Tensor y = layer(x);
    REQUIRE(y.shape() == Shape{1, 3, 7, 6});
    // More padding than needed on all sides; the wanted part begins where the left padding is total / 2.
    const Pair total = {dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)};
    const Tensor wide = conv2d(x, layer.weight, layer.bias, {.padding = total, .dilation = dilation});
    const Pair skip = {total[0] - total[0] / 2, total[1] - total[1] / 2};
    const Tensor expected = slice(slice(wide, 2, skip[0], skip[0] + 7), 3, skip[1], skip[1] + 6);
    const std::vector<float> wanted = expected.to_vector();
    check_values(y.to_vector(), Doubles(wanted.begin(), wanted.end()), DType::f32, 2 * kernel[0] * kernel[1]);
  }
}

TEST_CASE("dropout acts in training only", "[nn]") {
  nn::Dropout layer(0.5f);
  const Tensor x = Tensor::ones({1000});
  const std::vector<float> y = layer(x).to_vector();
  const auto zeros = std::count(y.begin(), y.end(), 0.0f), twos = std::count(y.begin(), y.end(), 2.0f);
  CHECK(zeros + twos == 1000);
  CHECK(zeros > 400);
  CHECK(zeros < 600);
  layer.eval();
  CHECK(layer(x).to_vector() == x.to_vector());
}

}  // namespace portico::test
