// Saving an optimizer's state and going on from it.
#include <filesystem>
#include <memory>

#include "catch.hpp"
#include "op_check.hpp"
#include "zoo.hpp"

namespace portico::test {
namespace {

using optim::Adam;
using optim::AdamW;
using optim::SGD;

void train(optim::Optimizer& optimizer, int first_step, int steps) {
  for (int step = first_step; step < first_step + steps; ++step) {
    HostNumbers numbers(static_cast<std::uint32_t>(step));
    for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
      const Tensor& parameter = optimizer.parameters()[i];
      const std::vector<float> values = numbers.take(parameter.count());
      parameter.clear_grad();
      if (Zoo::has_gradient(i, step)) parameter.set_grad(Tensor::from(values, parameter.shape()));
    }
    optimizer.step();
    optimizer.set_lr(optimizer.lr() * 0.9f);
  }
}

std::vector<std::vector<float>> values(const std::vector<Tensor>& tensors) {
  std::vector<std::vector<float>> all;
  for (const Tensor& tensor : tensors) all.push_back(tensor.to_vector());
  return all;
}

template <typename Optimizer, typename Options>
void check_continues(const Options& options) {
  Zoo straight(DType::f32), resumed(DType::f32);
  Optimizer whole(straight.parameters, options);
  train(whole, 0, 6);

  Optimizer first_half(resumed.parameters, options);
  train(first_half, 0, 3);
  // Through a file, as a checkpoint goes.
  const auto path = std::filesystem::temp_directory_path() / "portico_optim_state_test.safetensors";
  save_safetensors(path, first_half.state_dict());
  std::vector<Tensor> weights;
  for (const Tensor& parameter : resumed.parameters) weights.push_back(parameter.clone());
  train(first_half, 3, 1);  // neither of the two copies may see this
  for (std::size_t i = 0; i < weights.size(); ++i) resumed.parameters[i].copy_from(weights[i]);

  Optimizer second_half(resumed.parameters, options);
  second_half.load_state_dict(load_safetensors(path));
  std::filesystem::remove(path);
  train(second_half, 3, 3);
  CHECK(second_half.lr() == whole.lr());
  CHECK(values(resumed.parameters) == values(straight.parameters));
}

struct TwoParameters {
  Tensor a = Tensor::from({1.0f, 2.0f, 3.0f}, {3}, {.requires_grad = true});
  Tensor b = Tensor::from({4.0f, 5.0f}, {1, 2}, {.requires_grad = true});
  std::vector<Tensor> both() const { return {a, b}; }
  void slope() const {
    a.set_grad(Tensor::ones({3}));
    b.set_grad(Tensor::ones({1, 2}));
  }
};

}  // namespace

TEST_CASE("training goes on identically from a saved state", "[optim][state]") {
  check_continues<SGD>(optim::SGDOptions{.lr = 0.1f, .momentum = 0.9f, .dampening = 0.2f});
  check_continues<SGD>(optim::SGDOptions{.lr = 0.1f});
  check_continues<Adam>(optim::AdamOptions{.lr = 0.01f, .weight_decay = 0.1f});
  check_continues<AdamW>(optim::AdamWOptions{.lr = 0.01f, .beta2 = 0.6, .amsgrad = true});
}

TEST_CASE("a state has PyTorch's names", "[optim][state]") {
  const TwoParameters model;
  model.slope();
  const auto names = [](const optim::Optimizer& optimizer) {
    std::string all;
    for (const auto& [name, tensor] : optimizer.state_dict()) all += name + tensor.shape().to_string() + " ";
    return all;
  };
  SGD sgd(model.both(), {.momentum = 0.9f});
  CHECK(names(sgd) == "lr[] ");
  sgd.step();
  CHECK(names(sgd) == "0.momentum_buffer[3] 1.momentum_buffer[1,2] lr[] ");
  Adam adam(model.both(), {.amsgrad = true});
  adam.step();
  adam.step();
  CHECK(names(adam) ==
        "0.exp_avg[3] 0.exp_avg_sq[3] 0.max_exp_avg_sq[3] 0.step[] "
        "1.exp_avg[1,2] 1.exp_avg_sq[1,2] 1.max_exp_avg_sq[1,2] 1.step[] lr[] ");
  CHECK(adam.state_dict().at("1.step").to_ints() == std::vector<std::int32_t>{2});
}

TEST_CASE("a state that does not fit changes nothing and says everything", "[optim][state]") {
  const TwoParameters model;
  model.slope();
  Adam adam(model.both(), {.lr = 0.5f});
  adam.step();
  const StateDict good = adam.state_dict();
  StateDict bad = good;
  bad["0.exp_avg"] = Tensor::ones({4});
  bad["2.exp_avg"] = Tensor::ones({3});
  bad["1.velocity"] = Tensor::ones({2});
  bad["01.exp_avg"] = Tensor::ones({2});
  bad["1.step"] = Tensor::scalar(-3.0f);
  bad["lr"] = Tensor::scalar(0.25f);
  bad.erase("1.exp_avg_sq");
  for (const char* part : {"Adam: this state does not fit the 2 parameters, nothing was changed",
                           "'0.exp_avg' is [4], parameter 0 [3]", "unexpected '2.exp_avg'", "unexpected '1.velocity'",
                           "unexpected '01.exp_avg'", "'1.step' is no step count", "missing '1.exp_avg_sq'"})
    check_error([&] { adam.load_state_dict(bad); }, ErrorCode::invalid_argument, part);
  CHECK(adam.lr() == 0.5f);
  CHECK(adam.state_dict().at("0.exp_avg").to_vector() == good.at("0.exp_avg").to_vector());
  CHECK(adam.state_dict().at("1.step").to_ints() == std::vector<std::int32_t>{1});
}

TEST_CASE("an empty state starts afresh", "[optim][state]") {
  const auto check = [](auto make) {
    const TwoParameters model, fresh;
    model.slope();
    fresh.slope();
    const auto used = make(model.both()), reference = make(fresh.both());
    used->step();
    used->step();
    model.a.copy_from(fresh.a);
    model.b.copy_from(fresh.b);
    used->load_state_dict({});
    used->step();
    reference->step();
    CHECK(values(model.both()) == values(fresh.both()));
  };
  check([](auto p) { return std::make_unique<SGD>(p, optim::SGDOptions{.momentum = 0.9f, .dampening = 0.5f}); });
  check([](auto p) { return std::make_unique<Adam>(p, optim::AdamOptions{.lr = 0.5f}); });
}

TEST_CASE("a state is a copy that later steps do not change", "[optim][state]") {
  const TwoParameters model;
  model.slope();
  SGD sgd(model.both(), {.momentum = 0.5f});
  sgd.step();
  const StateDict state = sgd.state_dict();
  sgd.step();
  CHECK(state.at("0.momentum_buffer").to_vector() == std::vector<float>{1.0f, 1.0f, 1.0f});
  CHECK(sgd.state_dict().at("0.momentum_buffer").to_vector() == std::vector<float>{1.5f, 1.5f, 1.5f});
}

TEST_CASE("PyTorch's step counts are floats", "[optim][state]") {
  const TwoParameters model;
  model.slope();
  Adam adam(model.both());
  adam.step();
  StateDict state = adam.state_dict();
  state["0.step"] = Tensor::scalar(41.0f);
  adam.load_state_dict(state);
  CHECK(adam.state_dict().at("0.step").to_ints() == std::vector<std::int32_t>{41});
}

}  // namespace portico::test
