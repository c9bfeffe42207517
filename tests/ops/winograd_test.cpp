// Winograd's algorithm against the direct sum's reference, within the bounds that ConvAlgorithm states.
#include "catch.hpp"
#include "conv_case.hpp"

namespace portico::test {
namespace {

// Root of the summed squares of the transforms' elements along both axes, over the direct sum's nine terms: what
// rounding errors are multiplied by. kernels/winograd.h has the matrices.
double growth(ConvAlgorithm algorithm) { return algorithm == ConvAlgorithm::winograd_4x4 ? 7.2 : 1.7; }

OpCase winograd_case(const std::string& name, Sizes z, ConvAlgorithm algorithm) {
  z.options.algorithm = algorithm;
  const bool four = algorithm == ConvAlgorithm::winograd_4x4;
  OpCase op = conv_case(name + (four ? "_4x4" : "_2x2"), z);
  op.tolerance = op.gradient_tolerance = growth(algorithm);
  return op;
}

Conv2dOptions padded(std::int64_t padding, Activation activation = Activation::none) {
  return options({1, 1}, {padding, padding}, {1, 1}, 1, activation);
}

const std::vector<OpCase>& cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> made;
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::winograd_2x2, ConvAlgorithm::winograd_4x4}) {
      const auto add = [&](const std::string& name, const Sizes& z) {
        made.push_back(winograd_case(name, z, algorithm));
      };
      add("one_of_everything", {1, 1, 3, 3, 1, 3, 3});
      add("images_of_one_pixel", {5, 17, 1, 1, 5, 3, 3, padded(1)});
      add("tiles_8_exactly", {2, 16, 8, 8, 32, 3, 3, padded(1), false});
      add("odd_7x9", {1, 33, 7, 9, 31, 3, 3, padded(1)});
      add("without_padding", {1, 16, 6, 5, 33, 3, 3});
      add("padding_2", {2, 7, 4, 6, 16, 3, 3, padded(2)});
      add("padding_4", {1, 5, 3, 3, 4, 3, 3, padded(4)});
      add("padding_0x1", {1, 8, 5, 11, 48, 3, 3, options({1, 1}, {0, 1})});
      add("lines_5", {1, 80, 6, 6, 20, 3, 3, padded(1)});   // the private input's larger size
      add("lines_9", {2, 132, 3, 5, 34, 3, 3, padded(1)});  // an input that blocks of outputs share
      add("tiles_of_two_spans", {3, 16, 9, 11, 16, 3, 3, padded(1)});
      add("tiles_169", {1, 68, 26, 26, 3, 3, 3, padded(1)});  // too many to make the filters' gradients at once (2x2)
    }
    return made;
  }();
  return all;
}

const std::vector<OpCase>& activation_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> made;
    for (const ConvAlgorithm algorithm : {ConvAlgorithm::winograd_2x2, ConvAlgorithm::winograd_4x4}) {
      OpCase op = winograd_case("relu", {2, 19, 7, 6, 35, 3, 3, padded(1, Activation::relu)}, algorithm);
      // The bias keeps every sum away from relu's kink, where central differences mean nothing.
      op.values = {{.low = -0.1, .high = 0.1}, {.low = -0.1, .high = 0.1}, {.kinks = {0.0}, .distance = 1.71}};
      made.push_back(op);
    }
    return made;
  }();
  return all;
}

}  // namespace

TEST_CASE("Winograd's convolution agrees with its reference", "[winograd]") {
  check_forward(GENERATE(from_range(cases())));
}

TEST_CASE("Winograd's convolution with an activation agrees with its reference", "[winograd]") {
  check_forward(GENERATE(from_range(activation_cases())));
  const Sizes gelu = {1, 19, 5, 6, 18, 3, 3, padded(1, Activation::gelu)};
  check_forward(winograd_case("gelu", gelu, ConvAlgorithm::winograd_4x4));
}

TEST_CASE("Winograd's gradients agree with central differences", "[winograd][gradient]") {
  check_gradient(GENERATE(from_range(cases())), DType::f32, 16);
}

TEST_CASE("Winograd's gradients through its activation agree with central differences", "[winograd][gradient]") {
  check_gradient(GENERATE(from_range(activation_cases())), DType::f32, 24);
}

TEST_CASE("Winograd's convolution with half storage agrees with its reference", "[winograd][half]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::winograd_2x2, ConvAlgorithm::winograd_4x4})
    check_forward(winograd_case("half", {1, 18, 6, 7, 33, 3, 3, padded(1)}, algorithm), dtype);
}

