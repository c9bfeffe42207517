// libcuda: stream capture and graphs.
#include "backends/cuda/api.hpp"
#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"

namespace api = portico::standin::api;
using namespace portico::standin;

namespace {

// CUDA_KERNEL_NODE_PARAMS, as cuGraphExecKernelNodeSetParams_v2 takes it.
struct NodeParams {
  void* function;
  unsigned grid[3], block[3], shared_bytes;
  void** arguments;
  void** extra;
  void* kernel;
  void* context;
};

}  // namespace

STANDIN_EXPORT int cuStreamBeginCapture_v2(cuda::Stream stream, int mode) {
  STANDIN_ENTER(device);
  return api::capture_begin(stream, mode);
}
STANDIN_EXPORT int cuStreamEndCapture(cuda::Stream stream, void** graph) {
  static Calls& calls = calls_of(__func__);
  return api::capture_end(stream, graph, enter(calls, Needs::device));
}
STANDIN_EXPORT int cuStreamIsCapturing(cuda::Stream stream, int* status) {
  STANDIN_ENTER(device);
  return api::capture_state(stream, status);
}
STANDIN_EXPORT int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  STANDIN_ENTER(device);
  return api::graph_instantiate(executable, graph);
}
STANDIN_EXPORT int cuGraphInstantiate_v2(void** executable, void* graph, void** error_node, char*, std::size_t) {
  STANDIN_ENTER(device);
  if (error_node) *error_node = nullptr;
  return api::graph_instantiate(executable, graph);
}
STANDIN_EXPORT int cuGraphLaunch(void* executable, cuda::Stream stream) {
  STANDIN_ENTER(device);
  return api::graph_launch(executable, stream);
}
STANDIN_EXPORT int cuGraphDestroy(void* graph) { STANDIN_GIVE_BACK(start, api::graph_destroy(graph)); }
STANDIN_EXPORT int cuGraphExecDestroy(void* executable) {
  STANDIN_GIVE_BACK(start, api::executable_destroy(executable));
}
STANDIN_EXPORT int cuGraphGetNodes(void* graph, void** nodes, std::size_t* count) {
  STANDIN_ENTER(device);
  return api::graph_nodes(graph, nodes, count);
}
STANDIN_EXPORT int cuGraphNodeGetType(void* node, int* type) {
  STANDIN_ENTER(device);
  return api::node_type(node, type);
}
STANDIN_EXPORT int cuGraphExecKernelNodeSetParams_v2(void* executable, void* node, const NodeParams* params) {
  STANDIN_ENTER(device);
  if (!params) return kInvalidValue;
  const api::LaunchShape shape{{params->grid[0], params->grid[1], params->grid[2]},
                               {params->block[0], params->block[1], params->block[2]},
                               params->shared_bytes};
  return api::node_set(executable, node, {params->function, shape, params->arguments, params->extra});
}
