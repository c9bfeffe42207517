// A short training run of everything that owns something: layers, an optimizer, a data loader's images, a graph that is
// never run backward, an operation that throws, a checkpoint. --leak loses a parameter's worth of host memory on
// purpose.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <portico/portico.hpp>
#include <string>
#include <vector>

namespace {

using namespace portico;

void short_run() {
  seed(3);
  nn::Sequential model;
  model.emplace<nn::Conv2d>(1, 8, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  model.emplace<nn::ReLU>();
  model.emplace<nn::MaxPool2d>(2);
  model.emplace<nn::Flatten>();
  model.emplace<nn::Dropout>(0.25f);
  model.emplace<nn::Linear>(8 * 4 * 4, 10);
  optim::Adam optimizer(model.parameters());

  std::vector<std::int32_t> classes(16);
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int32_t>(i % 10);
  const Tensor images = Tensor::uniform({16, 1, 8, 8}, 0, 1);
  const Tensor labels = Tensor::from_ints(classes, {16});
  for (int step = 0; step < 5; ++step) {
    const Tensor loss = cross_entropy(model(images), labels);
    optimizer.clear_grad();
    loss.backward();
    optimizer.step();
    std::printf("step %d loss %.4f\n", step + 1, loss.item());
  }

  const Tensor never_run_backward = cross_entropy(model(images), labels);
  try {
    matmul(images, labels);
  } catch (const Error& error) {
    std::printf("as it should be: %s\n", error.what());
  }

  const std::string file = "/tmp/portico-leaks-" + std::to_string(getpid()) + ".safetensors";
  save_safetensors(file, model.state_dict());
  model.load_state_dict(load_safetensors(file));
  unlink(file.c_str());
}

// Many blocks, and the training afterwards: a stale address in a register or on the stack, which the leak check takes
// for a pointer, hides one of them at most.
[[gnu::noinline]] void lose_memory() {
  static volatile std::size_t size = 4096;
  for (int i = 0; i < 100; ++i) {
    void* volatile lost = std::malloc(size);
    lost = nullptr;
    static_cast<void>(lost);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 1 && std::strcmp(argv[1], "--leak") == 0) lose_memory();
  short_run();
  return 0;
} catch (const portico::Error& error) {
  std::fprintf(stderr, "skipped: %s\n", error.what());
  return error.code() == portico::ErrorCode::unsupported ? 77 : 1;
}