TEST_CASE("Winograd's convolution of large values keeps the stated worst-case bound", "[winograd]") {
  // Alternating signs at the extremes of the range make the transforms add up what else cancels.
  const std::int64_t channels = 48, extent = 8;
  std::vector<float> x(static_cast<std::size_t>(channels * extent * extent)), weight(16 * channels * 9);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (i * 2654435761u >> 7 & 1) != 0 ? 1000.0f : -1000.0f;
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = (i * 40503u >> 5 & 1) != 0 ? 1.0f : -1.0f;
  const Sizes sizes = {1, channels, extent, extent, 16, 3, 3, padded(1), false};
  const Doubles expected = conv_reference(sizes, {Doubles(x.begin(), x.end()), Doubles(weight.begin(), weight.end())});
  const double length = 9.0 * channels;
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::winograd_2x2, ConvAlgorithm::winograd_4x4}) {
    Conv2dOptions how = sizes.options;
    how.algorithm = algorithm;
    const std::vector<float> y =
        conv2d(Tensor::from(x, {1, channels, extent, extent}), Tensor::from(weight, {16, channels, 3, 3}), {}, how)
            .to_vector();
    const double growth = algorithm == ConvAlgorithm::winograd_4x4 ? 69.0 : 7.2;
    for (std::size_t i = 0; i < y.size(); ++i)
      REQUIRE(std::abs(y[i] - expected[i]) <= (length / 9 + 24) * 0x1p-24 * growth * length * 1000.0);
  }
}

TEST_CASE("ConvAlgorithm is chosen by the call, the scope, the process, in this order", "[winograd]") {
  const Tensor x = Tensor::uniform({8, 64, 14, 14}, -1.0f, 1.0f), weight = Tensor::uniform({64, 64, 3, 3}, -1.0f, 1.0f);
  const auto conv = [&](ConvAlgorithm algorithm) {
    return conv2d(x, weight, {}, {.padding = {1, 1}, .algorithm = algorithm}).to_vector();
  };
  const auto direct = conv(ConvAlgorithm::direct), small = conv(ConvAlgorithm::winograd_2x2),
             large = conv(ConvAlgorithm::winograd_4x4);
  REQUIRE(direct != small);  // they round differently, which is how this test tells them apart
  REQUIRE(small != large);
  CHECK(conv_algorithm() == ConvAlgorithm::automatic);
  set_conv_algorithm(ConvAlgorithm::direct);
  CHECK(conv(ConvAlgorithm::automatic) == direct);
  {
    const ConvAlgorithmScope outer(ConvAlgorithm::winograd_2x2);
    CHECK(conv(ConvAlgorithm::automatic) == small);
    {
      const ConvAlgorithmScope inner(ConvAlgorithm::winograd_4x4);
      CHECK(conv(ConvAlgorithm::automatic) == large);
      CHECK(conv(ConvAlgorithm::direct) == direct);
    }
    CHECK(conv_algorithm() == ConvAlgorithm::winograd_2x2);
  }
  set_conv_algorithm(ConvAlgorithm::automatic);
  CHECK(conv_algorithm() == ConvAlgorithm::automatic);
  CHECK(conv(ConvAlgorithm::winograd_4x4) == large);  // and the same bits again
}

TEST_CASE("A gradient takes the algorithm of its forward pass", "[winograd][gradient]") {
  const Tensor weight = Tensor::uniform({32, 32, 3, 3}, -1.0f, 1.0f),
               seed = Tensor::uniform({4, 32, 12, 12}, -1.0f, 1.0f);
  const auto gradient = [&](ConvAlgorithm forward, ConvAlgorithm backward) {
    const Tensor x = Tensor::ones({4, 32, 12, 12}).set_requires_grad();
    Tensor y;
    {
      const ConvAlgorithmScope scope(forward);
      y = conv2d(x, weight, {}, {.padding = {1, 1}});
    }
    const ConvAlgorithmScope scope(backward);
    y.backward(seed);
    return x.grad().to_vector();
  };
  const auto direct = gradient(ConvAlgorithm::direct, ConvAlgorithm::winograd_4x4);
  CHECK(direct == gradient(ConvAlgorithm::direct, ConvAlgorithm::direct));
  CHECK(direct != gradient(ConvAlgorithm::winograd_4x4, ConvAlgorithm::direct));
}

TEST_CASE("Winograd's convolution sees a weight that was changed in place", "[winograd]") {
  const Tensor x = Tensor::ones({1, 2, 3, 3}), weight = Tensor::ones({1, 2, 3, 3});
  const ConvAlgorithmScope scope(GENERATE(ConvAlgorithm::winograd_2x2, ConvAlgorithm::winograd_4x4));
  CHECK(std::abs(conv2d(x, weight).item() - 18.0f) < 1e-4f);
  weight.fill(0.5f);
  CHECK(std::abs(conv2d(x, weight).item() - 9.0f) < 1e-4f);
}

TEST_CASE("Winograd's convolution of no images makes no images and zero gradients", "[winograd][empty]") {
  const ConvAlgorithmScope scope(ConvAlgorithm::winograd_4x4);
  const Tensor x = Tensor::zeros({0, 32, 8, 8}).set_requires_grad(),
               weight = Tensor::ones({32, 32, 3, 3}).set_requires_grad();
  const Tensor y = conv2d(x, weight);
  CHECK(y.shape() == Shape{0, 32, 6, 6});
  y.backward(Tensor::zeros(y.shape()));
  CHECK(weight.grad().to_vector() == std::vector<float>(32 * 32 * 9, 0.0f));
}

}  // namespace portico::test
