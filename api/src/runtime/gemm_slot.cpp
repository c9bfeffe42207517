#include "runtime/gemm_slot.hpp"

#include "portico/precision.hpp"
#include "runtime/slot_call.hpp"

namespace portico::detail {

bool has_gemm_slot(const Device& device) {
  const DeviceImpl& impl = Access::impl(device);
  return (impl.info.feature_bits & PORTICO_FEATURE_GEMM) != 0 && impl.api.gemm != nullptr;
}

bool run_gemm_slot(const Device& handle, const GemmSlot& call, const Arg& a, const Arg& b, const Arg& c,
                   const Arg* bias, const Arg* aux, const char* subject) {
  return run_slot<portico_gemm>(
      handle, subject, "gemm",
      [&](DeviceImpl& device, StreamImpl& stream, portico_gemm& slot) {
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
      },
      [](DeviceImpl& device, StreamImpl& stream, const portico_gemm& slot) {
        return stream.recorder != nullptr ? stream.recorder->gemm(slot) : device.api.gemm(stream.handle, &slot);
      });
}

}  // namespace portico::detail
