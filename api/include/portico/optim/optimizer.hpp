// What optimizers share, and the optimizers: each updates all parameters in a handful of launches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "portico/io.hpp"
#include "portico/tensor.hpp"

namespace portico::optim {

/// Parameters without a gradient keep their values and state. Gradients are read, never changed.
class PORTICO_API Optimizer {
 public:
  explicit Optimizer(std::vector<Tensor> parameters);
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  virtual void step() = 0;
  void clear_grad() const;

  virtual float lr() const = 0;
  virtual void set_lr(float lr) = 0;

  /// Everything that the next step depends on besides parameters and gradients, named "<parameter index>.<state>".
  virtual StateDict state_dict() const = 0;
  virtual void load_state_dict(const StateDict& state) = 0;

  const std::vector<Tensor>& parameters() const noexcept { return parameters_; }

 protected:
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

/// Stochastic gradient descent with momentum as torch.optim.SGD defines it.
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
  std::unique_ptr<Impl> impl_;
};

struct AdamOptions {
  float lr = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float weight_decay = 0.0f;
  bool amsgrad = false;
  bool maximize = false;
};

/// Kingma and Ba, arXiv:1412.6980; weight decay is added to the gradient.
class PORTICO_API Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {})
      : Adam(std::move(parameters), options, false) {}
  ~Adam() override;
  void step() override;
  float lr() const override;
  void set_lr(float lr) override;
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 protected:
  Adam(std::vector<Tensor> parameters, const AdamOptions& options, bool decoupled);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct AdamWOptions {
  float lr = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
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
