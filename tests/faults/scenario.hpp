// What the walks do while calls fail: small, but everything that owns something takes part.
#pragma once

#include <unistd.h>

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

struct Scenario {
  std::string name;
  std::function<std::vector<float>()> run;
};

inline const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"training step", train_two_steps}, {"checkpoint", save_and_load}, {"large arrays", large_then_small}};
  return all;
}

}  // namespace portico::test
