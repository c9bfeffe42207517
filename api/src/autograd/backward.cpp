// The backward pass, and the members of Tensor that concern gradients.
#include <queue>
#include <unordered_map>
#include <utility>

#include "autograd/node.hpp"
#include "runtime/capture.hpp"

namespace portico {
namespace {

using detail::Edge;
using detail::Node;

thread_local bool t_frees_graph = false;

// Called before a leaf's gradient changes: a recording that is abandoned puts back what was there before it.
void note_gradient(detail::TensorImpl& leaf) {
  if (detail::Recorder* recorder = detail::Recorder::current()) [[unlikely]]
    recorder->on_abandon([owner = leaf.shared_from_this(), before = leaf.grad] { owner->grad = before; });
}

// dst += src for a gradient that others may share: then the sum gets memory of its own.
void accumulate(Tensor& dst, const Tensor& src) {
  if (!dst.defined()) {
    dst = src;
    return;
  }
  if (!detail::sole_owner(dst)) dst = detail::copy(dst);
  detail::add_elements(dst, src);
}

// One backward pass: hands the gradients of a node's inputs on, and notes the nodes that are to run.
class Pass {
 public:
  explicit Pass(bool keep_graph) : keep_graph_(keep_graph) {}

  void give(const Edge& edge, const Tensor& grad) {
    if (edge.leaf != nullptr) {
      note_gradient(*edge.leaf);
      accumulate(edge.leaf->grad, grad);
    } else if (edge.node != nullptr) {
      const auto [at, fresh] = pending_.try_emplace(edge.node.get());
      if (fresh) ready_.push(edge.node);
      accumulate(at->second, grad);
    }
  }

  void run() {
    while (!ready_.empty()) {
      const std::shared_ptr<Node> node = ready_.top();
      ready_.pop();
      const Tensor dy = std::move(pending_.extract(node.get()).mapped());
      step(*node, dy);
    }
  }

 private:
  // The node with the highest number first: everything that uses its result has run by then.
  struct Earlier {
    bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const {
      return a->sequence < b->sequence;
    }
  };

  void step(Node& node, const Tensor& dy) {
    if (!node.backward)
      throw Error(ErrorCode::invalid_argument,
                  std::string("backward: the graph behind ") + node.name + " " + node.shape.to_string() +
                      " was freed by an earlier backward(); give that one keep_graph = true");
    std::uint32_t needs = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i]) needs |= 1u << i;
    std::vector<Tensor> grads = call(node, dy, autograd::Needs(needs));
    for (std::size_t i = 0; i < node.inputs.size() && i < grads.size(); ++i)
      if (node.inputs[i] && grads[i].defined()) give(node.inputs[i], std::exchange(grads[i], {}));
    if (keep_graph_) return;
    node.backward = nullptr;
    node.inputs.clear();
  }

  // A closure that lets go of what it saved is of no use after an exception half way: the graph is freed then too.
  std::vector<Tensor> call(Node& node, const Tensor& dy, autograd::Needs needs) {
    const bool before = std::exchange(t_frees_graph, !keep_graph_);
    try {
      std::vector<Tensor> grads = node.backward(dy, needs);
      t_frees_graph = before;
      return grads;
    } catch (...) {
      t_frees_graph = before;
      if (!keep_graph_) node.backward = nullptr;
      throw;
    }
  }

  const bool keep_graph_;
  std::unordered_map<Node*, Tensor> pending_;
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, Earlier> ready_;
};

detail::TensorImpl& defined_impl(const Tensor& tensor, const char* subject) {
  detail::require_defined(tensor, subject, "the tensor");
  return *tensor.impl();
}

}  // namespace

bool detail::frees_graph() { return t_frees_graph; }

bool Tensor::requires_grad() const {
  const auto& impl = defined_impl(*this, "requires_grad");
  return impl.requires_grad || impl.node != nullptr;
}

Tensor& Tensor::set_requires_grad(bool value) {
  auto& impl = defined_impl(*this, "set_requires_grad");
  if (impl.node != nullptr)
    throw Error(ErrorCode::invalid_argument,
                std::string("set_requires_grad: the tensor is a result of ") + impl.node->name + "; detach() it first");
  if (value) detail::require_floating(*this, "set_requires_grad");
  impl.requires_grad = value;
  return *this;
}

bool Tensor::is_leaf() const { return defined_impl(*this, "is_leaf").node == nullptr; }
Tensor Tensor::grad() const { return defined_impl(*this, "grad").grad; }
void Tensor::clear_grad() const {
  auto& impl = defined_impl(*this, "clear_grad");
  note_gradient(impl);
  impl.grad = {};
}

void Tensor::set_grad(const Tensor& grad) const {
  auto& impl = defined_impl(*this, "set_grad");
  if (grad.defined() && grad.shape() != impl.shape)
    throw Error(ErrorCode::invalid_argument,
                "set_grad: gradient " + grad.shape().to_string() + " of a tensor " + impl.shape.to_string());
  note_gradient(impl);
  impl.grad = grad;
}

void Tensor::backward(const Tensor& seed, bool keep_graph) const {
  const auto& impl = defined_impl(*this, "backward");
  const Edge start = detail::edge_to(*this);
  if (!start)
    throw Error(ErrorCode::invalid_argument,
                "backward: " + describe() + " has no history: nothing it was made from requires a gradient");
  if (!seed.defined() && count() != 1)
    throw Error(ErrorCode::invalid_argument,
                "backward: " + impl.shape.to_string() + " has several elements; give the gradient to start from");
  if (seed.defined() && seed.shape() != impl.shape)
    throw Error(ErrorCode::invalid_argument,
                "backward: seed " + seed.shape().to_string() + " does not fit " + impl.shape.to_string());
  const NoGrad guard;
  Pass pass(keep_graph);
  pass.give(start, seed.defined() ? seed : ones(impl.shape, {.dtype = impl.dtype, .device = device()}));
  pass.run();
}

}  // namespace portico
