// What the optimizers share: which parameters they take.
#include "portico/optim/optimizer.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "runtime/device_impl.hpp"
#include "tensor/impl.hpp"

namespace portico::optim {
namespace {

void check_parameter(const Tensor& parameter, const std::string& subject) {
  const auto fail = [&](const std::string& text) { throw Error(ErrorCode::invalid_argument, subject + text); };
  if (!parameter.defined()) fail(" is undefined");
  if (!is_floating(parameter.dtype())) fail(" is " + parameter.describe() + "; only f32, f16 and bf16 can be trained");
  if (!parameter.is_leaf()) fail(" is the result of an operation; give the leaf that it was computed from");
  if (!parameter.requires_grad()) fail(" requires no gradient; call set_requires_grad() on it");
}

// Memory updated twice in one step would depend on the order of the threads.
void check_apart(const std::vector<Tensor>& parameters, const char* name) {
  const auto begin = [&](std::size_t i) { return parameters[i].offset() * size_of(parameters[i].dtype()); };
  const auto order = [&](std::size_t i) { return std::tuple(detail::Access::block(parameters[i].buffer()), begin(i)); };
  std::vector<std::size_t> sorted;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].count() > 0) sorted.push_back(i);
  std::sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) { return order(a) < order(b); });
  for (std::size_t k = 1; k < sorted.size(); ++k) {
    const auto [low, high] = std::minmax(sorted[k - 1], sorted[k]);
    if (std::get<0>(order(low)) != std::get<0>(order(high))) continue;
    if (begin(sorted[k]) < begin(sorted[k - 1]) + parameters[sorted[k - 1]].bytes())
      throw Error(ErrorCode::invalid_argument, std::string(name) + ": parameters " + std::to_string(low) + " and " +
                                                   std::to_string(high) + " share memory; give each only once");
  }
}

}  // namespace

Optimizer::Optimizer(std::vector<Tensor> parameters, const char* name) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) throw Error(ErrorCode::invalid_argument, std::string(name) + ": there are no parameters");
  for (std::size_t index = 0; index < parameters_.size(); ++index)
    check_parameter(parameters_[index], std::string(name) + ": parameter " + std::to_string(index));
  check_apart(parameters_, name);
}

void Optimizer::clear_grad() const {
  for (const Tensor& parameter : parameters_) parameter.clear_grad();
}

}  // namespace portico::optim
