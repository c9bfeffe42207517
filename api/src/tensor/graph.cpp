// Graph: the tensors' side of a recorded step.
#include "portico/graph.hpp"

#include <string>

#include "runtime/capture.hpp"
#include "tensor/impl.hpp"

namespace portico {
namespace {

using detail::Recorder;

std::shared_ptr<detail::RecordedGraph> record_on(const Device& device, const std::function<void()>& step) {
  const DeviceGuard guard(device);
  Recorder recorder(detail::Access::impl(device));
  step();
  return recorder.finish();
}

detail::RecordedGraph& recorded(const std::shared_ptr<detail::RecordedGraph>& impl, const char* subject) {
  if (impl == nullptr)
    throw Error(ErrorCode::invalid_argument,
                std::string(subject) + ": the graph is empty; make one with Graph::record");
  return *impl;
}

}  // namespace

bool recording() noexcept { return Recorder::current() != nullptr; }

Graph Graph::record(const std::function<void()>& step) { return record({}, step); }

Graph Graph::record(std::vector<Tensor> inputs, const std::function<void()>& step) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "input " + std::to_string(i);
    detail::require_defined(inputs[i], "Graph::record", name.c_str());
    detail::require_same_device(inputs[0], inputs[i], "Graph::record");
  }
  Graph graph;
  graph.impl_ = record_on(inputs.empty() ? Device::current() : inputs[0].device(), step);
  graph.inputs_ = std::move(inputs);
  return graph;
}

void Graph::replay() const { recorded(impl_, "Graph::replay").replay(); }

void Graph::replay(std::initializer_list<Tensor> inputs) const {
  recorded(impl_, "Graph::replay");
  if (inputs.size() != inputs_.size())
    throw Error(ErrorCode::invalid_argument, "Graph::replay: " + std::to_string(inputs.size()) +
                                                 " inputs, the graph was recorded with " +
                                                 std::to_string(inputs_.size()));
  std::size_t i = 0;
  for (const Tensor& input : inputs) {
    const std::string subject = "Graph::replay: input " + std::to_string(i);
    const Tensor& place = inputs_[i++];
    if (!input.defined()) throw Error(ErrorCode::invalid_argument, subject + " is undefined");
    if (input.shape() != place.shape() || input.dtype() != place.dtype())
      throw Error(ErrorCode::invalid_argument, subject + " is " + input.describe() + ", the graph was recorded with " +
                                                   place.describe() + "; record one more for this shape");
  }
  i = 0;
  for (const Tensor& input : inputs) inputs_[i++].copy_from(input);
  impl_->replay();
}

Device Graph::device() const { return detail::Access::device(recorded(impl_, "Graph::device").device()); }

GraphInfo Graph::info() const {
  const detail::RecordedGraph& graph = recorded(impl_, "Graph::info");
  return {.launches = graph.calls(), .memory_bytes = graph.memory_bytes(), .by_driver = graph.by_plugin()};
}

}  // namespace portico
