// Each optimizer against its rule on the host.
#include <functional>
#include <memory>

#include "catch.hpp"
#include "host_rules.hpp"
#include "op_check.hpp"
#include "zoo.hpp"

namespace portico::test {
namespace {

constexpr int kSteps = 10;

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)>;
using HostRule = std::function<void(Doubles& x, const Doubles& gradient, float lr)>;

struct Case {
  std::string name;
  MakeOptimizer make;
  std::function<HostRule()> rule;  ///< one for each parameter, with its own state
};

Case sgd(const std::string& name, const optim::SGDOptions& options) {
  return {name, [=](std::vector<Tensor> p) { return std::make_unique<optim::SGD>(std::move(p), options); },
          [=]() -> HostRule {
            return [host = HostSgd{options}](Doubles& x, const Doubles& gradient, float lr) mutable {
              host.o.lr = lr;
              host.step(x, gradient);
            };
          }};
}

HostRule host_adam(const optim::AdamOptions& options, bool decoupled) {
  return [host = HostAdam{options, decoupled}](Doubles& x, const Doubles& gradient, float lr) mutable {
    host.o.lr = lr;
    host.step(x, gradient);
  };
}

Case adam(const std::string& name, const optim::AdamOptions& options) {
  return {name, [=](std::vector<Tensor> p) { return std::make_unique<optim::Adam>(std::move(p), options); },
          [=] { return host_adam(options, false); }};
}

Case adamw(const std::string& name, const optim::AdamWOptions& o) {
  return {name, [=](std::vector<Tensor> p) { return std::make_unique<optim::AdamW>(std::move(p), o); },
          [=] {
            return host_adam({.beta1 = o.beta1,
                              .beta2 = o.beta2,
                              .eps = o.eps,
                              .weight_decay = o.weight_decay,
                              .amsgrad = o.amsgrad,
                              .maximize = o.maximize},
                             true);
          }};
}

const std::vector<Case> kCases = {
    sgd("SGD", {.lr = 0.1f}),
    sgd("SGD, decay, maximize", {.lr = 0.1f, .weight_decay = 0.1f, .maximize = true}),
    sgd("SGD, momentum", {.lr = 0.1f, .momentum = 0.9f}),
    sgd("SGD, momentum, dampening, decay", {.lr = 0.1f, .momentum = 0.8f, .dampening = 0.3f, .weight_decay = 0.05f}),
    sgd("SGD, nesterov, maximize", {.lr = 0.1f, .momentum = 0.9f, .nesterov = true, .maximize = true}),
    adam("Adam", {.lr = 0.01f}),
    adam("Adam, decay, maximize", {.lr = 0.02f, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1f, .maximize = true}),
    adam("Adam, amsgrad", {.lr = 0.01f, .beta2 = 0.5, .eps = 1e-3f, .amsgrad = true}),
    adamw("AdamW", {.lr = 0.01f}),
    adamw("AdamW, decay, amsgrad, maximize",
          {.lr = 0.02f, .beta2 = 0.6, .weight_decay = 0.3f, .amsgrad = true, .maximize = true}),
};

Doubles doubles(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  return {values.begin(), values.end()};
}

// Ten steps with gradients that come and go and a rate that falls. Parameters of half types begin every step where the
// device's are, since one rounding more or less of the stored value would tell nothing about the rule.
void check_steps(const Case& rule, DType dtype, DType gradient_dtype) {
  INFO(rule.name << " on " << name_of(dtype) << " with gradients in " << name_of(gradient_dtype));
  Zoo zoo(dtype);
  const std::vector<float> around_before = zoo.odd_memory.to_vector();
  const auto optimizer = rule.make(zoo.parameters);
  std::vector<Doubles> expected;
  std::vector<HostRule> host;
  for (const Tensor& parameter : zoo.parameters) {
    expected.push_back(doubles(parameter));
    host.push_back(rule.rule());
  }

  HostNumbers numbers(77);
  for (int step = 0; step < kSteps; ++step) {
    optimizer->set_lr(0.1f / static_cast<float>(1 + step));
    for (std::size_t i = 0; i < zoo.parameters.size(); ++i) {
      const Tensor& parameter = zoo.parameters[i];
      parameter.clear_grad();
      if (dtype != DType::f32) expected[i] = doubles(parameter);
      if (!Zoo::has_gradient(i, step)) continue;
      Tensor gradient = Tensor::from(numbers.take(parameter.count()), parameter.shape(), {.dtype = gradient_dtype});
      if (parameter.rank() == 4 && step % 2 == 0) gradient = gradient.contiguous(Layout::channels_last);
      parameter.set_grad(gradient);
      host[i](expected[i], doubles(gradient), optimizer->lr());
    }
    optimizer->step();
    for (std::size_t i = 0; i < zoo.parameters.size(); ++i) {
      INFO("step " << step << ", parameter " << i << " " << zoo.parameters[i].shape().to_string());
      // f32: each of the steps so far adds a few roundings of a parameter of size 1 and of a step of at most 0.1.
      check_values(zoo.parameters[i].to_vector(), expected[i], dtype, step + 1);
    }
  }

  const std::vector<float> around = zoo.odd_memory.to_vector();  // the second parameter is its rows 1 to 6
  for (std::size_t i = 0; i < 5; ++i) CHECK(around[i] == around_before[i]);
  for (std::size_t i = 30; i < 35; ++i) CHECK(around[i] == around_before[i]);
}

}  // namespace

