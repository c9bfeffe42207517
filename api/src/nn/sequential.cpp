// Layers one after another, with neighbours run as one operation where there is one.
#include <typeinfo>

#include "nn/checks.hpp"
#include "portico/nn/layers.hpp"

namespace portico::nn {
namespace {

// Exactly `Layer`: a class derived from it may have another forward().
template <typename Layer>
Layer* exactly(Module& module) {
  return typeid(module) == typeid(Layer) ? static_cast<Layer*>(&module) : nullptr;
}

// The activation that a layer is, where linear and conv2d have it as an epilogue.
Activation epilogue_of(Module& module) {
  if (exactly<ReLU>(module)) return Activation::relu;
  if (const GELU* gelu = exactly<GELU>(module))
    return gelu->form() == Gelu::exact ? Activation::gelu : Activation::gelu_tanh;
  return Activation::none;
}

// Windows of 2 x 2 side by side: what conv2d_relu_pool does.
bool halves(const MaxPool2d& pool) {
  const MaxPool2dOptions& options = pool.options();
  return options.kernel == Pair{2, 2} && options.stride.value_or(options.kernel) == Pair{2, 2} &&
         options.padding == Pair{0, 0} && options.dilation == Pair{1, 1} && !options.ceil_mode;
}

}  // namespace

struct Sequential::Step {
  Module* layer;
  Linear* linear = nullptr;  ///< at most one of the two, and then with `activation`
  Conv2d* conv = nullptr;
  Activation activation = Activation::none;  ///< of the layer after it, which then has no step of its own
  bool pooled = false;                       ///< a convolution and its ReLU, and the layer after them halves the image
};

Sequential::Sequential() = default;
Sequential::~Sequential() = default;

Module& Sequential::append(std::unique_ptr<Module> layer) {
  check(layer != nullptr, "Sequential", "layer " + text(static_cast<std::int64_t>(size())) + " is null");
  Module& added = *layer;
  add_child(std::to_string(size()), added);
  layers_.push_back(std::move(layer));

  // Patterns are recognised here, once, by the last step and the new layer.
  const Activation activation = epilogue_of(added);
  if (activation != Activation::none && !plan_.empty()) {
    Step& last = plan_.back();
    if ((last.linear || last.conv) && last.activation == Activation::none) {
      last.activation = activation;
      return added;
    }
  }
  const MaxPool2d* pool = exactly<MaxPool2d>(added);
  if (pool && halves(*pool) && !plan_.empty()) {
    Step& last = plan_.back();
    if (last.conv && last.activation == Activation::relu && !last.pooled) {
      last.pooled = true;
      return added;
    }
  }
  plan_.push_back({&added, exactly<Linear>(added), exactly<Conv2d>(added)});
  return added;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const Step& step : plan_) {
    if (step.linear)
      y = step.linear->forward(y, step.activation);
    else if (step.pooled)
      y = step.conv->forward_relu_pool(y);
    else if (step.conv)
      y = step.conv->forward(y, step.activation);
    else
      y = step.layer->forward(y);
  }
  return y;
}

}  // namespace portico::nn
