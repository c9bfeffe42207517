#include "backends/opencl/command_buffer.hpp"

#include <cstdlib>
#include <string_view>

#include "backends/opencl/capture.hpp"
#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

constexpr cl_version kOldest = CL_MAKE_VERSION(0, 9, 5);

// 0 where the device does not have the extension, or does not tell versions.
cl_version version_of_extension(cl_device_id id) {
  std::size_t bytes = 0;
  if (cl.GetDeviceInfo(id, CL_DEVICE_EXTENSIONS_WITH_VERSION, 0, nullptr, &bytes) != CL_SUCCESS) return 0;
  std::vector<cl_name_version> all(bytes / sizeof(cl_name_version));
  if (cl.GetDeviceInfo(id, CL_DEVICE_EXTENSIONS_WITH_VERSION, bytes, all.data(), nullptr) != CL_SUCCESS) return 0;
  for (const cl_name_version& each : all)
    if (std::string_view(each.name) == "cl_khr_command_buffer") return each.version;
  return 0;
}

bool may_be_pending_twice(cl_device_id id) {
  cl_ulong capabilities = 0;
  return cl.GetDeviceInfo(id, CL_DEVICE_COMMAND_BUFFER_CAPABILITIES_KHR, sizeof capabilities, &capabilities, nullptr) ==
             CL_SUCCESS &&
         (capabilities & CL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE_KHR) != 0;
}

}  // namespace

CommandBufferApi find_command_buffers(cl_device_id id) {
  const char* asked = std::getenv("PORTICO_OPENCL_COMMAND_BUFFER");
  if ((asked != nullptr && std::string_view(asked) == "0") || cl.GetExtensionFunctionAddressForPlatform == nullptr ||
      version_of_extension(id) < kOldest || !may_be_pending_twice(id))
    return {};
  cl_platform_id platform = nullptr;
  if (cl.GetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof(cl_platform_id), &platform, nullptr) != CL_SUCCESS) return {};
  bool complete = true;
  const auto find = [&]<typename Function>(Function*& slot, const char* name) {
    slot = reinterpret_cast<Function*>(cl.GetExtensionFunctionAddressForPlatform(platform, name));
    complete = complete && slot != nullptr;
  };
  CommandBufferApi api;
  find(api.create, "clCreateCommandBufferKHR");
  find(api.finalize, "clFinalizeCommandBufferKHR");
  find(api.release, "clReleaseCommandBufferKHR");
  find(api.enqueue, "clEnqueueCommandBufferKHR");
  find(api.launch, "clCommandNDRangeKernelKHR");
  find(api.copy, "clCommandCopyBufferKHR");
  find(api.fill, "clCommandFillBufferKHR");
  return complete ? api : CommandBufferApi{};
}

CommandBuffer::~CommandBuffer() { api_.release(buffer_); }

cl_int CommandBuffer::record(const Command& c) {
  switch (c.kind) {
    case Command::Kind::launch:
      return api_.launch(buffer_, nullptr, nullptr, c.kernel.get(), c.dimensions, nullptr, c.global, c.local, 0,
                         nullptr, nullptr, nullptr);
    case Command::Kind::copy:
      return api_.copy(buffer_, nullptr, nullptr, c.from, c.to, c.from_offset, c.to_offset, c.bytes, 0, nullptr,
                       nullptr, nullptr);
    case Command::Kind::fill:
      return api_.fill(buffer_, nullptr, nullptr, c.to, &c.pattern, sizeof c.pattern, c.to_offset, c.bytes, 0, nullptr,
                       nullptr, nullptr);
  }
  return CL_INVALID_VALUE;
}

std::unique_ptr<CommandBuffer> CommandBuffer::make(portico_stream& stream, const std::vector<Command>& commands) {
  const CommandBufferApi& api = stream.device->command_buffers;
  if (!api || commands.empty()) return nullptr;
  // The list as a whole is what a replay queues next while the last one is still running.
  const cl_command_buffer_properties_khr properties[] = {CL_COMMAND_BUFFER_FLAGS_KHR,
                                                         CL_COMMAND_BUFFER_SIMULTANEOUS_USE_KHR, 0};
  cl_command_queue queue = stream.queue.get();
  cl_int code = CL_SUCCESS;
  cl_command_buffer_khr handle = api.create(1, &queue, properties, &code);
  const char* call = "clCreateCommandBufferKHR";
  if (code == CL_SUCCESS) {
    std::unique_ptr<CommandBuffer> made(new CommandBuffer(api, handle));
    call = "recording a command";
    for (const Command& command : commands)
      if ((code = made->record(command)) != CL_SUCCESS) break;
    if (code == CL_SUCCESS) {
      call = "clFinalizeCommandBufferKHR";
      code = api.finalize(handle);
    }
    if (code == CL_SUCCESS) return made;
  }
  plugin::log(PORTICO_LOG_INFO,
              std::string("opencl: a list of launches instead of a command buffer: ") + call + ": " + error_name(code));
  return nullptr;
}

void CommandBuffer::enqueue(portico_stream& stream, cl_event gate) {
  cl_command_queue queue = stream.queue.get();
  check(api_.enqueue(1, &queue, buffer_, gate != nullptr, gate != nullptr ? &gate : nullptr, nullptr),
        "clEnqueueCommandBufferKHR");
}

}  // namespace portico::opencl
