// What the two vendors' drivers do alike, with the vendors' types taken off. Every function answers a code; the
// exported functions of cuda/ and hip/ call these and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace portico::standin::api {

// memory.cpp
int allocate(void** out, std::size_t bytes);
int release(void* memory);
int memory_info(std::size_t* free_bytes, std::size_t* total);
int host_allocate(void** out, std::size_t bytes);
int host_release(void* memory);
int allocate_async(void** out, std::size_t bytes, void* stream);
int release_async(void* memory, void* stream);
int default_pool(void** out, int device);
int pool_set(void* pool, int attribute, const void* value);

// copies.cpp
int upload(void* to, const void* from, std::size_t bytes, void* stream);
int download(void* to, const void* from, std::size_t bytes, void* stream);
int copy(void* to, const void* from, std::size_t bytes, void* stream);
int copy_peer(void* to, int to_device, const void* from, int from_device, std::size_t bytes, void* stream);
int fill8(void* to, unsigned char value, std::size_t bytes, void* stream);
int fill32(void* to, std::uint32_t pattern, std::size_t words, void* stream);

// streams.cpp
int stream_create(void** out, unsigned flags);
int stream_destroy(void* stream);
int stream_synchronize(void* stream);
int stream_query(void* stream);
int stream_wait(void* stream, void* event, unsigned flags);
int event_create(void** out, unsigned flags);
int event_destroy(void* event);
int event_record(void* event, void* stream);
int event_synchronize(void* event);
int event_query(void* event);
int event_elapsed(float* milliseconds, void* start, void* stop);
int synchronize_device();

// modules.cpp
int module_load(void** out, const void* image);
int module_unload(void* module);
int module_find(void** out, void* module, const char* name);
int parameter(void* function, std::size_t index, std::size_t* offset, std::size_t* size);

struct LaunchShape {
  unsigned grid[3], block[3];
  unsigned shared_bytes;
};
int launch(void* function, const LaunchShape& shape, void* stream, void** arguments, void** extra);

// graphs.cpp
int capture_begin(void* stream, int mode);
/// The capture is over whatever comes of it, also where the call was `failing` from the start, as on a real driver.
int capture_end(void* stream, void** graph, int failing);
int capture_state(void* stream, int* status);
int graph_instantiate(void** executable, void* graph);
int graph_launch(void* executable, void* stream);
int graph_destroy(void* graph);
int executable_destroy(void* executable);
int graph_nodes(void* graph, void** nodes, std::size_t* count);
int node_type(void* node, int* type);  ///< 0: a kernel, 1: a copy or anything else
struct KernelNode {
  void* function;
  LaunchShape shape;
  void** arguments;
  void** extra;
};
int node_set(void* executable, void* node, const KernelNode& params);

}  // namespace portico::standin::api
