// The table of the plugin and its one exported symbol. Compiled once for CUDA and once for HIP, as everything here is.
#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"
#include "prelude.hpp"

namespace slots = portico::cuda_hip;

extern "C" PORTICO_PLUGIN_EXPORT const portico_backend* portico_backend_v1(const portico_host* host) {
  portico::plugin::set_host(host);
  static const portico_backend backend = {
      .struct_size = sizeof(portico_backend),
      .abi_minor = PORTICO_ABI_MINOR,
      .name = vendor::kName,
      .prelude = portico::plugin::kPrelude,
      .device_count = slots::device_count,
      .device_describe = slots::device_describe,
      .device_open = slots::device_open,
      .device_close = slots::device_close,
      .buffer_create = slots::buffer_create,
      .buffer_destroy = slots::buffer_destroy,
      .write = slots::write,
      .read = slots::read,
      .copy = slots::copy,
      .fill = slots::fill,
      .host_create = slots::host_create,
      .host_destroy = slots::host_destroy,
      .stream_create = slots::stream_create,
      .stream_destroy = slots::stream_destroy,
      .stream_synchronize = slots::stream_synchronize,
      .stream_wait = slots::stream_wait,
      .event_create = slots::event_create,
      .event_destroy = slots::event_destroy,
      .event_record = slots::event_record,
      .event_synchronize = slots::event_synchronize,
      .event_elapsed = slots::event_elapsed,
      .program_compile = slots::program_compile,
      .program_load = slots::program_load,
      .program_binary = slots::program_binary,
      .program_destroy = slots::program_destroy,
      .kernel_create = slots::kernel_create,
      .kernel_destroy = slots::kernel_destroy,
      .launch = slots::launch,
      .gemm = slots::gemm,
      .memory_info = slots::memory_info,
      .kernel_arg_count = slots::kernel_arg_count,
      .capture_begin = slots::capture_begin,
      .capture_end = slots::capture_end,
      .graph_launch = slots::graph_launch,
      .graph_destroy = slots::graph_destroy,
      .binary_targets = slots::binary_targets,
      .compile_for = slots::compile_for,
      .conv = slots::conv,
      .buffer_create_ordered = slots::buffer_create_ordered,
      .buffer_destroy_ordered = slots::buffer_destroy_ordered,
  };
  return &backend;
}
