// Stochastic gradient descent.
#include "optim/multi_tensor.hpp"
#include "optim/options.hpp"
#include "portico/optim/optimizer.hpp"

namespace portico::optim {
namespace {

constexpr std::uint32_t kMomentum = 1, kNesterov = 2;

const detail::KernelFamily kStep("sgd", "sgd_step");

void words(Spec& spec, std::uint32_t flags) {
  spec.set("MOMENTUM", (flags & kMomentum) != 0).set("NESTEROV", (flags & kNesterov) != 0);
}

SGDOptions checked(const SGDOptions& options) {
  const auto check = [](bool good, const char* option, double value, const char* rule) {
    detail::check_option(good, "SGD", option, value, rule);
  };
  check(options.lr >= 0, "lr", options.lr, "it must not be negative");
  check(options.momentum >= 0, "momentum", options.momentum, "it must not be negative");
  check(options.weight_decay >= 0, "weight_decay", options.weight_decay, "it must not be negative");
  check(!options.nesterov || options.momentum > 0, "momentum", options.momentum, "nesterov needs a positive one");
  check(!options.nesterov || options.dampening == 0, "dampening", options.dampening, "nesterov needs it to be 0");
  return options;
}

}  // namespace

struct SGD::Impl {
  Impl(const std::vector<Tensor>& parameters, const SGDOptions& given)
      : options(given),
        state(parameters, given.momentum != 0 ? std::vector{"momentum_buffer"} : std::vector<const char*>{}) {}

  SGDOptions options;
  detail::OptimizerState state;
};

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options)
    : Optimizer(std::move(parameters), "SGD"), impl_(std::make_shared<Impl>(this->parameters(), checked(options))) {}

SGD::~SGD() = default;

void SGD::step() {
  const bool momentum = impl_->options.momentum != 0;
  const auto scalars = [impl = impl_, momentum](std::int64_t first) {
    const SGDOptions& options = impl->options;
    std::vector<float> values = {options.maximize ? -1.0f : 1.0f, options.weight_decay, options.lr};
    if (momentum)
      values.insert(values.end(), {first ? 0.0f : options.momentum,
                                   first ? 1.0f : static_cast<float>(1.0 - options.dampening), options.momentum});
    return values;
  };
  // The first update sets the buffer to the gradient, undampened, so parameters differ by whether they had theirs.
  const auto variant = [impl = impl_, momentum](std::size_t index) {
    return momentum && impl->state.steps(index) == 0;
  };
  const detail::StepRule rule{
      .name = "SGD", .variant = variant, .scalars = scalars, .done = [impl = impl_](std::size_t index) {
        ++impl->state.steps(index);
      }};
  detail::update_all({kStep, words}, (momentum ? kMomentum : 0) | (impl_->options.nesterov ? kNesterov : 0),
                     parameters(), detail::gather_targets(parameters(), impl_->state, rule), impl_->state, rule);
}

float SGD::lr() const { return impl_->options.lr; }

void SGD::set_lr(float lr) {
  detail::check_option(lr >= 0, "SGD", "lr", lr, "it must not be negative");
  impl_->options.lr = lr;
}

StateDict SGD::state_dict() const {
  StateDict state = impl_->state.save(parameters(), false);
  state["lr"] = Tensor::scalar(impl_->options.lr, {.device = parameters().front().device()});
  return state;
}

void SGD::load_state_dict(const StateDict& state) {
  impl_->state.load(parameters(), state, false, "SGD", impl_->options.lr);
}

}  // namespace portico::optim
