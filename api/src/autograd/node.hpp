// The graph behind a result: one node an operation, edges towards its inputs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "portico/autograd.hpp"
#include "tensor/impl.hpp"

namespace portico::detail {

struct Node;

/// Where the gradient of one input goes: to the node that made it, or into the leaf that collects it, or nowhere.
struct Edge {
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorImpl> leaf;
  explicit operator bool() const { return node != nullptr || leaf != nullptr; }
};

/// Where a gradient of `input` would go.
Edge edge_to(const Tensor& input);

/// True while a backward pass on this thread frees the graph as it goes: what a closure saved is never asked for again, so
/// that it may let go of it once it is used, and what comes next gets the memory.
bool frees_graph();

struct Node {
  const char* name;
  std::uint64_t sequence;  ///< rises with creation: a node's consumers all have higher numbers
  Shape shape;             ///< of the result, for checks and messages
  std::vector<Edge> inputs;
  autograd::Backward backward;  ///< empty once the graph is freed

  ~Node();
};

}  // namespace portico::detail
