// The table of slots, and the one symbol that leaves the plugin.
#include "backends/opencl/objects.hpp"
#include "prelude.hpp"

extern "C" PORTICO_PLUGIN_EXPORT const portico_backend* portico_backend_v1(const portico_host* host) {
  using namespace portico::opencl;
  portico::plugin::set_host(host);
  static constexpr portico_backend backend = {
      .struct_size = sizeof(portico_backend),
      .abi_minor = PORTICO_ABI_MINOR,
      .name = "opencl",
      .prelude = portico::plugin::kPrelude,
      .device_count = device_count,
      .device_describe = device_describe,
      .device_open = device_open,
      .device_close = device_close,
      .buffer_create = buffer_create,
      .buffer_destroy = buffer_destroy,
      .write = write,
      .read = read,
      .copy = copy,
      .fill = fill,
      .host_create = host_create,
      .host_destroy = host_destroy,
      .stream_create = stream_create,
      .stream_destroy = stream_destroy,
      .stream_synchronize = stream_synchronize,
      .stream_wait = stream_wait,
      .event_create = event_create,
      .event_destroy = event_destroy,
      .event_record = event_record,
      .event_synchronize = event_synchronize,
      .event_elapsed = event_elapsed,
      .program_compile = program_compile,
      .program_load = program_load,
      .program_binary = program_binary,
      .program_destroy = program_destroy,
      .kernel_create = kernel_create,
      .kernel_destroy = kernel_destroy,
      .launch = launch,
      .gemm = gemm,
      .memory_info = memory_info,
      .kernel_arg_count = kernel_arg_count,
      .capture_begin = capture_begin,
      .capture_end = capture_end,
      .graph_launch = graph_launch,
      .graph_destroy = graph_destroy,
  };
  return &backend;
}
