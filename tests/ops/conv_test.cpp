// conv2d against a reference that is one sum over the filter, with sizes around every tile of both kernel shapes.
#include <cmath>

#include "catch.hpp"
#include "conv_case.hpp"

namespace portico::test {
namespace {

// Channels, outputs and pixels at 1, 7, 8, 31, 33 and 64, where blocks of 16, 32 and 64 and tiles of 7 to 64 end.
const std::vector<OpCase>& plain_cases() {
  static const std::vector<OpCase> cases = {
      conv_case("one_of_everything", {1, 1, 1, 1, 1, 1, 1}),
      conv_case("first_layer", {2, 1, 9, 8, 32, 3, 3, options({1, 1}, {1, 1})}),
      conv_case("colour_7x7_stride_2", {1, 3, 15, 13, 33, 7, 7, options({2, 2}, {3, 3})}),
      conv_case("channels_7_to_31", {2, 7, 5, 6, 31, 3, 3, options({1, 1}, {1, 1})}),
      conv_case("channels_33_to_8", {1, 33, 7, 7, 8, 3, 3, options({1, 1}, {1, 1})}),
      conv_case("channels_64_to_33", {1, 64, 4, 5, 33, 3, 3, options({1, 1}, {0, 1})}),
      conv_case("channels_31_to_64_1x1", {2, 31, 8, 4, 64, 1, 1}),
      conv_case("channels_8_to_16_without_bias", {3, 8, 6, 6, 16, 3, 3, options({1, 1}, {1, 1}), false}),
      conv_case("pixels_33_wide", {1, 16, 3, 33, 7, 3, 3, options({1, 1}, {1, 1})}),
      conv_case("images_of_one_pixel", {33, 20, 1, 1, 8, 1, 1}),
      conv_case("images_of_one_pixel_padded", {8, 17, 1, 1, 5, 3, 3, options({1, 1}, {1, 1})}),
      conv_case("filter_as_large_as_x", {2, 8, 7, 5, 31, 7, 5}),
      conv_case("filter_1x3", {1, 16, 7, 8, 16, 1, 3, options({1, 1}, {0, 1})}),
      conv_case("filter_3x1", {1, 4, 8, 7, 16, 3, 1, options({1, 1}, {1, 0})}),
      conv_case("stride_2x3", {1, 8, 9, 11, 8, 3, 3, options({2, 3}, {1, 2})}),
      conv_case("stride_2_1x1", {2, 16, 7, 8, 33, 1, 1, options({2, 2}, {0, 0})}),
      conv_case("stride_beyond_filter", {1, 16, 8, 8, 16, 2, 2, options({3, 3}, {0, 0})}),
      conv_case("stride_beyond_x", {1, 17, 2, 2, 3, 1, 1, options({5, 5}, {0, 0})}),
      conv_case("dilation_2", {1, 8, 9, 9, 8, 3, 3, options({1, 1}, {2, 2}, {2, 2})}),
      conv_case("dilation_3x2_stride_2", {1, 3, 11, 10, 8, 3, 3, options({2, 2}, {3, 1}, {3, 2})}),
      conv_case("padding_beyond_filter", {1, 16, 3, 4, 8, 2, 2, options({1, 1}, {3, 2})}),
      conv_case("channels_512_to_513_1x1", {2, 512, 2, 3, 513, 1, 1}),  // a weight gradient by gemm
      conv_case("channels_512_to_513_1x1_stride", {2, 512, 3, 5, 513, 1, 1, options({2, 3}, {0, 0})}),
      conv_case("groups_3", {1, 21, 5, 5, 9, 3, 3, options({1, 1}, {1, 1}, {1, 1}, 3)}),
      conv_case("groups_2_of_33", {1, 66, 4, 4, 66, 1, 1, options({1, 1}, {0, 0}, {1, 1}, 2)}),
      conv_case("depthwise", {1, 33, 5, 6, 33, 3, 3, options({1, 1}, {1, 1}, {1, 1}, 33)}),
      conv_case("depthwise_stride_2_twofold", {1, 8, 7, 7, 16, 3, 3, options({2, 2}, {1, 1}, {1, 1}, 8)}),
  };
  return cases;
}

Conv2dOptions padded(Activation activation) { return options({1, 1}, {1, 1}, {1, 1}, 1, activation); }

// The bias keeps every sum away from relu's kink, where central differences mean nothing.
OpCase activation_case(const std::string& name, const Sizes& z) {
  OpCase op = conv_case(name, z);
  const double sums = 0.1 * 0.1 * static_cast<double>(z.c * z.r * z.s);
  op.values = {{.low = -0.1, .high = 0.1}, {.low = -0.1, .high = 0.1}, {.kinks = {0.0}, .distance = sums}};
  return op;
}

const std::vector<OpCase>& activation_cases() {
  static const std::vector<OpCase> cases = {
      activation_case("relu", {2, 8, 7, 8, 33, 3, 3, padded(Activation::relu)}),
      activation_case("relu_first_layer", {2, 1, 8, 8, 16, 3, 3, padded(Activation::relu)}),
      activation_case("relu_512_to_512_1x1",
                      {1, 512, 2, 2, 512, 1, 1, options({1, 1}, {0, 0}, {1, 1}, 1, Activation::relu)}),
      activation_case("gelu", {1, 8, 7, 5, 31, 3, 3, padded(Activation::gelu)}),
      activation_case("gelu_tanh", {1, 8, 7, 5, 31, 3, 3, padded(Activation::gelu_tanh)}),
  };
  return cases;
}

}  // namespace

TEST_CASE("conv2d agrees with its reference", "[conv2d]") { check_forward(GENERATE(from_range(plain_cases()))); }

TEST_CASE("conv2d with an activation agrees with its reference", "[conv2d]") {
  check_forward(GENERATE(from_range(activation_cases())));
}

TEST_CASE("conv2d with half storage agrees with its reference", "[conv2d][half]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  check_forward(plain_cases()[4], dtype);
  check_forward(activation_cases()[0], dtype);
}

TEST_CASE("conv2d's gradients agree with central differences", "[conv2d][gradient]") {
  check_gradient(GENERATE(from_range(plain_cases())));
}

TEST_CASE("conv2d's gradients through its activation agree with central differences", "[conv2d][gradient]") {
  check_gradient(GENERATE(from_range(activation_cases())));
}

TEST_CASE("conv2d with relu has the result and gradients of relu after conv2d", "[conv2d][gradient]") {
  const Shape sizes = GENERATE(Shape{8, 33}, Shape{1, 16}, Shape{33, 64});  // channels, outputs
  const Conv2dOptions together = padded(Activation::relu);
  std::vector<Tensor> inputs;
  for (const Shape& shape : {Shape{2, sizes[0], 7, 8}, Shape{sizes[1], sizes[0], 3, 3}, Shape{sizes[1]}})
    inputs.push_back(Tensor::uniform(shape, -1.0f, 1.0f).set_requires_grad());
  const Tensor seed = Tensor::uniform({2, sizes[1], 7, 8}, -1.0f, 1.0f);
  std::vector<std::vector<float>> expected, results;
  const auto run = [&](const Tensor& y, std::vector<std::vector<float>>& into) {
    into.push_back(y.to_vector());
    y.backward(seed);
    for (const Tensor& input : inputs) {
      into.push_back(input.grad().to_vector());
      input.clear_grad();
    }
  };
  run(relu(conv2d(inputs[0], inputs[1], inputs[2], padded(Activation::none))), expected);
  run(conv2d(inputs[0], inputs[1], inputs[2], together), results);
  CHECK(results == expected);  // the same sums in the same order

  // The input's gradient alone takes another way to the mask.
  inputs[1].set_requires_grad(false);
  inputs[2].set_requires_grad(false);
  conv2d(inputs[0], inputs[1], inputs[2], together).backward(seed);
  CHECK(inputs[0].grad().to_vector() == expected[1]);
}

TEST_CASE("conv2d of no images makes no images and zero gradients", "[conv2d][empty]") {
  const Tensor x = Tensor::zeros({0, 3, 8, 8}).set_requires_grad();
  const Tensor weight = Tensor::ones({4, 3, 3, 3}).set_requires_grad();
  const Tensor bias = Tensor::ones({4}).set_requires_grad();
  const Tensor y = conv2d(x, weight, bias);
  CHECK(y.shape() == Shape{0, 4, 6, 6});
  y.backward(Tensor::zeros(y.shape()));
  CHECK(x.grad().shape() == x.shape());
  CHECK(weight.grad().to_vector() == std::vector<float>(108, 0.0f));
  CHECK(bias.grad().to_vector() == std::vector<float>(4, 0.0f));
}

TEST_CASE("conv2d sees a weight that was changed in place", "[conv2d]") {
  const Tensor x = Tensor::ones({1, 2, 3, 3}), weight = Tensor::ones({1, 2, 3, 3});
  CHECK(conv2d(x, weight).item() == 18.0f);
  weight.fill(0.5f);
  CHECK(conv2d(x, weight).item() == 9.0f);
}

TEST_CASE("conv2d lets NaN through its relu", "[conv2d]") {
  const Tensor x = Tensor::full({1, 16, 2, 2}, std::nanf("")), weight = Tensor::ones({16, 16, 1, 1});
  for (const float value : conv2d(x, weight, {}, {.activation = Activation::relu}).to_vector())
    CHECK(std::isnan(value));
}

TEST_CASE("conv2d refuses what does not fit", "[conv2d][errors]") {
  const auto refused = [](const Shape& x, const Shape& weight, const Shape& bias, const Conv2dOptions& how,
                          std::string_view part) {
    check_error([&] { conv2d(Tensor::zeros(x), Tensor::zeros(weight), Tensor::zeros(bias), how); },
                ErrorCode::invalid_argument, part);
  };
  refused({4, 1, 28, 28}, {8, 3, 5, 5}, {8}, {},
          "conv2d: weight [8,3,5,5] needs 3 input channels, x [4,1,28,28] has 1");
  refused({4, 9, 8, 8}, {8, 3, 3, 3}, {8}, {.groups = 2}, "needs 3 input channels in each of 2 groups");
  refused({4, 6, 8, 8}, {9, 3, 3, 3}, {9}, {.groups = 2}, "has 9 outputs, which 2 groups do not divide");
  refused({4, 28, 28}, {8, 1, 5, 5}, {8}, {}, "x [4,28,28] needs four axes");
  refused({1, 1, 8, 8}, {8, 25}, {8}, {}, "weight [8,25] needs four axes");
  refused({1, 1, 8, 8}, {8, 1, 3, 3}, {4}, {}, "bias [4] needs [8]");
  refused({1, 1, 4, 8}, {8, 1, 5, 5}, {8}, {}, "covers [5,5], more than x [1,1,4,8] with padding [0,0] has");
  refused({1, 1, 8, 8}, {8, 1, 3, 3}, {8}, {.stride = {0, 1}}, "stride [0,1] must be at least 1");
  refused({1, 1, 8, 8}, {8, 1, 3, 3}, {8}, {.padding = {0, -1}}, "padding [0,-1] must be at least 0");
  refused({1, 1, 8, 8}, {8, 1, 3, 3}, {8}, {.dilation = {1, 0}}, "dilation [1,0] must be at least 1");
  refused({1, 1, 8, 8}, {8, 1, 3, 3}, {8}, {.groups = 0}, "groups 0 must be at least 1");
  check_error([] { conv2d(Tensor(), Tensor::zeros({1, 1, 1, 1})); }, ErrorCode::invalid_argument, "conv2d: x");
}

}  // namespace portico::test
