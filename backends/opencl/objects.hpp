// What the ABI's opaque pointers point at, and the slots that the files of this folder implement.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "backends/opencl/api.hpp"
#include "backends/opencl/capture.hpp"
#include "backends/opencl/command_buffer.hpp"
#include "backends/opencl/handover.hpp"
#include "backends/opencl/staging.hpp"

struct portico_device {
  cl_device_id id = nullptr;
  portico::opencl::Context context;
  portico::opencl::Queue service;  // transfers that belong to no stream: mapping pinned memory, making memory real
  std::string name;
  std::string options;  // of the compiler
  std::size_t local_bytes = 0;
  std::size_t max_group_size = 0;
  std::size_t max_buffer_bytes = 0;
  bool is_cpu = false;
  bool shares_memory = false;  // fine-grain shared virtual memory: the host reads and writes buffers in place
  bool has_gemm = false;
  portico::opencl::CommandBufferApi command_buffers;  // empty where the device has none
  portico::opencl::Handover handover;

  std::mutex host_memory_mutex;
  std::unordered_map<void*, portico::opencl::Memory> host_memory;  // pinned blocks by the address they are mapped at
};

struct portico_buffer {
  portico::opencl::Memory memory;
  std::byte* host = nullptr;  // where the host sees the buffer; null unless the device shares memory
};

struct portico_stream {
  portico_device* device = nullptr;
  portico::opencl::Queue queue;  // commands() for whoever puts something into it
  // A replay that the device's thread has still to queue, or its failure, and whether there is either.
  portico::opencl::HandedOver handed_over;
  std::atomic<bool> unsettled{false};
  portico::opencl::Staging staging;
  // Commands queued, and how many of those are known to be done. Equal means idle: the host may then touch memory
  // directly, without the 5 to 20 us that a blocking command costs.
  std::atomic<std::uint64_t> queued{0};
  std::atomic<std::uint64_t> done{0};

  // Set from capture_begin to capture_end: commands are written down there instead of queued.
  std::unique_ptr<portico::opencl::Recording> recording;

  bool idle() const { return queued.load(std::memory_order_acquire) == done.load(std::memory_order_acquire); }

  /// Called after each successful enqueue, never before it: `idle` would otherwise hold too early.
  void note_queued() {
    constexpr std::uint64_t kFlushEvery = 8;  // drivers of GPUs keep work back until they are asked
    if (queued.fetch_add(1, std::memory_order_release) % kFlushEvery == 0) portico::opencl::cl.Flush(queue.get());
  }

  /// Behind this everything that was asked of the stream is in its queue. Throws what a handed over replay failed with.
  void settle(bool forget = true) {
    if (unsettled.load(std::memory_order_acquire)) [[unlikely]]
      device->handover.settle(*this, forget);
  }
  /// The queue, settled.
  cl_command_queue commands() {
    settle();
    return queue.get();
  }

  void finish();
};

struct portico_event {
  std::mutex mutex;
  portico::opencl::Event event;  // null until recorded; an unrecorded event counts as done
  const portico_stream* stream = nullptr;
};

struct portico_program {
  portico_device* device = nullptr;
  portico::opencl::Program program;
};

struct portico_kernel {
  portico::opencl::Kernel kernel;
  portico_device* device = nullptr;
  std::string name;
  std::mutex arguments;  // a cl_kernel's arguments are shared state: setting them and enqueueing is one step
};

namespace portico::opencl {

// device.cpp
portico_status device_count(int32_t* out);
portico_status device_describe(int32_t index, portico_device_info* out);
portico_status device_open(int32_t index, portico_device** out);
void device_close(portico_device* device);
portico_status memory_info(portico_device* device, uint64_t* free_bytes, uint64_t* total_bytes);

// memory.cpp
portico_status buffer_create(portico_device* device, size_t bytes, portico_buffer** out);
void buffer_destroy(portico_buffer* buffer);
portico_status write(portico_stream* stream, portico_buffer* dst, size_t offset, const void* src, size_t bytes);
portico_status read(portico_stream* stream, const portico_buffer* src, size_t offset, void* dst, size_t bytes);
portico_status copy(portico_stream* stream, portico_buffer* dst, size_t dst_offset, const portico_buffer* src,
                    size_t src_offset, size_t bytes);
portico_status fill(portico_stream* stream, portico_buffer* dst, size_t offset, uint32_t pattern, size_t bytes);
portico_status host_create(portico_device* device, size_t bytes, void** out);
void host_destroy(portico_device* device, void* memory);
/// The two above for use inside the plugin; `create_host_memory` throws.
void* create_host_memory(portico_device& device, std::size_t bytes);
void destroy_host_memory(portico_device& device, void* memory);

// stream.cpp
portico_status stream_create(portico_device* device, portico_stream** out);
void stream_destroy(portico_stream* stream);
portico_status stream_synchronize(portico_stream* stream);
portico_status stream_wait(portico_stream* stream, portico_event* event);
portico_status event_create(portico_device* device, portico_event** out);
void event_destroy(portico_event* event);
portico_status event_record(portico_event* event, portico_stream* stream);
portico_status event_synchronize(portico_event* event);
portico_status event_elapsed(const portico_event* start, const portico_event* stop, double* milliseconds);

// program.cpp
portico_status program_compile(portico_device* device, portico_bytes source, portico_program** out);
portico_status program_load(portico_device* device, portico_bytes binary, portico_program** out);
portico_status program_binary(portico_program* program, size_t* size, void* out);
void program_destroy(portico_program* program);
portico_status kernel_create(portico_program* program, const char* name, portico_kernel** out);
void kernel_destroy(portico_kernel* kernel);
portico_status kernel_arg_count(portico_kernel* kernel, uint32_t* out);

// launch.cpp
portico_status launch(portico_stream* stream, portico_kernel* kernel, const portico_launch* call);

// capture.cpp
portico_status capture_begin(portico_stream* stream);
portico_status capture_end(portico_stream* stream, portico_graph** out);
portico_status graph_launch(portico_stream* stream, portico_graph* graph);
void graph_destroy(portico_graph* graph);

// gemm.cpp
/// Whether CLBlast can be used with this device; opens it on the first call.
bool gemm_available(cl_device_type type);
portico_status gemm(portico_stream* stream, const portico_gemm* call);

}  // namespace portico::opencl
