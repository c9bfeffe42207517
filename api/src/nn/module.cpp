#include "portico/nn/module.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include "tensor/impl.hpp"

namespace portico::nn {
namespace {

// "Mlp" for (anonymous namespace)::Mlp. Without a name to be had, what every module is.
std::string class_name(const Module& module) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(typeid(module).name(), nullptr, nullptr, &status), &std::free);
  if (status != 0) return "Module";
  const std::string name = text.get();
  const std::size_t arguments = std::min(name.find('<'), name.size());
  const std::size_t scope = name.rfind("::", arguments);
  return scope == std::string::npos ? name : name.substr(scope + 2);
}

std::string indented(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

}  // namespace

Tensor Module::add_parameter(std::string name, Tensor tensor) {
  check_name(name);
  detail::require_defined(tensor, class_name(*this).c_str(), name.c_str());
  tensor.set_requires_grad();
  parameters_.emplace_back(std::move(name), tensor);
  return tensor;
}

void Module::add_child(std::string name, Module& child) {
  check_name(name);
  children_.emplace_back(std::move(name), &child);
}

void Module::check_name(const std::string& name) const {
  const auto fail = [&](const char* text) {
    throw Error(ErrorCode::invalid_argument, class_name(*this) + ": the name '" + name + "' " + text);
  };
  const auto same = [&](const auto& entry) { return entry.first == name; };
  if (name.empty() || name.find('.') != std::string::npos) fail("cannot be used; it needs a character and no dot");
  if (std::any_of(parameters_.begin(), parameters_.end(), same) ||
      std::any_of(children_.begin(), children_.end(), same))
    fail("is taken by another parameter or child");
}

std::vector<std::pair<std::string, Tensor>> Module::named_parameters() const {
  std::vector<std::pair<std::string, Tensor>> all = parameters_;
  for (const auto& [name, child] : children_)
    for (auto& [inner, tensor] : child->named_parameters()) all.emplace_back(name + "." + inner, std::move(tensor));
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (auto& [name, tensor] : named_parameters()) all.push_back(std::move(tensor));
  return all;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.count();
  return count;
}

StateDict Module::state_dict() const {
  StateDict state;
  for (const auto& [name, tensor] : named_parameters()) state.emplace(name, tensor.detach());
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  const auto named = named_parameters();
  std::string missing, unexpected, unfit;
  const auto add = [](std::string& list, const std::string& text) { list += (list.empty() ? "" : ", ") + text; };

  for (const auto& [name, parameter] : named) {
    const auto found = state.find(name);
    if (found == state.end())
      add(missing, name);
    else if (!found->second.defined())
      add(unfit, name + " is undefined");
    else if (!(found->second.shape() == parameter.shape()))
      add(unfit,
          name + " is " + found->second.shape().to_string() + ", the parameter " + parameter.shape().to_string());
  }
  for (const auto& [name, tensor] : state)
    if (std::none_of(named.begin(), named.end(), [&](const auto& entry) { return entry.first == name; }))
      add(unexpected, name);

  std::string problems;
  if (strict && !missing.empty()) problems += "; missing: " + missing;
  if (strict && !unexpected.empty()) problems += "; unexpected: " + unexpected;
  if (!unfit.empty()) problems += "; wrong shape: " + unfit;
  if (!problems.empty())
    throw Error(ErrorCode::invalid_argument,
                class_name(*this) + ": this state does not fit, nothing was changed" + problems);

  for (const auto& [name, parameter] : named) {
    const auto found = state.find(name);
    if (found != state.end()) parameter.copy_from(found->second);
  }
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& [name, child] : children_) child->train(on);
}

void Module::clear_grad() const {
  for (const Tensor& parameter : parameters()) parameter.clear_grad();
}

std::string Module::describe() const {
  std::string text = class_name(*this) + "(";
  for (const auto& [name, child] : children_) text += "\n  (" + name + "): " + indented(child->describe());
  return text + (children_.empty() ? ")" : "\n)");
}

}  // namespace portico::nn
