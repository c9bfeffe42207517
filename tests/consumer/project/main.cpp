// Trains three steps of a small network on four points. Exit code 77: no device here.
#include <cstdio>
#include <memory>
#include <portico/portico.hpp>
#include <vector>

int main() try {
  portico::seed(1);
  portico::nn::Sequential model;
  model.emplace<portico::nn::Linear>(2, 16);
  model.emplace<portico::nn::ReLU>();
  model.emplace<portico::nn::Linear>(16, 2);
  portico::optim::SGD optimizer(model.parameters(), {.lr = 0.5f});

  const auto points = portico::Tensor::from({0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
  const std::vector<std::int32_t> both = {0, 0, 0, 1};  // the logical and
  const auto labels = portico::Tensor::from_ints(both, {4});

  float first = 0, last = 0;
  for (int step = 1; step <= 3; ++step) {
    const auto loss = portico::cross_entropy(model(points), labels);
    optimizer.clear_grad();
    loss.backward();
    optimizer.step();
    last = loss.item();
    if (step == 1) first = last;
    std::printf("step %d loss %.6f\n", step, last);
  }
  const bool falls = last < first;
  std::printf("consumer: portico %s on %s, three steps, the loss %s\n", portico::version(),
              portico::Device::current().label().c_str(), falls ? "falls" : "does not fall");
  return falls ? 0 : 1;
} catch (const portico::Error& error) {
  std::fprintf(stderr, "consumer: %s\n", error.what());
  return error.code() == portico::ErrorCode::unsupported ? 77 : 1;
}
