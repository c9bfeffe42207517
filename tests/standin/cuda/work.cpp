// libcuda: memory, streams, events, modules, launches. One line each: what they do is in driver/.
#include "backends/cuda/api.hpp"
#include "tests/standin/cuda/contexts.hpp"
#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"

using namespace cuda;
namespace api = portico::standin::api;
using portico::standin::kInvalidContext;
using portico::standin::kInvalidValue;
using portico::standin::kOk;

namespace {

void* at(DevicePointer pointer) { return reinterpret_cast<void*>(pointer); }

}  // namespace

STANDIN_EXPORT int cuMemAlloc_v2(DevicePointer* out, std::size_t bytes) {
  STANDIN_ENTER(device);
  return api::allocate(reinterpret_cast<void**>(out), bytes);
}
STANDIN_EXPORT int cuMemFree_v2(DevicePointer pointer) { STANDIN_GIVE_BACK(start, api::release(at(pointer))); }
STANDIN_EXPORT int cuMemAllocAsync(DevicePointer* out, std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  return api::allocate_async(reinterpret_cast<void**>(out), bytes, stream);
}
STANDIN_EXPORT int cuMemFreeAsync(DevicePointer pointer, Stream stream) {
  STANDIN_ENTER(device);
  return api::release_async(at(pointer), stream);
}
STANDIN_EXPORT int cuDeviceGetDefaultMemPool(cuda::MemoryPool* out, int device) {
  STANDIN_ENTER(start);
  return api::default_pool(reinterpret_cast<void**>(out), device);
}
STANDIN_EXPORT int cuMemPoolSetAttribute(cuda::MemoryPool pool, int attribute, void* value) {
  STANDIN_ENTER(start);
  return api::pool_set(pool, attribute, value);
}
STANDIN_EXPORT int cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total) {
  STANDIN_ENTER(device);
  return api::memory_info(free_bytes, total);
}
STANDIN_EXPORT int cuMemHostAlloc(void** out, std::size_t bytes, unsigned flags) {
  STANDIN_ENTER(device);
  if (flags > 7) return kInvalidValue;
  return api::host_allocate(out, bytes);
}
STANDIN_EXPORT int cuMemFreeHost(void* memory) { STANDIN_GIVE_BACK(start, api::host_release(memory)); }
STANDIN_EXPORT int cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  return api::upload(at(to), from, bytes, stream);
}
STANDIN_EXPORT int cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  return api::download(to, at(from), bytes, stream);
}
STANDIN_EXPORT int cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  return api::copy(at(to), at(from), bytes, stream);
}
STANDIN_EXPORT int cuMemcpyPeerAsync(DevicePointer to, Context to_context, DevicePointer from, Context from_context,
                                     std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  const auto* target = portico::standin::device_of_context(to_context);
  const auto* source = portico::standin::device_of_context(from_context);
  if (!target || !source) return kInvalidContext;
  return api::copy_peer(at(to), target->index, at(from), source->index, bytes, stream);
}
STANDIN_EXPORT int cuMemsetD8Async(DevicePointer to, unsigned char value, std::size_t bytes, Stream stream) {
  STANDIN_ENTER(device);
  return api::fill8(at(to), value, bytes, stream);
}
STANDIN_EXPORT int cuMemsetD32Async(DevicePointer to, unsigned pattern, std::size_t words, Stream stream) {
  STANDIN_ENTER(device);
  return api::fill32(at(to), pattern, words, stream);
}

STANDIN_EXPORT int cuStreamCreate(Stream* out, unsigned flags) {
  STANDIN_ENTER(device);
  return api::stream_create(reinterpret_cast<void**>(out), flags);
}
STANDIN_EXPORT int cuStreamDestroy_v2(Stream stream) { STANDIN_GIVE_BACK(start, api::stream_destroy(stream)); }
STANDIN_EXPORT int cuStreamSynchronize(Stream stream) {
  STANDIN_ENTER(device);
  return api::stream_synchronize(stream);
}
STANDIN_EXPORT int cuStreamQuery(Stream stream) {
  STANDIN_ENTER(device);
  return api::stream_query(stream);
}
STANDIN_EXPORT int cuStreamWaitEvent(Stream stream, Event event, unsigned flags) {
  STANDIN_ENTER(device);
  return api::stream_wait(stream, event, flags);
}
STANDIN_EXPORT int cuEventCreate(Event* out, unsigned flags) {
  STANDIN_ENTER(device);
  return api::event_create(reinterpret_cast<void**>(out), flags);
}
STANDIN_EXPORT int cuEventDestroy_v2(Event event) { STANDIN_GIVE_BACK(start, api::event_destroy(event)); }
STANDIN_EXPORT int cuEventRecord(Event event, Stream stream) {
  STANDIN_ENTER(device);
  return api::event_record(event, stream);
}
STANDIN_EXPORT int cuEventSynchronize(Event event) {
  STANDIN_ENTER(device);
  return api::event_synchronize(event);
}
STANDIN_EXPORT int cuEventQuery(Event event) {
  STANDIN_ENTER(device);
  return api::event_query(event);
}
STANDIN_EXPORT int cuEventElapsedTime(float* milliseconds, Event start, Event stop) {
  STANDIN_ENTER(device);
  return api::event_elapsed(milliseconds, start, stop);
}

STANDIN_EXPORT int cuModuleLoadData(Module* out, const void* image) {
  STANDIN_ENTER(device);
  return api::module_load(reinterpret_cast<void**>(out), image);
}
STANDIN_EXPORT int cuModuleUnload(Module module) { STANDIN_GIVE_BACK(start, api::module_unload(module)); }
STANDIN_EXPORT int cuModuleGetFunction(Function* out, Module module, const char* name) {
  STANDIN_ENTER(device);
  return api::module_find(reinterpret_cast<void**>(out), module, name);
}
STANDIN_EXPORT int cuFuncGetParamInfo(Function function, std::size_t index, std::size_t* offset, std::size_t* size) {
  STANDIN_ENTER(device);
  return api::parameter(function, index, offset, size);
}
STANDIN_EXPORT int cuLaunchKernel(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                  unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                  Stream stream, void** arguments, void** extra) {
  STANDIN_ENTER(device);
  return api::launch(function, {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes}, stream, arguments,
                     extra);
}