TEST_CASE("ten steps agree with the rule on the host", "[optim]") {
  for (const Case& rule : kCases) check_steps(rule, DType::f32, DType::f32);
}

TEST_CASE("parameters and gradients of half types", "[optim]") {
  for (const Case& rule : {kCases[3], kCases[5], kCases[9]}) {
    check_steps(rule, DType::bf16, DType::bf16);
    check_steps(rule, DType::f16, DType::f16);
  }
  check_steps(kCases[4], DType::bf16, DType::f32);
  check_steps(kCases[7], DType::f32, DType::f16);
}

TEST_CASE("parameters of several dtypes in one optimizer", "[optim]") {
  HostNumbers numbers(3);
  const std::vector<float> start = numbers.take(100), slope = numbers.take(100);
  std::vector<Tensor> parameters;
  for (const DType dtype : {DType::f32, DType::bf16, DType::f32, DType::f16}) {
    parameters.push_back(Tensor::from(start, {100}, {.dtype = dtype, .requires_grad = true}));
    parameters.back().set_grad(Tensor::from(slope, {100}, {.dtype = dtype}));
  }
  optim::SGD optimizer(parameters, {.lr = 0.5f});
  optimizer.step();
  for (const Tensor& parameter : parameters) {
    Doubles expected = doubles(Tensor::from(start, {100}, {.dtype = parameter.dtype()}));
    HostSgd{{.lr = 0.5f}}.step(expected, doubles(parameter.grad()));
    check_values(parameter.to_vector(), expected, parameter.dtype());
  }
}

TEST_CASE("what has no gradient stays, with its state", "[optim]") {
  HostNumbers numbers(4);
  Tensor still = Tensor::from(numbers.take(9), {9}, {.requires_grad = true});
  Tensor moving = Tensor::from(numbers.take(9), {9}, {.requires_grad = true});
  const std::vector<float> before = still.to_vector();
  optim::AdamW optimizer({still, moving}, {.lr = 0.1f, .weight_decay = 0.5f});
  optimizer.step();  // nothing has a gradient: nothing happens
  CHECK(optimizer.state_dict().size() == 1);
  moving.set_grad(Tensor::ones({9}));
  optimizer.step();
  CHECK(still.to_vector() == before);
  CHECK(optimizer.state_dict().count("0.exp_avg") == 0);
  CHECK(optimizer.state_dict().count("1.exp_avg") == 1);
}

TEST_CASE("a step marks the parameters' memory as changed and leaves gradients alone", "[optim]") {
  Tensor x = Tensor::from({1.0f, 2.0f}, {2}, {.requires_grad = true});
  Tensor y = Tensor::from({1.0f, 2.0f}, {2}, {.requires_grad = true});
  x.set_grad(Tensor::from({0.5f, -0.5f}, {2}));
  optim::SGD optimizer({x, y}, {.lr = 1.0f, .weight_decay = 0.5f});
  const std::uint64_t before_x = x.buffer().version(), before_y = y.buffer().version();
  optimizer.step();
  CHECK(x.buffer().version() > before_x);
  CHECK(y.buffer().version() == before_y);
  CHECK(x.grad().to_vector() == std::vector<float>{0.5f, -0.5f});
  optimizer.clear_grad();
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a gradient in the parameter's own memory is read before it is changed", "[optim]") {
  const Tensor memory = Tensor::arange(41);
  Tensor x = memory.rows(1, 41).detach().set_requires_grad();
  x.set_grad(memory.rows(0, 40));  // element i of it is element i - 1 of the parameter
  optim::SGD optimizer({x}, {.lr = 0.5f});
  optimizer.step();
  Doubles expected;
  for (int i = 0; i < 40; ++i) expected.push_back(i + 1 - 0.5 * i);
  check_values(x.to_vector(), expected, DType::f32);
}

}  // namespace portico::test
