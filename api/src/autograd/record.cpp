// Recording: which operations get a node, and what a node keeps.
#include <atomic>
#include <utility>

#include "autograd/node.hpp"

namespace portico {
namespace {

using detail::Edge;
using detail::Node;

thread_local bool t_recording = true;
std::atomic<std::uint64_t> g_sequence{0};

bool wants_gradient(const Tensor& input) {
  return input.defined() && (input.impl()->requires_grad || input.impl()->node != nullptr);
}

template <typename Inputs>
Tensor record_inputs(const char* name, Tensor y, const Inputs& inputs, autograd::Backward&& backward) {
  if (!t_recording) return y;
  bool wanted = false;
  for (const Tensor& input : inputs) wanted |= wants_gradient(input);
  if (!wanted) return y;

  if (inputs.size() > 32)
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": more than 32 inputs to record");
  auto node = std::make_shared<Node>();
  node->name = name;
  node->sequence = g_sequence.fetch_add(1, std::memory_order_relaxed);
  node->shape = y.shape();
  node->inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) node->inputs.push_back(detail::edge_to(input));
  node->backward = std::move(backward);
  y.impl()->node = std::move(node);
  return y;
}

}  // namespace

detail::Edge detail::edge_to(const Tensor& input) {
  if (!input.defined()) return {};
  if (input.impl()->node != nullptr) return {.node = input.impl()->node, .leaf = nullptr};
  if (input.impl()->requires_grad) return {.node = nullptr, .leaf = input.share()};
  return {};
}

// A long chain of nodes must not be destroyed by recursion: one frame each would exhaust the stack.
detail::Node::~Node() {
  std::vector<std::shared_ptr<Node>> orphans;
  const auto take = [&orphans](Node& node) {
    for (Edge& edge : node.inputs)
      if (edge.node != nullptr && edge.node.use_count() == 1) orphans.push_back(std::move(edge.node));
  };
  take(*this);
  while (!orphans.empty()) {
    const std::shared_ptr<Node> node = std::move(orphans.back());
    orphans.pop_back();
    take(*node);
  }
}

NoGrad::NoGrad() : previous_(std::exchange(t_recording, false)) {}
NoGrad::~NoGrad() { t_recording = previous_; }

namespace autograd {

bool enabled() { return t_recording; }

bool needed(std::initializer_list<const Tensor*> inputs) {
  if (!t_recording) return false;
  for (const Tensor* input : inputs)
    if (wants_gradient(*input)) return true;
  return false;
}

Tensor record(const char* name, Tensor y, std::initializer_list<Tensor> inputs, Backward backward) {
  return record_inputs(name, std::move(y), inputs, std::move(backward));
}

Tensor record(const char* name, Tensor y, std::vector<Tensor> inputs, Backward backward) {
  return record_inputs(name, std::move(y), inputs, std::move(backward));
}

// Detached: a node that held its own result would never be freed.
Saved::Saved(const Tensor& tensor) : tensor_(tensor.detach()), version_(tensor_.buffer().version()) {}

const Tensor& Saved::get() const {
  if (tensor_.buffer().version() != version_)
    throw Error(ErrorCode::invalid_argument, "backward: a tensor " + tensor_.describe() +
                                                 " that the gradient needs was changed in place after it was used; "
                                                 "call backward() first, or change a clone()");
  return tensor_;
}

}  // namespace autograd
}  // namespace portico
