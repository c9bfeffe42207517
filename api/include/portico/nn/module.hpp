// The base of layers: named parameters and children.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "portico/io.hpp"
#include "portico/tensor.hpp"

namespace portico::nn {

/// A layer or a whole network. Parameters and children are named as in PyTorch, so that weights can be exchanged.
/// Children are members of the derived class and are only referred to here: modules do not copy or move.
class PORTICO_API Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  virtual Tensor forward(const Tensor& x) = 0;
  Tensor operator()(const Tensor& x) { return forward(x); }

  /// The layer's type and options for messages: "Conv2d(1, 32, kernel=3x3, padding=1x1)".
  virtual std::string describe() const = 0;

  std::vector<Tensor> parameters() const;  ///< all, children's included, in order of addition
  std::vector<std::pair<std::string, Tensor>> named_parameters() const;  ///< "conv1.weight", ...
  std::vector<std::pair<std::string, Module*>> named_children() const { return children_; }
  std::int64_t parameter_count() const;

  StateDict state_dict() const;
  /// Copies values in by name. Throws `Error{invalid_argument}` listing missing, unexpected and ill-shaped names, and
  /// then changes nothing. `strict = false` allows missing and unexpected ones.
  void load_state_dict(const StateDict& state, bool strict = true);

  void train(bool on = true);  ///< dropout and the like behave differently in training; children included
  void eval() { train(false); }
  bool training() const noexcept { return training_; }
  void clear_grad() const;

 protected:
  /// Registers a parameter: it requires a gradient from now on. Returns it.
  Tensor add_parameter(std::string name, Tensor tensor);
  void add_child(std::string name, Module& child);

 private:
  std::vector<std::pair<std::string, Tensor>> parameters_;
  std::vector<std::pair<std::string, Module*>> children_;
  bool training_ = true;
};

}  // namespace portico::nn
