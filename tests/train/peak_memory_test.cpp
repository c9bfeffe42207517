// What a training step of the quickstart's network takes at most, held against what it cannot do without.
#include "catch.hpp"
#include "portico/portico.hpp"

namespace portico::test {
namespace {

// 28 x 28 images: conv 3x3 1-32, relu, pool, conv 3x3 32-64, relu, pool, dense 3136-128, relu, dense 128-10.
struct Training {
  explicit Training(std::int64_t batch) : images(Tensor::uniform({batch, 1, 28, 28}, 0.0f, 1.0f)) {
    net.emplace<nn::Conv2d>(1, 32, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    net.emplace<nn::ReLU>();
    net.emplace<nn::MaxPool2d>(2);
    net.emplace<nn::Conv2d>(32, 64, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    net.emplace<nn::ReLU>();
    net.emplace<nn::MaxPool2d>(2);
    net.emplace<nn::Flatten>();
    net.emplace<nn::Linear>(3136, 128);
    net.emplace<nn::ReLU>();
    net.emplace<nn::Linear>(128, 10);
    labels = Tensor::from_ints(std::vector<std::int32_t>(static_cast<std::size_t>(batch), 3), {batch});
  }
  Tensor forward() { return cross_entropy(net(images), labels); }

  nn::Sequential net;
  Tensor images, labels;
};

// Parameters, gradients, Adam's two moments, and for each image what gradients are computed from: the images, both
// pooled layers as floats with a byte for the winner's place, the hidden layer, the probabilities.
double needed_bytes(std::int64_t batch) {
  constexpr double kParameters = 9 * 32 + 32 + 9 * 32 * 64 + 64 + 3136 * 128 + 128 + 128 * 10 + 10;
  constexpr double kPerImage = 4 * 784 + 5 * (32 * 196 + 64 * 49) + 4 * (128 + 10);
  return 4 * 4 * kParameters + static_cast<double>(batch) * kPerImage;
}

}  // namespace

TEST_CASE("a step's peak is little above what it cannot do without", "[train][memory]") {
  const Device device = Device::current();
  if (!device.info().is_cpu()) return;  // convolution and pooling in one kernel is the processors' way
  for (const std::int64_t batch : {64, 256}) {
    device.synchronize();
    const std::uint64_t before = device.memory().in_use;
    Training training(batch);
    optim::Adam optimizer(training.net.parameters(), {.lr = 1e-3f});
    const auto step = [&] {
      optimizer.clear_grad();
      training.forward().backward();
      optimizer.step();
    };
    step();
    device.reset_peak();
    step();
    const double peak = static_cast<double>(device.memory().peak - before), needed = needed_bytes(batch);
    INFO("batch " << batch << ": peak " << peak << " bytes, needed " << needed << ", ratio " << peak / needed);
    CHECK(peak >= needed);  // else something is not counted
    CHECK(peak <= 1.25 * needed);
  }
}

TEST_CASE("a kept graph runs again although a freed one lets go on the way", "[train][memory]") {
  Training training(4);
  const Tensor loss = training.forward();
  loss.backward({}, true);
  std::vector<std::vector<float>> once;
  for (const Tensor& parameter : training.net.parameters()) once.push_back(parameter.grad().to_vector());
  for (const Tensor& parameter : training.net.parameters()) parameter.clear_grad();
  loss.backward();
  std::size_t i = 0;
  for (const Tensor& parameter : training.net.parameters()) CHECK(parameter.grad().to_vector() == once[i++]);
  try {
    loss.backward();
    FAIL_CHECK("a freed graph ran");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("was freed") != std::string::npos);
  }
}

}  // namespace portico::test
