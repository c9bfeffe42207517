// libamdhip64: memory, streams, events, modules, graphs. One line each: what they do is in driver/.
#include "backends/hip/api.hpp"
#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/hip/enter.hpp"

using namespace hip;
namespace api = portico::standin::api;
using portico::standin::kInvalidValue;
using portico::standin::kOk;
using portico::standin::Needs;

STANDIN_EXPORT int hipMalloc(void** out, std::size_t bytes) {
  ENTER_HIP(device);
  if (out && bytes == 0) {
    *out = nullptr;
    return kOk;
  }
  return api::allocate(out, bytes);
}
STANDIN_EXPORT int hipFree(void* memory) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::release(memory));
}
STANDIN_EXPORT int hipMallocAsync(void** out, std::size_t bytes, Stream stream) {
  ENTER_HIP(device);
  return api::allocate_async(out, bytes, stream);
}
STANDIN_EXPORT int hipFreeAsync(void* memory, Stream stream) {
  ENTER_HIP(device);
  return api::release_async(memory, stream);
}
STANDIN_EXPORT int hipMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  ENTER_HIP(device);
  return api::memory_info(free_bytes, total);
}
STANDIN_EXPORT int hipHostMalloc(void** out, std::size_t bytes, unsigned flags) {
  ENTER_HIP(device);
  if (flags > 0x80000000u) return kInvalidValue;
  return api::host_allocate(out, bytes);
}
STANDIN_EXPORT int hipHostFree(void* memory) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::host_release(memory));
}
STANDIN_EXPORT int hipDeviceGetDefaultMemPool(hip::MemoryPool* out, int device) {
  ENTER_HIP(start);
  return api::default_pool(reinterpret_cast<void**>(out), device);
}
STANDIN_EXPORT int hipMemPoolSetAttribute(hip::MemoryPool pool, int attribute, void* value) {
  ENTER_HIP(start);
  return api::pool_set(pool, attribute, value);
}
STANDIN_EXPORT int hipMemcpyHtoDAsync(DevicePointer to, void* from, std::size_t bytes, Stream stream) {
  ENTER_HIP(device);
  return api::upload(to, from, bytes, stream);
}
STANDIN_EXPORT int hipMemcpyDtoHAsync(void* to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER_HIP(device);
  return api::download(to, from, bytes, stream);
}
STANDIN_EXPORT int hipMemcpyDtoDAsync(DevicePointer to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER_HIP(device);
  return api::copy(to, from, bytes, stream);
}
STANDIN_EXPORT int hipMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                      Stream stream) {
  ENTER_HIP(device);
  return api::copy_peer(to, to_device, from, from_device, bytes, stream);
}
STANDIN_EXPORT int hipMemsetD32Async(DevicePointer to, int pattern, std::size_t words, Stream stream) {
  ENTER_HIP(device);
  return api::fill32(to, static_cast<std::uint32_t>(pattern), words, stream);
}

STANDIN_EXPORT int hipStreamCreateWithFlags(Stream* out, unsigned flags) {
  ENTER_HIP(device);
  return api::stream_create(reinterpret_cast<void**>(out), flags);
}
STANDIN_EXPORT int hipStreamDestroy(Stream stream) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::stream_destroy(stream));
}
STANDIN_EXPORT int hipStreamSynchronize(Stream stream) {
  ENTER_HIP(device);
  return api::stream_synchronize(stream);
}
STANDIN_EXPORT int hipStreamQuery(Stream stream) {
  ENTER_HIP(device);
  return api::stream_query(stream);
}
STANDIN_EXPORT int hipStreamWaitEvent(Stream stream, Event event, unsigned flags) {
  ENTER_HIP(device);
  return api::stream_wait(stream, event, flags);
}
STANDIN_EXPORT int hipEventCreateWithFlags(Event* out, unsigned flags) {
  ENTER_HIP(device);
  return api::event_create(reinterpret_cast<void**>(out), flags);
}
STANDIN_EXPORT int hipEventDestroy(Event event) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::event_destroy(event));
}
STANDIN_EXPORT int hipEventRecord(Event event, Stream stream) {
  ENTER_HIP(device);
  return api::event_record(event, stream);
}
STANDIN_EXPORT int hipEventSynchronize(Event event) {
  ENTER_HIP(device);
  return api::event_synchronize(event);
}
STANDIN_EXPORT int hipEventQuery(Event event) {
  ENTER_HIP(device);
  return api::event_query(event);
}
STANDIN_EXPORT int hipEventElapsedTime(float* milliseconds, Event start, Event stop) {
  ENTER_HIP(device);
  return api::event_elapsed(milliseconds, start, stop);
}

STANDIN_EXPORT int hipModuleLoadData(Module* out, const void* image) {
  ENTER_HIP(device);
  return api::module_load(reinterpret_cast<void**>(out), image);
}
STANDIN_EXPORT int hipModuleUnload(Module module) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::module_unload(module));
}
STANDIN_EXPORT int hipModuleGetFunction(Function* out, Module module, const char* name) {
  ENTER_HIP(device);
  return api::module_find(reinterpret_cast<void**>(out), module, name);
}
STANDIN_EXPORT int hipModuleLaunchKernel(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                         unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                         Stream stream, void** arguments, void** extra) {
  ENTER_HIP(device);
  return api::launch(function, {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes}, stream, arguments,
                     extra);
}

STANDIN_EXPORT int hipStreamBeginCapture(Stream stream, int mode) {
  ENTER_HIP(device);
  return api::capture_begin(stream, mode);
}
STANDIN_EXPORT int hipStreamEndCapture(Stream stream, void** graph) {
  portico::standin::start_hip();
  static portico::standin::Calls& calls = portico::standin::calls_of(__func__);
  return api::capture_end(stream, graph, portico::standin::enter(calls, Needs::device));
}
STANDIN_EXPORT int hipStreamIsCapturing(Stream stream, int* status) {
  ENTER_HIP(device);
  return api::capture_state(stream, status);
}
STANDIN_EXPORT int hipGraphInstantiate(void** executable, void* graph, void** error_node, char*, std::size_t) {
  ENTER_HIP(device);
  if (error_node) *error_node = nullptr;
  return api::graph_instantiate(executable, graph);
}
STANDIN_EXPORT int hipGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  ENTER_HIP(device);
  return api::graph_instantiate(executable, graph);
}
STANDIN_EXPORT int hipGraphLaunch(void* executable, Stream stream) {
  ENTER_HIP(device);
  return api::graph_launch(executable, stream);
}
STANDIN_EXPORT int hipGraphDestroy(void* graph) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::graph_destroy(graph));
}
STANDIN_EXPORT int hipGraphExecDestroy(void* executable) {
  portico::standin::start_hip();
  STANDIN_GIVE_BACK(start, api::executable_destroy(executable));
}
