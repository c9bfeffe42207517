#include "warm.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "portico/portico.hpp"

namespace portico_tune {
namespace {

namespace nn = portico::nn;
using portico::Shape;
using portico::Tensor;

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
  const Tensor labels = Tensor::from_ints(std::vector<std::int32_t>(static_cast<std::size_t>(shape[0])), {shape[0]});
  optimizer.clear_grad();
  const Tensor loss = cross_entropy(net(images), labels);
  loss.backward();
  optimizer.step();
  (void)loss.item();
}

void run_networks() {
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
        (void)argmax(softmax((*net)(Tensor::uniform(one, 0.0f, 1.0f)))).to_ints();
      }
    }
}

int run_networks_on(const std::string& name) {
  try {
    const portico::Device device = name.empty() ? portico::Device::current() : portico::Device::open(name);
    const portico::DeviceGuard on(device);
    run_networks();
    device.synchronize();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "portico-tune: --warm: %s\n", error.what());
    return 1;
  }
}

struct Filled {
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
};
Filled contents(const std::filesystem::path& folder) {
  Filled found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    ++found.files;
    found.bytes += entry.file_size(ignored);
  }
  return found;
}

}  // namespace

// Programs reach the folder when a process ends, so the work is a process of its own.
int warm(const std::string& folder, const std::string& device_name) {
  // Before the first device: the cache reads the variable once.
  setenv("PORTICO_CACHE_DIR", folder.c_str(), 1);
  const portico::CacheInfo cache = portico::cache_info();
  if (!cache.enabled)
    throw portico::Error(portico::ErrorCode::invalid_argument, "--warm " + folder + ": " + cache.reason);
  const pid_t child = fork();
  if (child == 0) std::exit(run_networks_on(device_name));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    throw portico::Error(portico::ErrorCode::internal, "--warm " + folder + ": no process could be started");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
  const Filled filled = contents(folder);
  std::printf("%s: %zu files, %.1f MB; PORTICO_CACHE_DIR=%s makes a process on an equal device use them\n",
              folder.c_str(), filled.files, static_cast<double>(filled.bytes) / 1e6, folder.c_str());
  return filled.files > 0 ? 0 : 1;
}

}  // namespace portico_tune
