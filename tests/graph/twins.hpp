// Two copies of one small training: one runs eagerly, the other as a graph, and nothing may tell them apart.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "portico/portico.hpp"

namespace portico::test {

/// Makes an optimizer for some parameters.
using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)>;

enum class Network { dense, convolutions };

/// A network on 8 inputs with 5 classes, its optimizer, and what a step of it left behind. The step's tensors stay the
/// same from call to call, as a graph wants it.
class Training {
 public:
  explicit Training(const MakeOptimizer& make, float drop = 0.0f, Network network = Network::dense) {
    seed(7);
    if (network == Network::dense) {
      net_.emplace<nn::Linear>(12, 16);
      net_.emplace<nn::ReLU>();
      if (drop > 0) net_.emplace<nn::Dropout>(drop);
      net_.emplace<nn::Linear>(16, 5);
      images = Tensor::zeros({8, 12});
    } else {  // with what has ways of its own in larger ones: fused pooling, a stride, both poolings
      net_.emplace<nn::Conv2d>(1, 6, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
      net_.emplace<nn::ReLU>();
      net_.emplace<nn::MaxPool2d>(2);
      net_.emplace<nn::Conv2d>(6, 8, 3, nn::Conv2dLayerOptions{.stride = {2, 2}, .padding = {1, 1}});
      net_.emplace<nn::ReLU>();
      net_.emplace<nn::AvgPool2d>(3);
      if (drop > 0) net_.emplace<nn::Dropout>(drop);
      net_.emplace<nn::Flatten>();
      net_.emplace<nn::Linear>(8, 5);
      images = Tensor::zeros({8, 1, 12, 12});
    }
    optimizer = make(net_.parameters());
    labels = Tensor::from_ints(std::vector<std::int32_t>(8), {8});
    scale = Tensor::ones({});
  }

  /// Batch number `number`, written into the tensors that the step reads.
  void load(int number) {
    std::vector<float> pixels(static_cast<std::size_t>(images.count()));
    std::vector<std::int32_t> classes(8);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<float>((i * 37 + static_cast<std::size_t>(number) * 101) % 64) / 32.0f - 1.0f;
    for (std::size_t i = 0; i < classes.size(); ++i)
      classes[i] = static_cast<std::int32_t>((i * 3 + static_cast<std::size_t>(number)) % 5);
    images.copy_from(pixels);
    labels.copy_from(Tensor::from_ints(classes, {8}));
  }

  void step() {
    optimizer->clear_grad();
    loss = cross_entropy(net_(images), labels);
    loss.backward(scale);
    optimizer->step();
  }

  /// Everything that a step changes, as raw values.
  std::vector<std::vector<float>> state() const {
    std::vector<std::vector<float>> all = {loss.to_vector()};
    for (const Tensor& parameter : net_.parameters()) {
      all.push_back(parameter.to_vector());
      all.push_back(parameter.grad().to_vector());
    }
    for (const auto& [name, tensor] : optimizer->state_dict()) all.push_back(tensor.to_vector());
    return all;
  }

  std::unique_ptr<optim::Optimizer> optimizer;
  Tensor images, labels, scale, loss;

  nn::Sequential& net() { return net_; }

 private:
  nn::Sequential net_;
};

inline MakeOptimizer adam(const optim::AdamOptions& options = {}) {
  return [options](std::vector<Tensor> parameters) {
    return std::make_unique<optim::Adam>(std::move(parameters), options);
  };
}

inline MakeOptimizer sgd(const optim::SGDOptions& options = {}) {
  return [options](std::vector<Tensor> parameters) {
    return std::make_unique<optim::SGD>(std::move(parameters), options);
  };
}

}  // namespace portico::test
