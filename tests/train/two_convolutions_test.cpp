// Ten training steps of the quickstart's network, small, against the same steps in double on the host: two convolutions
// with ReLU and pooling, two dense layers, cross-entropy, through Sequential's fused operations.
#include <algorithm>
#include <memory>

#include "../optim/host_rules.hpp"
#include "../optim/zoo.hpp"
#include "catch.hpp"
#include "host_layers.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

constexpr int kBatch = 6, kSide = 8, kFirst = 4, kSecond = 6, kHidden = 12, kClasses = 5, kSteps = 10;
constexpr int kFlat = kSecond * (kSide / 4) * (kSide / 4);

std::unique_ptr<nn::Sequential> make_network() {
  seed(31);
  auto network = std::make_unique<nn::Sequential>();
  network->emplace<nn::Conv2d>(1, kFirst, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  network->emplace<nn::ReLU>();
  network->emplace<nn::MaxPool2d>(2);
  network->emplace<nn::Conv2d>(kFirst, kSecond, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  network->emplace<nn::ReLU>();
  network->emplace<nn::MaxPool2d>(2);
  network->emplace<nn::Flatten>();
  network->emplace<nn::Linear>(kFlat, kHidden);
  network->emplace<nn::ReLU>();
  network->emplace<nn::Linear>(kHidden, kClasses);
  return network;
}

/// The same network on the host; parameters in the module's order.
double host_step(std::vector<host::Value>& p, const Doubles& images, const std::vector<std::int32_t>& labels) {
  for (host::Value& parameter : p) std::fill(parameter.d.begin(), parameter.d.end(), 0.0);
  const host::Conv3x3 conv1{kBatch, 1, kFirst, kSide, p[0], p[1]};
  const host::Conv3x3 conv2{kBatch, kFirst, kSecond, kSide / 2, p[2], p[3]};
  host::MaxPool2x2 pool1{kBatch * kFirst, kSide}, pool2{kBatch * kSecond, kSide / 2};
  const host::Dense dense1{kBatch, kFlat, kHidden, p[4], p[5]};
  const host::Dense dense2{kBatch, kHidden, kClasses, p[6], p[7]};

  host::Value x(images);
  host::Value a1 = conv1.forward(x), r1 = host::relu(a1), p1 = pool1.forward(r1);
  host::Value a2 = conv2.forward(p1), r2 = host::relu(a2), p2 = pool2.forward(r2);
  host::Value a3 = dense1.forward(p2), r3 = host::relu(a3), logits = dense2.forward(r3);
  const double loss = host::cross_entropy(logits, labels);

  dense2.backward(r3, logits);
  host::relu_backward(a3, r3);
  dense1.backward(p2, a3);
  pool2.backward(r2, p2);
  host::relu_backward(a2, r2);
  conv2.backward(p1, a2);
  pool1.backward(r1, p1);
  host::relu_backward(a1, r1);
  conv1.backward(x, a1);
  return loss;
}

Doubles doubles(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  return {values.begin(), values.end()};
}

/// Trains both. Losses and parameters are of size 1, and each step adds roundings of that size or less.
template <typename HostRule>
void check_training(optim::Optimizer& optimizer, nn::Sequential& network, const HostRule& rule) {
  const std::vector<Tensor> parameters = network.parameters();
  REQUIRE(parameters.size() == 8);
  std::vector<host::Value> expected;
  for (const Tensor& parameter : parameters) expected.emplace_back(doubles(parameter));
  std::vector<HostRule> rules(parameters.size(), rule);

  HostNumbers numbers(5);
  double first_loss = 0.0, last_loss = 0.0;
  const Tensor images = Tensor::from(numbers.take(kBatch * kSide * kSide), {kBatch, 1, kSide, kSide});
  std::vector<std::int32_t> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i * 7 % kClasses);
  const Tensor targets = Tensor::from_ints(labels, {kBatch});

  for (int step = 0; step < kSteps; ++step) {
    INFO("step " << step);
    optimizer.clear_grad();
    const Tensor loss = cross_entropy(network(images), targets);
    loss.backward();
    optimizer.step();

    const double expected_loss = host_step(expected, doubles(images), labels);
    check_values(loss.to_vector(), {expected_loss}, DType::f32, step + 1);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      INFO("parameter " << i << " " << parameters[i].shape().to_string());
      rules[i].step(expected[i].x, expected[i].d);
      check_values(parameters[i].to_vector(), expected[i].x, DType::f32, step + 1);
    }
    (step == 0 ? first_loss : last_loss) = expected_loss;
  }
  CHECK(last_loss < 0.9 * first_loss);  // it learned something: the steps were no noise around the start
}

}  // namespace

TEST_CASE("ten steps of the quickstart's network with SGD agree with the host", "[training]") {
  const auto network = make_network();
  const optim::SGDOptions options = {.lr = 1.0f, .momentum = 0.9f};
  optim::SGD optimizer(network->parameters(), options);
  check_training(optimizer, *network, HostSgd{options});
}

TEST_CASE("ten steps of the quickstart's network with Adam agree with the host", "[training]") {
  const auto network = make_network();
  const optim::AdamOptions options = {.lr = 0.03f};
  optim::Adam optimizer(network->parameters(), options);
  check_training(optimizer, *network, HostAdam{options});
}

}  // namespace portico::test
