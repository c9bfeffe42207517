// The layers: parameters and options; shapes are checked, and gradients defined, by the operations of ops.hpp.
// Options, defaults and initial distributions are PyTorch's. Constructors throw `Error{invalid_argument}` for options
// that no input could fit.
#pragma once

#include <memory>
#include <vector>

#include "portico/nn/module.hpp"
#include "portico/ops.hpp"

namespace portico::nn {

struct LinearOptions {
  bool bias = true;
  TensorOptions tensor = {};  ///< dtype and device of the parameters
};

/// y = x W^T + b over the last axis of x. W is [out, in]; both start uniform in +-1/sqrt(in), which is what PyTorch's
/// kaiming_uniform with a = sqrt(5) comes to (He et al., arXiv:1502.01852).
class PORTICO_API Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, Activation::none); }
  /// The same with the activation computed where the result is still in registers.
  Tensor forward(const Tensor& x, Activation activation);
  std::string describe() const override;
  Tensor weight, bias;  ///< bias is undefined without one

 private:
  std::int64_t in_, out_;
};

struct Conv2dLayerOptions {
  Pair stride = {1, 1};
  Pair padding = {0, 0};
  Pair dilation = {1, 1};
  std::int64_t groups = 1;
  bool bias = true;
  bool same = false;  ///< PyTorch's padding='same': the output has the input's extent; needs stride 1, padding unset
  TensorOptions tensor = {};
};

/// Cross-correlation over x [n, in, h, w]; weight [out, in / groups, kh, kw] and bias start uniform in
/// +-1/sqrt(in / groups * kh * kw).
class PORTICO_API Conv2d : public Module {
 public:
  Conv2d(std::int64_t in, std::int64_t out, Pair kernel, const Conv2dLayerOptions& options = {});
  Conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv2dLayerOptions& options = {})
      : Conv2d(in, out, Pair{kernel, kernel}, options) {}
  Tensor forward(const Tensor& x) override { return forward(x, Activation::none); }
  Tensor forward(const Tensor& x, Activation activation);
  std::string describe() const override;
  const Conv2dOptions& options() const { return options_; }  ///< as the operation gets them, without activation
  Tensor weight, bias;                                       ///< bias is undefined without one

 private:
  friend class Sequential;
  Tensor forward_relu_pool(const Tensor& x);  // ReLU and MaxPool2d(2) behind it, as one operation
  Tensor padded(const Tensor& x) const;
  std::int64_t in_, out_;
  Pair kernel_;
  bool same_;
  Conv2dOptions options_;
  Pair extra_padding_ = {0, 0};  ///< 'same' with an even effective kernel pads one more below and to the right
};

class PORTICO_API MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const MaxPool2dOptions& options);
  explicit MaxPool2d(std::int64_t kernel) : MaxPool2d(MaxPool2dOptions{.kernel = {kernel, kernel}}) {}
  Tensor forward(const Tensor& x) override { return max_pool2d(x, options_); }
  std::string describe() const override;
  const MaxPool2dOptions& options() const { return options_; }

 private:
  MaxPool2dOptions options_;
};

class PORTICO_API AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options);
  explicit AvgPool2d(std::int64_t kernel) : AvgPool2d(AvgPool2dOptions{.kernel = {kernel, kernel}}) {}
  Tensor forward(const Tensor& x) override { return avg_pool2d(x, options_); }
  std::string describe() const override;

 private:
  AvgPool2dOptions options_;
};

class PORTICO_API ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return relu(x); }
  std::string describe() const override { return "ReLU()"; }
};

class PORTICO_API LeakyReLU : public Module {
 public:
  explicit LeakyReLU(float slope = 0.01f) : slope_(slope) {}
  Tensor forward(const Tensor& x) override { return leaky_relu(x, slope_); }
  std::string describe() const override;

 private:
  float slope_;
};

class PORTICO_API ELU : public Module {
 public:
  explicit ELU(float alpha = 1.0f) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override { return elu(x, alpha_); }
  std::string describe() const override;

 private:
  float alpha_;
};

class PORTICO_API GELU : public Module {
 public:
  explicit GELU(Gelu form = Gelu::exact) : form_(form) {}
  Tensor forward(const Tensor& x) override { return gelu(x, form_); }
  std::string describe() const override;
  Gelu form() const { return form_; }

 private:
  Gelu form_;
};

class PORTICO_API SiLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return silu(x); }
  std::string describe() const override { return "SiLU()"; }
};

class PORTICO_API Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override { return sigmoid(x); }
  std::string describe() const override { return "Sigmoid()"; }
};

class PORTICO_API Tanh : public Module {
 public:
  Tensor forward(const Tensor& x) override { return tanh(x); }
  std::string describe() const override { return "Tanh()"; }
};

class PORTICO_API Softplus : public Module {
 public:
  explicit Softplus(float beta = 1.0f, float threshold = 20.0f) : beta_(beta), threshold_(threshold) {}
  Tensor forward(const Tensor& x) override { return softplus(x, beta_, threshold_); }
  std::string describe() const override;

 private:
  float beta_, threshold_;
};

class PORTICO_API Softmax : public Module {
 public:
  explicit Softmax(int axis = -1) : axis_(axis) {}
  Tensor forward(const Tensor& x) override { return softmax(x, axis_); }
  std::string describe() const override;

 private:
  int axis_;
};

/// Drops elements in training, passes them on otherwise.
class PORTICO_API Dropout : public Module {
 public:
  explicit Dropout(float p = 0.5f);
  Tensor forward(const Tensor& x) override { return training() ? dropout(x, p_) : x; }
  std::string describe() const override;

 private:
  float p_;
};

class PORTICO_API Flatten : public Module {
 public:
  explicit Flatten(int start_axis = 1, int end_axis = -1) : start_(start_axis), end_(end_axis) {}
  Tensor forward(const Tensor& x) override { return x.flatten(start_, end_); }
  std::string describe() const override;

 private:
  int start_, end_;
};

/// Layers one after another, named "0", "1", ... A Linear or Conv2d followed by ReLU or exact GELU runs as one
/// operation.
class PORTICO_API Sequential : public Module {
 public:
  Sequential();
  template <typename... Layers>
  explicit Sequential(std::unique_ptr<Layers>... layers) : Sequential() {
    (append(std::move(layers)), ...);
  }
  ~Sequential() override;

  /// Returns the layer. Throws `Error{invalid_argument}` for a null one.
  Module& append(std::unique_ptr<Module> layer);
  template <typename Layer, typename... Args>
  Layer& emplace(Args&&... args) {
    return static_cast<Layer&>(append(std::make_unique<Layer>(std::forward<Args>(args)...)));
  }
  std::size_t size() const noexcept { return layers_.size(); }
  Module& operator[](std::size_t index) const { return *layers_.at(index); }

  Tensor forward(const Tensor& x) override;

 private:
  struct Step;  // one operation of forward(): one layer, or a few that run as one
  std::vector<std::unique_ptr<Module>> layers_;
  std::vector<Step> plan_;
};

}  // namespace portico::nn
