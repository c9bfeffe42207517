// The networks of the training-step benchmarks; the peers' scripts build the same ones.
#pragma once

#include <memory>
#include <string>

#include "portico/portico.hpp"

namespace portico::bench {

/// 28 x 28 images: conv 3x3 1-32, relu, pool, conv 3x3 32-64, relu, pool, dense 3136-128, relu, dense 128-10.
inline std::unique_ptr<nn::Sequential> make_cnn() {
  auto net = std::make_unique<nn::Sequential>();
  net->emplace<nn::Conv2d>(1, 32, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  net->emplace<nn::ReLU>();
  net->emplace<nn::MaxPool2d>(2);
  net->emplace<nn::Conv2d>(32, 64, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  net->emplace<nn::ReLU>();
  net->emplace<nn::MaxPool2d>(2);
  net->emplace<nn::Flatten>();
  net->emplace<nn::Linear>(3136, 128);
  net->emplace<nn::ReLU>();
  net->emplace<nn::Linear>(128, 10);
  return net;
}

/// dense 784-256, relu, dense 256-10.
inline std::unique_ptr<nn::Sequential> make_mlp() {
  auto net = std::make_unique<nn::Sequential>();
  net->emplace<nn::Linear>(784, 256);
  net->emplace<nn::ReLU>();
  net->emplace<nn::Linear>(256, 10);
  return net;
}

/// One training step with Adam on random data of the right shape.
class TrainStep {
 public:
  TrainStep(const std::string& model, std::int64_t batch)
      : net_(model == "cnn" ? make_cnn() : make_mlp()),
        optimizer_(net_->parameters(), {.lr = 1e-3f}),
        images_(Tensor::uniform(model == "cnn" ? Shape{batch, 1, 28, 28} : Shape{batch, 784}, 0.0f, 1.0f)) {
    std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i * 7 % 10);
    labels_ = Tensor::from_ints(labels, {batch});
  }

  void operator()() {
    optimizer_.clear_grad();
    loss_ = cross_entropy((*net_)(images_), labels_);
    loss_.backward();
    optimizer_.step();
  }
  float loss() const { return loss_.item(); }

 private:
  std::unique_ptr<nn::Sequential> net_;
  optim::Adam optimizer_;
  Tensor images_, labels_, loss_;
};

}  // namespace portico::bench
