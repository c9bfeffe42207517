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

  /// The layer's type and options as PyTorch prints them: "Linear(in_features=784, out_features=10, bias=True)". Here
  /// the name of the derived class and its children, one a line.
  virtual std::string describe() const;

  /// All, children's included: a module's own in order of addition, then those of its children.
  std::vector<Tensor> parameters() const;
  std::vector<std::pair<std::string, Tensor>> named_parameters() const;  ///< "conv1.weight", ...
  std::vector<std::pair<std::string, Module*>> named_children() const { return children_; }
  std::int64_t parameter_count() const;

  /// The parameters by name, sharing memory with the module: clone() them to keep a snapshot.
  StateDict state_dict() const;
  /// Copies values in by name, converting dtype and device. Throws `Error{invalid_argument}` listing all missing,
  /// unexpected and ill-shaped names, and then changes nothing. `strict = false` allows missing and unexpected ones.
  void load_state_dict(const StateDict& state, bool strict = true);

  void train(bool on = true);  ///< dropout and the like behave differently in training; children included
  void eval() { train(false); }
  bool training() const noexcept { return training_; }
  void clear_grad() const;

 protected:
  /// Registers a parameter: it requires a gradient from now on. Returns it; the returned handle is the parameter, so
  /// change its values by copy_from() or fill() and never by assigning another tensor. Throws
  /// `Error{invalid_argument}` for a name that is taken, empty or has a dot.
  Tensor add_parameter(std::string name, Tensor tensor);
  /// The child must outlive this module, as a member declared in the same class does.
  void add_child(std::string name, Module& child);

 private:
  void check_name(const std::string& name) const;

  std::vector<std::pair<std::string, Tensor>> parameters_;
  std::vector<std::pair<std::string, Module*>> children_;
  bool training_ = true;
};

}  // namespace portico::nn
