// A backend that does nothing at once. What an operation costs on it is what Portico itself costs the host: the
// driver's share is zero. Which kernels a program asks for shows on it too, without a device. It is also the shortest
// answer to "what does a plugin have to define?".
#include <cstdlib>
#include <cstring>

#include "backends/common/plugin.hpp"

struct portico_device {};
struct portico_stream {};
struct portico_event {};
struct portico_buffer {};
struct portico_program {};
struct portico_kernel {};

namespace {

// Every handle is one and the same object: nothing is ever looked up in it.
template <typename Object>
portico_status create(Object** out) {
  static Object object;
  *out = &object;
  return PORTICO_OK;
}

template <typename... Args>
portico_status done(Args...) {
  return PORTICO_OK;
}

template <typename... Args>
portico_status unsupported(Args...) {
  return PORTICO_UNSUPPORTED;
}

template <typename... Args>
void nothing(Args...) {}

// Kernels are cut by the number of units, so whoever records them for large devices says it.
uint32_t units() {
  const char* text = std::getenv("PORTICO_NULL_UNITS");
  const int value = text != nullptr ? std::atoi(text) : 0;
  return value > 0 ? static_cast<uint32_t>(value) : 2;
}

bool with_vendor() {
  const char* vendor = std::getenv("PORTICO_NULL_VENDOR");
  return vendor != nullptr && std::strcmp(vendor, "1") == 0;
}

// What a vendor's library without epilogues takes. Other kernels follow it than where there is none.
portico_status plain_gemm(portico_stream*, const portico_gemm* call) {
  const bool plain = call->bias.value.buffer == nullptr && call->activation == PORTICO_ACT_NONE &&
                     call->epilogue == PORTICO_EPILOGUE_FORWARD && call->aux.value.buffer == nullptr;
  return plain ? PORTICO_OK : PORTICO_UNSUPPORTED;
}
portico_status plain_conv(portico_stream*, const portico_conv* call) {
  const bool plain = call->bias.value.buffer == nullptr && call->activation == PORTICO_ACT_NONE;
  return plain ? PORTICO_OK : PORTICO_UNSUPPORTED;
}

portico_status describe(int32_t, portico_device_info* info) {
  *info = {
      .struct_size = sizeof(portico_device_info),
      .features = PORTICO_FEATURE_CPU | (with_vendor() ? uint32_t{PORTICO_FEATURE_GEMM | PORTICO_FEATURE_CONV} : 0u),
      .name = "nothing",
      .arch = "none",
      .toolchain = "none",
      .memory_bytes = uint64_t{1} << 40,
      .max_group_size = 1024,
      .local_bytes = 1 << 16,
      .subgroup_size = 0,
      .compute_units = units()};
  return PORTICO_OK;
}

portico_status count(int32_t* out) {
  *out = 1;
  return PORTICO_OK;
}

portico_status read(portico_stream*, const portico_buffer*, size_t, void* dst, size_t bytes) {
  std::memset(dst, 0, bytes);
  return PORTICO_OK;
}

template <typename Object>
portico_status create_on(portico_device*, Object** out) {
  return create(out);
}

const portico_backend kBackend = {
    .struct_size = sizeof(portico_backend),
    .abi_minor = PORTICO_ABI_MINOR,
    .name = "opencl",
    .prelude = {"", 0},
    .device_count = count,
    .device_describe = describe,
    .device_open = [](int32_t, portico_device** out) { return create(out); },
    .device_close = nothing,
    .buffer_create = [](portico_device*, size_t, portico_buffer** out) { return create(out); },
    .buffer_destroy = nothing,
    .write = done,
    .read = read,
    .copy = done,
    .fill = done,
    .host_create = unsupported,
    .host_destroy = nothing,
    .stream_create = create_on,
    .stream_destroy = nothing,
    .stream_synchronize = done,
    .stream_wait = done,
    .event_create = create_on,
    .event_destroy = nothing,
    .event_record = done,
    .event_synchronize = done,
    .event_elapsed = unsupported,
    .program_compile = [](portico_device*, portico_bytes, portico_program** out) { return create(out); },
    .program_load = [](portico_device*, portico_bytes, portico_program** out) { return create(out); },
    .program_binary = unsupported,
    .program_destroy = nothing,
    .kernel_create = [](portico_program*, const char*, portico_kernel** out) { return create(out); },
    .kernel_destroy = nothing,
    .launch = done,
};

}  // namespace

extern "C" PORTICO_PLUGIN_EXPORT const portico_backend* portico_backend_v1(const portico_host*) {
  static const portico_backend backend = [] {
    portico_backend table = kBackend;
    if (with_vendor()) {
      table.gemm = plain_gemm;
      table.conv = plain_conv;
    }
    return table;
  }();
  return &backend;
}
