// What optimizers share, and the optimizers: each updates all parameters in a handful of launches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "portico/io.hpp"
#include "portico/tensor.hpp"

namespace portico::optim {

/// A step updates the parameters that have a gradient, in place; the others keep their values and state. Gradients are
/// read, never changed, and may have another floating dtype or layout than their parameter. State is f32 whatever the
/// parameters are, and memory for it is taken when the optimizer is made.
class PORTICO_API Optimizer {
 public:
  /// Throws `Error{invalid_argument}` for an empty list, and for a parameter that is undefined, no leaf that requires a
  /// gradient, not of a floating dtype, or in memory that another one of the list has. `name` begins the messages.
  Optimizer(std::vector<Tensor> parameters, const char* name);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  virtual void step() = 0;
  void clear_grad() const;

  virtual float lr() const = 0;
  virtual void set_lr(float lr) = 0;

  /// Everything that changes from step to step besides the parameters: "lr", and for each parameter that has been
  /// updated "<index>.<state>" with PyTorch's names of the states. The tensors are copies.
  virtual StateDict state_dict() const = 0;
  /// Goes on from there; parameters without an entry start afresh. Throws `Error{invalid_argument}` listing what does
  /// not fit, and then changes nothing.
  virtual void load_state_dict(const StateDict& state) = 0;

  const std::vector<Tensor>& parameters() const noexcept { return parameters_; }

 private:
  std::vector<Tensor> parameters_;
};

struct SGDOptions {
  float lr = 1e-3f;
  float momentum = 0.0f;
  float dampening = 0.0f;
  float weight_decay = 0.0f;
  bool nesterov = false;
  bool maximize = false;
};

/// Stochastic gradient descent with momentum as torch.optim.SGD defines it; its state is "momentum_buffer". Throws
/// `Error{invalid_argument}` for a negative rate, momentum or decay, and for nesterov without momentum or with
/// dampening.
class PORTICO_API SGD : public Optimizer {
 public:
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {});
  ~SGD() override;
  void step() override;
  float lr() const override;
  void set_lr(float lr) override;
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // a recorded graph shares it
};

struct AdamOptions {
  float lr = 1e-3f;
  double beta1 = 0.9;  ///< double, because 1 - beta2 would lose digits that every step multiplies by
  double beta2 = 0.999;
  float eps = 1e-8f;
  float weight_decay = 0.0f;
  bool amsgrad = false;
  bool maximize = false;
};

/// Kingma and Ba, arXiv:1412.6980; weight decay is added to the gradient. State: "step" (i32), "exp_avg", "exp_avg_sq"
/// and with amsgrad (Reddi et al., arXiv:1904.09237) "max_exp_avg_sq". Throws `Error{invalid_argument}` for a negative
/// rate, eps or decay and for betas outside [0, 1).
class PORTICO_API Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {})
      : Adam(std::move(parameters), options, "Adam", false) {}
  ~Adam() override;
  void step() override;
  float lr() const override;
  void set_lr(float lr) override;
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 protected:
  Adam(std::vector<Tensor> parameters, const AdamOptions& options, const char* name, bool decoupled);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // a recorded graph shares it
};

struct AdamWOptions {
  float lr = 1e-3f;
  double beta1 = 0.9;
  double beta2 = 0.999;
  float eps = 1e-8f;
  float weight_decay = 0.01f;
  bool amsgrad = false;
  bool maximize = false;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
class PORTICO_API AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {});
};

}  // namespace portico::optim
