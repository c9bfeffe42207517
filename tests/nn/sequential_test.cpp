// Sequential: names, and fused runs that equal the plain ones.
#include <memory>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

Doubles doubles(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  return {values.begin(), values.end()};
}

// A layer of another class, which no pattern may swallow.
class Doubling : public nn::Linear {
 public:
  using nn::Linear::Linear;
  Tensor forward(const Tensor& x) override { return mul(nn::Linear::forward(x), 2.0f); }
};

// The network and its layers one by one must agree, and so must all gradients.
void check_like_plain(nn::Sequential& network, const Shape& shape, std::int64_t length) {
  Tensor x = Tensor::uniform(shape, -1.0f, 1.0f).set_requires_grad();
  const Tensor fused = network(x);
  Tensor plain = x;
  for (std::size_t i = 0; i < network.size(); ++i) plain = network[i](plain);
  check_values(fused.to_vector(), doubles(plain), DType::f32, length);

  const Tensor slope = Tensor::uniform(fused.shape(), -1.0f, 1.0f);
  plain.backward(slope);
  std::vector<Tensor> leaves = network.parameters();
  leaves.push_back(x);
  std::vector<Doubles> expected;
  for (const Tensor& leaf : leaves) {
    REQUIRE(leaf.grad().defined());
    expected.push_back(doubles(leaf.grad()));
    leaf.clear_grad();
  }
  fused.backward(slope);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    INFO("gradient " << i << " " << leaves[i].shape().to_string());
    check_values(leaves[i].grad().to_vector(), expected[i], DType::f32, 4 * length);
  }
}

}  // namespace

TEST_CASE("layers are named by their position", "[nn][sequential]") {
  nn::Sequential network(std::make_unique<nn::Linear>(3, 4), std::make_unique<nn::ReLU>());
  const nn::Linear& last = network.emplace<nn::Linear>(4, 2);
  CHECK(network.size() == 3);
  CHECK(&network[2] == &last);
  std::string names;
  for (const auto& [name, tensor] : network.named_parameters()) names += name + " ";
  CHECK(names == "0.weight 0.bias 2.weight 2.bias ");
  CHECK(network.describe() ==
        "Sequential(\n"
        "  (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (1): ReLU()\n"
        "  (2): Linear(in_features=4, out_features=2, bias=True)\n"
        ")");
  check_error([&] { network.append(nullptr); }, ErrorCode::invalid_argument, "Sequential: layer 3 is null");
  CHECK(nn::Sequential()(Tensor::ones({2})).to_vector() == std::vector<float>{1.0f, 1.0f});
}

TEST_CASE("linear layers and their activations", "[nn][sequential]") {
  seed(21);
  nn::Sequential network;
  network.emplace<nn::ReLU>();  // nothing before it to run with
  network.emplace<nn::Linear>(9, 17);
  network.emplace<nn::ReLU>();
  network.emplace<nn::GELU>();  // the second one stays alone
  network.emplace<nn::Linear>(17, 8, nn::LinearOptions{.bias = false});
  network.emplace<nn::GELU>();
  network.emplace<nn::Linear>(8, 8);
  network.emplace<nn::GELU>(Gelu::tanh);
  network.emplace<Doubling>(8, 6);
  network.emplace<nn::ReLU>();
  network.emplace<nn::Linear>(6, 5);
  network.emplace<nn::Dropout>(0.5f);  // between the two, so not to be run with the layer before
  network.emplace<nn::ReLU>();
  network.eval();
  check_like_plain(network, {5, 9}, 17);
}

TEST_CASE("convolutions and their activations", "[nn][sequential]") {
  seed(22);
  nn::Sequential network;
  network.emplace<nn::Conv2d>(2, 5, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  network.emplace<nn::ReLU>();
  network.emplace<nn::MaxPool2d>(2);
  network.emplace<nn::Conv2d>(5, 4, 3, nn::Conv2dLayerOptions{.bias = false, .same = true});
  network.emplace<nn::GELU>();
  network.emplace<nn::AvgPool2d>(2);
  network.emplace<nn::Flatten>();
  network.emplace<nn::Linear>(4 * 2 * 2, 3);
  network.emplace<nn::ReLU>();
  check_like_plain(network, {3, 2, 8, 8}, 45);
}

TEST_CASE("a sequence within a sequence", "[nn][sequential]") {
  auto inner = std::make_unique<nn::Sequential>(std::make_unique<nn::Linear>(4, 6), std::make_unique<nn::ReLU>());
  nn::Sequential network(std::move(inner), std::make_unique<nn::Linear>(6, 2));
  CHECK(network.named_parameters()[0].first == "0.0.weight");
  network.eval();
  CHECK_FALSE(network[0].training());
  check_like_plain(network, {3, 4}, 6);
}

}  // namespace portico::test
