#include "runtime/gemm_slot.hpp"

#include "portico/backend_abi.h"
#include "runtime/debug.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/status.hpp"

namespace portico::detail {
namespace {

portico_arg slot_arg(DeviceImpl& device, StreamImpl& stream, const Arg& arg) {
  Block* block = Access::block(*arg.buffer);
  device.use(*block, stream);
  portico_arg out{};
  out.kind = PORTICO_ARG_BUFFER;
  out.size = arg.size;
  out.offset = arg.first_element;
  out.value.buffer = block->handle;
  return out;
}

}  // namespace

bool has_gemm_slot(const Device& device) {
  const DeviceImpl& impl = Access::impl(device);
  return (impl.info.feature_bits & PORTICO_FEATURE_GEMM) != 0 && impl.api.gemm != nullptr;
}

bool run_gemm_slot(const Device& handle, const GemmSlot& call, const Arg& a, const Arg& b, const Arg& c,
                   const Arg* bias, const char* subject) {
  DeviceImpl& device = Access::impl(handle);
  const auto lock = device.lock_streams();
  StreamImpl& stream = device.current_stream();
  portico_gemm slot{};
  slot.struct_size = sizeof slot;
  slot.dtype = call.dtype;
  slot.trans_a = call.trans_a;
  slot.trans_b = call.trans_b;
  slot.m = call.m;
  slot.n = call.n;
  slot.k = call.k;
  slot.batch = call.batch;
  slot.lda = call.lda;
  slot.ldb = call.ldb;
  slot.ldc = call.ldc;
  slot.stride_a = call.stride_a;
  slot.stride_b = call.stride_b;
  slot.stride_c = call.stride_c;
  slot.alpha = call.alpha;
  slot.beta = call.beta;
  slot.a = slot_arg(device, stream, a);
  slot.b = slot_arg(device, stream, b);
  slot.c = slot_arg(device, stream, c);
  if (bias != nullptr) slot.bias = slot_arg(device, stream, *bias);
  slot.activation = call.activation;
  const portico_status status = device.api.gemm(stream.handle, &slot);
  if (status == PORTICO_UNSUPPORTED) {
    take_message();
    return false;
  }
  if (status != PORTICO_OK) fail(status, subject);
  if (debug_enabled()) check(device.api.stream_synchronize(stream.handle), "PORTICO_DEBUG: after the gemm slot");
  return true;
}

}  // namespace portico::detail
