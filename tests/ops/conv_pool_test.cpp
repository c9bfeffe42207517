// Convolution, ReLU and 2x2 max-pooling as one operation, which Sequential makes of three layers: held against the
// three operations. The sums behind a result are the same in the same order, so results are equal to the last bit.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

struct Sizes {
  std::int64_t n, c, h, w, k, r, s;
  Pair padding;
};

Doubles doubles(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  return {values.begin(), values.end()};
}

// Results and gradients of both ways; x takes a gradient or not.
void check_like_three(const Sizes& z, bool with_bias, bool input_gradient) {
  INFO("n " << z.n << " c " << z.c << " h " << z.h << " w " << z.w << " k " << z.k << " r " << z.r << " s " << z.s
            << " padding " << z.padding[0] << "," << z.padding[1] << " bias " << with_bias << " dx " << input_gradient);
  nn::Sequential network;
  const nn::Conv2d& layer = network.emplace<nn::Conv2d>(
      z.c, z.k, Pair{z.r, z.s}, nn::Conv2dLayerOptions{.padding = z.padding, .bias = with_bias});
  network.emplace<nn::ReLU>();
  network.emplace<nn::MaxPool2d>(2);
  const Tensor x = Tensor::uniform({z.n, z.c, z.h, z.w}, -1.0f, 1.0f).set_requires_grad(input_gradient);
  const Tensor y = network(x);
  const Tensor three = max_pool2d(relu(conv2d(x, layer.weight, layer.bias, layer.options())));
  REQUIRE(y.shape() == three.shape());
  CHECK(y.to_vector() == three.to_vector());

  const Tensor seed = Tensor::uniform(y.shape(), -1.0f, 1.0f);
  std::vector<Tensor> leaves = {layer.weight};
  if (with_bias) leaves.push_back(layer.bias);
  if (input_gradient) leaves.push_back(x);
  three.backward(seed);
  std::vector<Doubles> expected;
  for (const Tensor& leaf : leaves) {
    expected.push_back(doubles(leaf.grad()));
    leaf.clear_grad();
  }
  y.backward(seed);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    INFO("gradient " << i);
    check_values(leaves[i].grad().to_vector(), expected[i], DType::f32,
                 std::max(z.n * y.dim(2) * y.dim(3), z.k * z.r * z.s));
  }
}

}  // namespace

TEST_CASE("convolution, relu and pooling together agree with the three", "[conv2d][pool]") {
  seed(7);
  const Sizes sizes =
      GENERATE(Sizes{2, 16, 8, 8, 32, 3, 3, {1, 1}}, Sizes{3, 32, 14, 14, 64, 3, 3, {1, 1}},
               Sizes{1, 48, 7, 9, 32, 3, 3, {1, 1}},    // odd extents: a row and a column in no window
               Sizes{2, 16, 6, 33, 32, 3, 3, {0, 0}},   // no padding
               Sizes{1, 32, 31, 31, 32, 3, 3, {1, 1}},  // several bands of an image
               Sizes{1, 16, 4, 140, 32, 3, 3, {1, 1}},  // rows of more than 64 windows
               Sizes{33, 16, 2, 2, 32, 1, 1, {0, 0}},   // one window an image
               Sizes{2, 16, 7, 8, 64, 1, 3, {0, 2}}, Sizes{1, 16, 9, 8, 32, 4, 4, {2, 2}},
               Sizes{1, 16, 9, 9, 32, 5, 5, {2, 2}},  // too large a filter for the sparse gradients
               Sizes{2, 20, 6, 6, 32, 3, 3, {1, 1}},  // channels that do not fill vectors
               Sizes{2, 16, 6, 6, 33, 3, 3, {1, 1}},  // outputs that do not fill blocks
               Sizes{2, 1, 9, 8, 32, 3, 3, {1, 1}}, Sizes{2, 3, 9, 13, 64, 5, 5, {2, 2}});  // first layers
  check_like_three(sizes, GENERATE(true, false), GENERATE(true, false));
}

TEST_CASE("convolution, relu and pooling together: NaN, nothing at all, and what does not fit", "[conv2d][pool]") {
  nn::Sequential network;
  network.emplace<nn::Conv2d>(1, 32, 3);
  network.emplace<nn::ReLU>();
  network.emplace<nn::MaxPool2d>(2);
  for (const float value : network(Tensor::full({1, 1, 4, 4}, std::nanf(""))).to_vector()) CHECK(std::isnan(value));
  CHECK(network(Tensor::zeros({0, 1, 8, 8})).shape() == Shape{0, 32, 3, 3});
  check_error(
      [&] {
        network(Tensor::zeros({1, 2, 8, 8}));
      },
      ErrorCode::invalid_argument, "conv2d: weight [32,1,3,3] needs 1 input channels, x [1,2,8,8] has 2");
  check_error(
      [&] {
        network(Tensor::zeros({1, 1, 3, 8}));
      },
      ErrorCode::invalid_argument, "max_pool2d: a window of [2,2]");
}

}  // namespace portico::test
