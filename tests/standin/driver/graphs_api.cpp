// Capture and graphs.
#include "tests/standin/driver/graph.hpp"

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/launches.hpp"
#include "tests/standin/driver/streams_api.hpp"

namespace portico::standin::api {
namespace {

// A node's handle serves for the graph and for what was made of it.
struct NodeRef {
  std::size_t index;
  bool kernel;
};

Table<NodeRef>& node_refs() {
  static auto& table = *new Table<NodeRef>;
  return table;
}

}  // namespace

int capture_begin(void* handle, int mode) {
  if (!handle) return kCaptureUnsupported;  // the default stream cannot be captured
  const auto stream = stream_of(handle);
  return stream ? begin_capture(*stream, mode) : kInvalidHandle;
}

int capture_end(void* handle, void** out, int failing) {
  const auto stream = failing == kOk ? stream_of(handle) : machine().streams.find(handle);
  if (!stream) return failing ? failing : kInvalidHandle;
  if (!out) return kInvalidValue;
  *out = nullptr;
  std::shared_ptr<Graph> graph;
  const int code = end_capture(*stream, graph);
  if (failing || code) return failing ? failing : code;
  *out = machine().graphs.add(std::move(graph));
  return kOk;
}

int capture_state(void* handle, int* status) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (!status) return kInvalidValue;
  *status = capture_status(*stream);
  return kOk;
}

int graph_nodes(void* handle, void** nodes, std::size_t* count) {
  const auto graph = machine().graphs.find(handle);
  if (!graph || !count) return kInvalidValue;
  for (std::size_t i = graph->handles.size(); i < graph->nodes.size(); ++i)
    graph->handles.push_back(
        node_refs().add(std::make_shared<NodeRef>(NodeRef{i, graph->nodes[i].work.call != nullptr})));
  if (nodes)
    for (std::size_t i = 0; i < *count; ++i) nodes[i] = i < graph->handles.size() ? graph->handles[i] : nullptr;
  *count = graph->handles.size();
  return kOk;
}

int node_type(void* handle, int* type) {
  const auto node = node_refs().find(handle);
  if (!node || !type) return kInvalidValue;
  *type = node->kernel ? 0 : 1;
  return kOk;
}

int graph_instantiate(void** out, void* handle) {
  const auto graph = machine().graphs.find(handle);
  if (!graph || !out) return kInvalidValue;
  auto executable = std::make_shared<Executable>();
  executable->device = graph->device;
  executable->nodes = graph->nodes;
  executable->handles = graph->handles;
  *out = machine().executables.add(std::move(executable));
  return kOk;
}

int graph_launch(void* handle, void* stream_handle) {
  const auto executable = machine().executables.find(handle);
  const auto stream = stream_of(stream_handle);
  if (!executable) return kInvalidValue;
  if (!stream || &stream->device != executable->device) return kInvalidHandle;
  return launch_graph(*executable, *stream);
}

int graph_destroy(void* handle) {
  const auto graph = machine().graphs.remove(handle);
  if (!graph) return kInvalidValue;
  for (void* const node : graph->handles) node_refs().remove(node);
  return kOk;
}

int executable_destroy(void* handle) { return machine().executables.remove(handle) ? kOk : kInvalidValue; }

int node_set(void* handle, void* node_handle, const KernelNode& params) {
  const auto executable = machine().executables.find(handle);
  const auto node = node_refs().find(node_handle);
  if (!executable || !node || !node->kernel || node->index >= executable->nodes.size()) return kInvalidValue;
  std::shared_ptr<const Call> call;
  if (const int code =
          make_call(params.function, params.shape, params.arguments, params.extra, *executable->device, call))
    return code;
  const std::lock_guard lock(executable->mutex);
  executable->nodes[node->index].work.call = std::move(call);
  return kOk;
}

}  // namespace portico::standin::api
