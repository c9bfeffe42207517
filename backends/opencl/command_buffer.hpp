// cl_khr_command_buffer, for devices that have it.
#pragma once

#include <memory>
#include <vector>

#include "backends/opencl/api.hpp"

struct portico_device;
struct portico_stream;

namespace portico::opencl {

struct Command;

/// The extension's functions, found through the platform. Types of the extension's version 0.9.5 on, in which every
/// command got a parameter for properties; older headers differ.
struct CommandBufferApi {
  clCreateCommandBufferKHR_fn create = nullptr;
  clFinalizeCommandBufferKHR_fn finalize = nullptr;
  clReleaseCommandBufferKHR_fn release = nullptr;
  clEnqueueCommandBufferKHR_fn enqueue = nullptr;
  clCommandNDRangeKernelKHR_fn launch = nullptr;
  cl_int(CL_API_CALL* copy)(cl_command_buffer_khr, cl_command_queue, const cl_ulong* properties, cl_mem from, cl_mem to,
                            std::size_t from_offset, std::size_t to_offset, std::size_t bytes, cl_uint wait_count,
                            const cl_sync_point_khr* wait_list, cl_sync_point_khr* out,
                            cl_mutable_command_khr* handle) = nullptr;
  cl_int(CL_API_CALL* fill)(cl_command_buffer_khr, cl_command_queue, const cl_ulong* properties, cl_mem to,
                            const void* pattern, std::size_t pattern_bytes, std::size_t offset, std::size_t bytes,
                            cl_uint wait_count, const cl_sync_point_khr* wait_list, cl_sync_point_khr* out,
                            cl_mutable_command_khr* handle) = nullptr;

  explicit operator bool() const { return create != nullptr; }
};

/// The functions, for a device that has the extension from version 0.9.5 on and may queue a buffer that is still
/// pending. Empty for others, and where PORTICO_OPENCL_COMMAND_BUFFER=0 asks for the list of launches instead.
CommandBufferApi find_command_buffers(cl_device_id id);

/// A recorded list as one command buffer.
class CommandBuffer {
 public:
  /// Null, with the reason logged, where the device has none or refuses the list.
  static std::unique_ptr<CommandBuffer> make(portico_stream& stream, const std::vector<Command>& commands);
  ~CommandBuffer();
  CommandBuffer(const CommandBuffer&) = delete;
  CommandBuffer& operator=(const CommandBuffer&) = delete;

  /// Queues the list on `stream`, of the same device, behind `gate` if there is one.
  void enqueue(portico_stream& stream, cl_event gate);

 private:
  CommandBuffer(const CommandBufferApi& api, cl_command_buffer_khr buffer) : api_(api), buffer_(buffer) {}
  cl_int record(const Command& command);

  const CommandBufferApi& api_;
  cl_command_buffer_khr buffer_;
};

}  // namespace portico::opencl
