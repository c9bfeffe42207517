// A training step of a small dense network, for warmed_test.sh: prints its loss.
#include <cstdio>

#include "portico/portico.hpp"

namespace nn = portico::nn;

int main() try {
  nn::Sequential net;
  net.emplace<nn::Linear>(784, 256);
  net.emplace<nn::ReLU>();
  net.emplace<nn::Linear>(256, 10);
  portico::optim::Adam adam(net.parameters(), {});
  const auto x = portico::Tensor::uniform({64, 784}, 0.0f, 1.0f);
  const auto loss = portico::cross_entropy(net(x), portico::Tensor::zeros({64}, {.dtype = portico::DType::i32}));
  loss.backward();
  adam.step();
  const float first = loss.item();
  std::printf("%.4f %.4f\n", first,
              portico::cross_entropy(net(x), portico::Tensor::zeros({64}, {.dtype = portico::DType::i32})).item());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
