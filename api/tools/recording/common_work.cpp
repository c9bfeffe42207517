#include "common_work.hpp"

#include <memory>
#include <utility>

#include "portico/portico.hpp"

namespace portico::tools {
namespace {

std::unique_ptr<nn::Sequential> dense() {
  auto net = std::make_unique<nn::Sequential>();
  net->emplace<nn::Linear>(784, 256);
  net->emplace<nn::ReLU>();
  net->emplace<nn::Linear>(256, 10);
  return net;
}

std::unique_ptr<nn::Sequential> convolutional() {
  auto net = std::make_unique<nn::Sequential>();
  for (const auto& [in, out] : {std::pair{1, 32}, {32, 64}}) {
    net->emplace<nn::Conv2d>(in, out, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    net->emplace<nn::ReLU>();
    net->emplace<nn::MaxPool2d>(2);
  }
  net->emplace<nn::Flatten>();
  net->emplace<nn::Linear>(3136, 128);
  net->emplace<nn::ReLU>();
  net->emplace<nn::Linear>(128, 10);
  return net;
}

template <typename Optimizer, typename Options>
void train_once(nn::Sequential& net, const Shape& shape, const Options& options) {
  Optimizer optimizer(net.parameters(), options);
  const Tensor images = Tensor::uniform(shape, 0.0f, 1.0f);
  const Tensor labels = Tensor::zeros({shape[0]}, {.dtype = DType::i32});
  optimizer.clear_grad();
  const Tensor loss = cross_entropy(net(images), labels);
  loss.backward();
  optimizer.step();
  (void)loss.item();
}

// Layers that the two networks above do not have.
std::unique_ptr<nn::Sequential> others() {
  auto net = std::make_unique<nn::Sequential>();
  for (const auto& [in, out] : {std::pair{1, 32}, {32, 64}, {64, 128}}) {
    net->emplace<nn::Conv2d>(in, out, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    net->emplace<nn::ReLU>();
    net->emplace<nn::MaxPool2d>(2);
  }
  net->emplace<nn::AvgPool2d>(3);
  net->emplace<nn::Flatten>();
  net->emplace<nn::Dropout>(0.1f);
  net->emplace<nn::Linear>(128, 10);
  return net;
}

}  // namespace

void run_networks() {
  const auto net = others();
  train_once<portico::optim::SGD>(*net, Shape{8, 1, 28, 28}, portico::optim::SGDOptions{.momentum = 0.9f});
  for (const std::int64_t batch : {64, 256})
    for (const bool images : {false, true}) {
      const auto net = images ? convolutional() : dense();
      const Shape shape = images ? Shape{batch, 1, 28, 28} : Shape{batch, 784};
      train_once<portico::optim::Adam>(*net, shape, portico::optim::AdamOptions{});
      train_once<portico::optim::AdamW>(*net, shape, portico::optim::AdamWOptions{});
      train_once<portico::optim::SGD>(*net, shape, portico::optim::SGDOptions{.momentum = 0.9f});
      net->eval();
      const portico::NoGrad guard;
      for (const std::int64_t items : {std::int64_t{1}, batch}) {
        Shape one = images ? Shape{items, 1, 28, 28} : Shape{items, 784};
        const Tensor scores = (*net)(Tensor::uniform(one, 0.0f, 1.0f));
        (void)log_softmax(scores);
        (void)argmax(softmax(scores)).to_ints();
        (void)argmax(scores, 1).to_ints();
      }
    }
}

namespace {

void layer(std::int64_t rows, std::int64_t size, Activation activation, DType dtype) {
  Tensor weight = Tensor::ones({size, size}, {.dtype = dtype}), bias = Tensor::ones({size}, {.dtype = dtype});
  const Tensor x = Tensor::ones({rows, size}, {.dtype = dtype});
  {
    const NoGrad no_grad;
    linear(x, weight, bias, activation);
  }
  weight.set_requires_grad(true);
  bias.set_requires_grad(true);
  linear(x, weight, bias, activation).backward(Tensor::ones({rows, size}, {.dtype = dtype}));
}

// For the two compute units of the null backend these choose each tile, aligned and not; a device with more units takes
// smaller tiles for the same sizes, but no others.
constexpr std::int64_t kSizes[] = {1024, 1023, 128, 127, 32, 31};

// Every tile, transposition, activation and alignment that a product may take.
void products(DType dtype) {
  const auto matrix = [&](std::int64_t rows, std::int64_t cols) {
    return Tensor::ones({rows, cols}, {.dtype = dtype});
  };
  for (const std::int64_t size : kSizes)
    for (const bool a : {false, true})
      for (const bool b : {false, true}) matmul(matrix(size, size), matrix(size, size), {.trans_a = a, .trans_b = b});
  for (const auto activation : {Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh}) {
    for (const std::int64_t size : kSizes) layer(size, size, activation, dtype);
    layer(4096, 32, activation, dtype);  // many rows: the bias gradient's sums take two launches
  }
}

void pointwise(DType dtype) {
  const TensorOptions options{.dtype = dtype, .requires_grad = true};
  for (const auto f : {+[](const Tensor& x) { return relu(x); }, +[](const Tensor& x) { return gelu(x); },
                       +[](const Tensor& x) { return gelu(x, Gelu::tanh); }, +[](const Tensor& x) { return silu(x); },
                       +[](const Tensor& x) { return sigmoid(x); }, +[](const Tensor& x) { return tanh(x); },
                       +[](const Tensor& x) { return exp(x); }, +[](const Tensor& x) { return x * x; },
                       +[](const Tensor& x) { return x + x; }, +[](const Tensor& x) { return x - 1.0f; },
                       +[](const Tensor& x) { return x / x; }, +[](const Tensor& x) { return x * 2.0f; },
                       +[](const Tensor& x) { return softmax(x); }, +[](const Tensor& x) { return log_softmax(x); },
                       +[](const Tensor& x) { return transpose(x).clone(); }})
    sum(f(Tensor::ones({8, 16}, options))).backward();
  for (const auto other : {DType::f32, DType::f16, DType::bf16}) Tensor::ones({8, 16}, {.dtype = dtype}).to(other);
}

}  // namespace

void run_operations() {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    products(dtype);
    pointwise(dtype);
  }
}

}  // namespace portico::tools
