// portico-precompile: kernels compiled when the library is built, for machines without a run-time compiler. The build
// runs it (PORTICO_CUDA_ARCHS, PORTICO_HIP_ARCHS); it can be run by hand for further targets.
//
//   portico-precompile record TEXTS                               what training commonly launches, as texts
//   portico-precompile compile BACKEND TARGET TEXTS KERNELS       those texts as binaries
#include "portico/precompile.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "portico/portico.hpp"

namespace portico::tools {
namespace {

void train(nn::Module& model, const Tensor& x, std::int64_t classes, optim::Optimizer& optimizer) {
  const Tensor labels = Tensor::zeros({x.dim(0)}, {.dtype = DType::i32});
  model.train();
  const Tensor loss = cross_entropy(model.forward(x), labels);
  loss.backward();
  optimizer.step();
  const NoGrad no_grad;
  model.eval();
  const Tensor y = model.forward(x);
  softmax(y);
  log_softmax(y);
  argmax(y, 1);
  if (y.dim(1) != classes) throw Error(ErrorCode::internal, "record: the network has other classes");
}

void networks() {
  nn::Sequential mlp;
  mlp.emplace<nn::Flatten>();
  mlp.emplace<nn::Linear>(784, 256);
  mlp.emplace<nn::ReLU>();
  mlp.emplace<nn::Dropout>(0.1f);
  mlp.emplace<nn::Linear>(256, 10);
  optim::Adam adam(mlp.parameters(), {});
  train(mlp, Tensor::ones({64, 1, 28, 28}), 10, adam);

  nn::Sequential cnn;
  for (const auto& [in, out] : {std::pair{1, 32}, {32, 64}, {64, 128}}) {
    cnn.emplace<nn::Conv2d>(in, out, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
    cnn.emplace<nn::ReLU>();
    cnn.emplace<nn::MaxPool2d>(2);
  }
  cnn.emplace<nn::AvgPool2d>(3);
  cnn.emplace<nn::Flatten>();
  cnn.emplace<nn::Linear>(128, 10);
  optim::SGD sgd(cnn.parameters(), {.lr = 0.1f, .momentum = 0.9f});
  train(cnn, Tensor::ones({8, 1, 28, 28}), 10, sgd);
}

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

// Everything is launched on whatever device is there; the texts are what counts. PORTICO_DUMP collects them.
int record(const std::string& folder) {
  setenv("PORTICO_DUMP", folder.c_str(), 1);
  networks();
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    products(dtype);
    pointwise(dtype);
  }
  return 0;
}

}  // namespace
}  // namespace portico::tools

int main(int argc, char** argv) try {
  CLI::App app("Compiles kernels ahead of time");
  app.require_subcommand(1);
  std::string texts, backend, target, kernels;
  CLI::App* record = app.add_subcommand("record", "collect the texts of what training commonly launches");
  record->add_option("TEXTS", texts, "folder for the texts")->required();
  CLI::App* compile = app.add_subcommand("compile", "compile texts for one target");
  compile->add_option("BACKEND", backend, "one that compiles without a device")->required();
  compile->add_option("TARGET", target, "sm_90, gfx942, ...")->required();
  compile->add_option("TEXTS", texts, "folder with the texts")->required();
  compile->add_option("KERNELS", kernels, "folder for the binaries; \"kernels\" beside the plugins")->required();
  CLI11_PARSE(app, argc, argv);
  if (*record) return portico::tools::record(texts);
  const int count = portico::precompile(backend, target, texts, kernels);
  std::printf("%d programs for %s\n", count, target.c_str());
  return count > 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
