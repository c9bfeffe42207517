// What the walks do while calls fail: small, but everything that owns something takes part.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <portico/portico.hpp>
#include <string>
#include <vector>

namespace portico::test {

inline std::vector<float> train_two_steps() {
  seed(11);
  nn::Sequential model;
  model.emplace<nn::Linear>(12, 16);
  model.emplace<nn::ReLU>();
  model.emplace<nn::Dropout>(0.25f);
  model.emplace<nn::Linear>(16, 10);
  optim::Adam optimizer(model.parameters());
  std::vector<std::int32_t> classes(8);
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int32_t>(i % 10);
  const Tensor images = Tensor::uniform({8, 12}, 0, 1);
  const Tensor labels = Tensor::from_ints(classes, {8});
  std::vector<float> result;
  for (int step = 0; step < 2; ++step) {
    const Tensor loss = cross_entropy(model(images), labels);
    optimizer.clear_grad();
    loss.backward();
    optimizer.step();
    result.push_back(loss.item());
  }
  for (const Tensor& parameter : model.parameters())
    for (const float value : parameter.to_vector()) result.push_back(value);
  return result;
}

inline std::vector<float> save_and_load() {
  seed(12);
  nn::Linear saved(6, 5), loaded(6, 5);
  const std::string file = "/tmp/portico-faults-" + std::to_string(getpid()) + ".safetensors";
  struct Remove {
    const std::string& name;
    ~Remove() { unlink(name.c_str()); }
  } remove{file};
  save_safetensors(file, saved.state_dict());
  loaded.load_state_dict(load_safetensors(file));
  std::vector<float> result;
  for (const Tensor& parameter : loaded.parameters())
    for (const float value : parameter.to_vector()) result.push_back(value);
  return result;
}

inline std::vector<float> large_then_small() {
  const Tensor large = Tensor::full({1 << 16}, 1.0f);
  const Tensor total = sum(large + large);
  return {total.item(), matmul(Tensor::full({4, 6}, 2.0f), Tensor::full({6, 3}, 0.5f)).to_vector().at(0)};
}

inline constexpr const char* kSlow = R"(
KERNEL void slow(OUT(f32, y), const uint rounds) {
  OFFSET(y);
  float value = y[0];
  for (uint i = 0; i < rounds; ++i) value = fma(value, 0.5f, 1.0f);
  y[0] = value;
}
)";
// More bytes than the staging memory of a busy stream holds, from another stream, and events between the two.
// `rounds` of a slow kernel keep the device busy meanwhile.
inline std::vector<float> two_streams(std::uint32_t rounds = 0) {
  const Device device = Device::current();
  const Stream side = device.create_stream();
  const Event start(device.stream());
  side.wait(start);
  std::vector<float> values(std::size_t{1} << 19);
  Tensor total = Tensor::zeros({1 << 19});
  const Buffer slow = device.allocate(4);
  std::vector<Tensor> kept;  // nothing is freed on the way
  {
    const StreamGuard guard(side);
    if (rounds > 0) {
      slow.fill(0, 0, 4);
      device.compile("slow", kSlow, "slow", {})({.groups = {1}, .local = {1}}, {{slow, 0, 4}, rounds});
    }
    for (int i = 1; i <= 10; ++i) {
      std::fill(values.begin(), values.end(), static_cast<float>(i));
      kept.push_back(Tensor::from(values, {1 << 19}));
      kept.push_back(total);
      total = total + kept[kept.size() - 2];
    }
  }
  const Event end(side);
  device.stream().wait(end);
  std::vector<float> result = {sum(total).item()};
  if (end.milliseconds_since(start) < 0) result.clear();
  return result;
}

// A graph that updates in place, so that a command that ran twice shows.
inline std::vector<float> record_and_replay() {
  const Tensor weight = Tensor::full({64}, 1.0f), gradient = Tensor::full({64}, 0.25f);
  Tensor loss;
  const Graph step = Graph::record([&] {
    weight.copy_from(weight * 0.5f + gradient);
    weight.copy_from(weight + 1.0f);
    loss = sum(weight);
  });
  step.replay();
  gradient.copy_from(std::vector<float>(64, 0.5f));
  step.replay();
  std::vector<float> result = weight.to_vector();
  result.push_back(loss.item());
  return result;
}

// Convolutions by the backend's library, at once and in a graph, whose stream makes its plans anew each time. Whole
// numbers: whoever computes them in whatever order gives the same bits.
inline std::vector<float> convolution() {
  const auto whole = [](const Shape& shape, std::size_t seed) {
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 7 + seed * 3) % 5) - 2.0f;
    return Tensor::from(values, shape).set_requires_grad();
  };
  const Tensor x = whole({2, 3, 5, 5}, 1), weight = whole({4, 3, 3, 3}, 2), bias = whole({4}, 3);
  const Conv2dOptions options = {.padding = {1, 1}, .activation = Activation::relu};
  std::vector<float> result;
  const auto take = [&](const Tensor& tensor) {
    for (const float value : tensor.to_vector()) result.push_back(value);
  };
  const Tensor y = conv2d(x, weight, bias, options);
  y.backward(Tensor::ones(y.shape()));
  for (const Tensor& each : {y, x.grad(), weight.grad(), bias.grad()}) take(each);
  const NoGrad guard;
  // No library has this with its bias and relu in one.
  take(conv2d(x, weight, bias, {.padding = {2, 2}, .dilation = {2, 2}, .activation = Activation::relu}));
  Tensor recorded;
  const Graph step = Graph::record([&] { recorded = conv2d(x, weight, bias, options); });
  step.replay();
  take(recorded);
  return result;
}

/// Whether the variables name a convolution library; those tests walk its calls and leave the rest to the others.
inline bool walks_convolutions() {
  for (const char* variable : {"PORTICO_CUDNN", "PORTICO_MIOPEN"})
    if (const char* given = std::getenv(variable); given && *given) return true;
  return false;
}

struct Scenario {
  std::string name;
  std::function<std::vector<float>()> run;
  std::uint64_t kept = 0;  ///< objects of a kind that a stream may keep for reuse, or not: its ring of staging memory
};

inline const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> convolutions = {{"convolution", convolution}};
  if (walks_convolutions()) return convolutions;
  static const std::vector<Scenario> all = {{"training step", train_two_steps},
                                            {"checkpoint", save_and_load},
                                            {"large arrays", large_then_small},
                                            {"record and replay", record_and_replay}};
  // Where a call costs microseconds; a stand-in's own streams are tests/standin/rules' matter.
  static const std::vector<Scenario> more = [] {
    std::vector<Scenario> both = all;
    both.push_back({"two streams", [] { return two_streams(); }, 4});
    return both;
  }();
  return Device::current().backend() == "opencl" ? more : all;
}

}  // namespace portico::test
