// Adam and AdamW.
#include <cmath>

#include "optim/multi_tensor.hpp"
#include "optim/options.hpp"
#include "portico/optim/optimizer.hpp"

namespace portico::optim {
namespace {

constexpr std::uint32_t kAmsgrad = 1;

const detail::KernelFamily kStep("adam", "adam_step");

void words(Spec& spec, std::uint32_t flags) { spec.set("AMSGRAD", (flags & kAmsgrad) != 0); }

AdamOptions checked(const AdamOptions& options, const char* name) {
  const auto check = [&](bool good, const char* option, double value, const char* rule) {
    detail::check_option(good, name, option, value, rule);
  };
  check(options.lr >= 0, "lr", options.lr, "it must not be negative");
  check(options.beta1 >= 0 && options.beta1 < 1, "beta1", options.beta1, "it must lie in [0, 1)");
  check(options.beta2 >= 0 && options.beta2 < 1, "beta2", options.beta2, "it must lie in [0, 1)");
  check(options.eps >= 0, "eps", options.eps, "it must not be negative");
  check(options.weight_decay >= 0, "weight_decay", options.weight_decay, "it must not be negative");
  return options;
}

std::vector<const char*> fields(const AdamOptions& options) {
  std::vector<const char*> names = {"exp_avg", "exp_avg_sq"};
  if (options.amsgrad) names.push_back("max_exp_avg_sq");
  return names;
}

AdamOptions as_adam(const AdamWOptions& options) {
  return {.lr = options.lr,
          .beta1 = options.beta1,
          .beta2 = options.beta2,
          .eps = options.eps,
          .weight_decay = options.weight_decay,
          .amsgrad = options.amsgrad,
          .maximize = options.maximize};
}

}  // namespace

struct Adam::Impl {
  Impl(const std::vector<Tensor>& parameters, const AdamOptions& given, const char* given_name, bool is_decoupled)
      : options(checked(given, given_name)),
        name(given_name),
        decoupled(is_decoupled),
        state(parameters, fields(given)) {}

  AdamOptions options;
  const char* name;
  bool decoupled;  ///< AdamW: the decay shrinks the parameter instead of entering the gradient
  detail::OptimizerState state;
};

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options, const char* name, bool decoupled)
    : Optimizer(std::move(parameters), name),
      impl_(std::make_shared<Impl>(this->parameters(), options, name, decoupled)) {}

Adam::~Adam() = default;

AdamW::AdamW(std::vector<Tensor> parameters, const AdamWOptions& options)
    : Adam(std::move(parameters), as_adam(options), "AdamW", true) {}

void Adam::step() {
  const auto scalars = [impl = impl_](std::int64_t step) {
    const AdamOptions& options = impl->options;
    const double lr = options.lr, decay = options.weight_decay;
    const double correction1 = 1.0 - std::pow(options.beta1, static_cast<double>(step));
    const double correction2 = 1.0 - std::pow(options.beta2, static_cast<double>(step));
    const double values[] = {options.maximize ? -1.0 : 1.0,
                             impl->decoupled ? 0.0 : decay,
                             impl->decoupled ? 1.0 - lr * decay : 1.0,
                             1.0 - options.beta1,
                             options.beta2,
                             1.0 - options.beta2,
                             lr / correction1,
                             1.0 / std::sqrt(correction2),
                             options.eps};
    return std::vector<float>(std::begin(values), std::end(values));
  };
  const detail::StepRule rule{.name = impl_->name,
                              .variant = [impl = impl_](std::size_t index) { return impl->state.steps(index) + 1; },
                              .scalars = scalars,
                              .done = [impl = impl_](std::size_t index) { ++impl->state.steps(index); }};
  detail::update_all({kStep, words}, impl_->options.amsgrad ? kAmsgrad : 0, parameters(),
                     detail::gather_targets(parameters(), impl_->state, rule), impl_->state, rule);
}

float Adam::lr() const { return impl_->options.lr; }

void Adam::set_lr(float lr) {
  detail::check_option(lr >= 0, impl_->name, "lr", lr, "it must not be negative");
  impl_->options.lr = lr;
}

StateDict Adam::state_dict() const {
  StateDict state = impl_->state.save(parameters(), true);
  state["lr"] = Tensor::scalar(impl_->options.lr, {.device = parameters().front().device()});
  return state;
}

void Adam::load_state_dict(const StateDict& state) {
  impl_->state.load(parameters(), state, true, impl_->name, impl_->options.lr);
}

}  // namespace portico::optim
