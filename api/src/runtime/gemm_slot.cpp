#include "runtime/gemm_slot.hpp"

#include <memory>
#include <vector>

#include "portico/backend_abi.h"
#include "portico/precision.hpp"
#include "runtime/capture.hpp"
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

// What a library borrows during one call. It goes back to the pool when the call returns: in stream order, so after the
// library's work.
struct Scratch {
  DeviceImpl& device;
  StreamImpl& stream;
  std::vector<std::shared_ptr<Block>> blocks;

  static portico_status lend(void* context, std::uint64_t bytes, portico_buffer** out) noexcept {
    auto& self = *static_cast<Scratch*>(context);
    try {
      // The streams are locked here, so there is no emptying the pool; run_gemm_slot does that and calls again.
      auto block = self.device.pool.try_allocate(bytes, self.stream);
      if (block == nullptr) return PORTICO_OUT_OF_MEMORY;
      self.device.use(*block, self.stream);
      *out = block->handle;
      self.blocks.push_back(std::move(block));
      return PORTICO_OK;
    } catch (...) {
      return PORTICO_OUT_OF_MEMORY;
    }
  }
};

portico_status call_slot(DeviceImpl& device, StreamImpl& stream, portico_gemm& slot) {
  Scratch scratch{device, stream, {}};
  slot.scratch = Scratch::lend;
  slot.scratch_context = &scratch;
  return stream.recorder != nullptr ? stream.recorder->gemm(slot) : device.api.gemm(stream.handle, &slot);
}

}  // namespace

bool has_gemm_slot(const Device& device) {
  const DeviceImpl& impl = Access::impl(device);
  return (impl.info.feature_bits & PORTICO_FEATURE_GEMM) != 0 && impl.api.gemm != nullptr;
}

bool run_gemm_slot(const Device& handle, const GemmSlot& call, const Arg& a, const Arg& b, const Arg& c,
                   const Arg* bias, const Arg* aux, const char* subject) {
  DeviceImpl& device = Access::impl(handle);
  auto lock = device.lock_streams();
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
  slot.precision = static_cast<std::int32_t>(float32_precision());
  slot.epilogue = call.epilogue;
  slot.ld_aux = call.ld_aux;
  if (aux != nullptr) slot.aux = slot_arg(device, stream, *aux);
  portico_status status = call_slot(device, stream, slot);
  if (status == PORTICO_OUT_OF_MEMORY && stream.recorder == nullptr) [[unlikely]] {
    take_message();
    lock = {};
    device.pool.trim();
    lock = device.lock_streams();
    status = call_slot(device, stream, slot);
  }
  if (status == PORTICO_UNSUPPORTED) {
    take_message();
    return false;
  }
  if (status != PORTICO_OK) fail(status, subject);
  if (debug_enabled() && stream.recorder == nullptr)
    check(device.api.stream_synchronize(stream.handle), "PORTICO_DEBUG: after the gemm slot");
  return true;
}

}  // namespace portico::detail
