// The hot path: no allocation, no look-up, one uncontended lock.
#include <algorithm>
#include <span>

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

[[noreturn, gnu::cold]] void fail_argument(const portico_kernel& kernel, cl_uint slot, const portico_arg& arg,
                                           cl_int code) {
  const std::string kind = arg.kind == PORTICO_ARG_BUFFER ? "buffer" : std::to_string(arg.size) + "-byte scalar";
  fail(code, "launch of " + kernel.name + ": parameter " + std::to_string(slot) + " (a " + kind + "): clSetKernelArg",
       Phase::enqueue);
}

std::string describe(const portico_launch& call) {
  auto list = [](const uint32_t* v) {
    return std::to_string(v[0]) + "x" + std::to_string(v[1]) + "x" + std::to_string(v[2]);
  };
  return list(call.groups) + " groups of " + list(call.local);
}

[[noreturn, gnu::cold]] void fail_launch(const portico_kernel& kernel, const portico_launch& call, cl_int code) {
  fail(code, "launch of " + kernel.name + " with " + describe(call) + ": clEnqueueNDRangeKernel", Phase::enqueue);
}

// Some drivers divide by these before they look at them.
[[noreturn, gnu::cold]] void fail_shape(const portico_kernel& kernel, const portico_launch& call) {
  throw Failure{PORTICO_INTERNAL, "launch of " + kernel.name + " with " + describe(call) + ": a group has 1 to " +
                                      std::to_string(kernel.device->max_group_size) + " work-items on " +
                                      kernel.device->name + ", and none of the numbers may be zero"};
}

// `handle` is the kernel's own, or a twin of it.
cl_uint set_arguments(const portico_kernel& kernel, cl_kernel handle, std::span<const portico_arg> args) {
  cl_uint slot = 0;
  for (const portico_arg& arg : args) {
    cl_int code;
    if (arg.kind == PORTICO_ARG_BUFFER) {  // the dialect's IN and OUT are a pointer and an element offset here
      cl_mem memory = arg.value.buffer->memory.get();
      code = cl.SetKernelArg(handle, slot++, sizeof memory, &memory);
      if (code == CL_SUCCESS) code = cl.SetKernelArg(handle, slot++, sizeof arg.offset, &arg.offset);
    } else {
      code = cl.SetKernelArg(handle, slot++, arg.size, &arg.value.bits);
    }
    if (code != CL_SUCCESS) [[unlikely]]
      fail_argument(kernel, slot - 1, arg, code);
  }
  return slot;
}

[[gnu::noinline]] void record(Recording& recording, const portico_kernel& kernel, const portico_launch& call,
                              cl_uint dimensions, const std::size_t* global, const std::size_t* local) {
  Command command;
  command.kernel = twin(kernel);
  set_arguments(kernel, command.kernel.get(), {call.args, call.arg_count});
  command.dimensions = dimensions;
  std::copy(global, global + 3, command.global);
  std::copy(local, local + 3, command.local);
  recording.commands.push_back(std::move(command));
}

}  // namespace

portico_status launch(portico_stream* stream, portico_kernel* kernel, const portico_launch* call) {
  return guarded([&] {
    std::size_t global[3], local[3];
    for (int d = 0; d < 3; ++d) {
      local[d] = call->local[d];
      global[d] = local[d] * call->groups[d];
    }
    const std::size_t group = local[0] * local[1] * local[2];
    const bool empty = global[0] == 0 || global[1] == 0 || global[2] == 0;
    if (empty || group > kernel->device->max_group_size) [[unlikely]]
      fail_shape(*kernel, *call);

    const cl_uint dimensions = global[2] > 1 ? 3 : global[1] > 1 ? 2 : 1;
    if (stream->recording) [[unlikely]]
      return record(*stream->recording, *kernel, *call, dimensions, global, local);

    cl_command_queue queue = stream->commands();
    const std::lock_guard lock(kernel->arguments);
    set_arguments(*kernel, kernel->kernel.get(), {call->args, call->arg_count});
    const cl_int code =
        cl.EnqueueNDRangeKernel(queue, kernel->kernel.get(), dimensions, nullptr, global, local, 0, nullptr, nullptr);
    if (code != CL_SUCCESS) [[unlikely]]
      fail_launch(*kernel, *call, code);
    stream->note_queued();
  });
}

}  // namespace portico::opencl
