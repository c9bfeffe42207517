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

/// VGG-11 (Simonyan and Zisserman, arXiv:1409.1556, configuration A) for 32 x 32 images: eight convolutions 3x3 with
/// five poolings between them, and one dense layer 512-10.
inline std::unique_ptr<nn::Sequential> make_vgg11() {
  auto net = std::make_unique<nn::Sequential>();
  std::int64_t in = 3;
  for (const std::int64_t out : {64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0}) {
    if (out == 0) {
      net->emplace<nn::MaxPool2d>(2);
      continue;
    }
    net->emplace<nn::Conv2d>(in, out, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    net->emplace<nn::ReLU>();
    in = out;
  }
  net->emplace<nn::Flatten>();
  net->emplace<nn::Linear>(512, 10);
  return net;
}

/// A network by name: "mlp", "cnn", "vgg11".
inline std::unique_ptr<nn::Sequential> make_model(const std::string& name) {
  return name == "cnn" ? make_cnn() : name == "vgg11" ? make_vgg11() : make_mlp();
}

inline Tensor random_images(const std::string& model, std::int64_t batch) {
  const Shape shape = model == "cnn"     ? Shape{batch, 1, 28, 28}
                      : model == "vgg11" ? Shape{batch, 3, 32, 32}
                                         : Shape{batch, 784};
  return Tensor::uniform(shape, 0.0f, 1.0f);
}

/// Arithmetic of the convolutions and dense layers for one image.
struct ModelFlops {
  double forward;
  double training;  ///< forward, weight gradients, and input gradients of all layers but the first
};
inline ModelFlops model_flops(const std::string& model) {
  const auto with_first = [](double first, double rest) {
    return ModelFlops{.forward = 2 * (first + rest), .training = 2 * (2 * first + 3 * rest)};
  };
  if (model == "mlp") return with_first(784.0 * 256, 256.0 * 10);
  if (model == "cnn") return with_first(784.0 * 32 * 9, 196.0 * 64 * 32 * 9 + 3136.0 * 128 + 128.0 * 10);
  return with_first(1024.0 * 64 * 3 * 9, 9.0 * (256.0 * 128 * 64 + 64.0 * 256 * (128 + 256) + 16.0 * 512 * (256 + 512) +
                                                4.0 * 512 * (512 + 512)) +
                                             512.0 * 10);
}

/// One training step with Adam on random data of the right shape.
class TrainStep {
 public:
  TrainStep(const std::string& model, std::int64_t batch)
      : net_(make_model(model)), optimizer_(net_->parameters(), {.lr = 1e-3f}), images_(random_images(model, batch)) {
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
