// The optional convolution slot.
#include "backends/cuda_hip/conv.hpp"

#include <limits>

#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::fail;
using plugin::guarded;

namespace {

// Byte addresses of a tensor in 31 bits: what every kernel of both libraries can do.
constexpr uint64_t kMostElements = std::numeric_limits<int32_t>::max() / 4;

bool takes(const portico_conv& call) {
  const bool type = call.dtype == PORTICO_F32 || call.dtype == PORTICO_F16 || call.dtype == PORTICO_BF16;
  const bool act = call.activation == PORTICO_ACT_NONE || call.activation == PORTICO_ACT_RELU;
  const auto small = [](uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return a * b <= kMostElements && c * d <= kMostElements && a * b * c <= kMostElements &&
           a * b * c * d <= kMostElements;
  };
  return type && act && small(call.n, call.c, call.h, call.w) && small(call.n, call.k, call.p, call.q) &&
         small(call.k, call.c / call.groups, call.r, call.s);
}

int32_t i32(uint32_t value) { return static_cast<int32_t>(value); }

ConvCall as_call(const portico_conv& call) {
  return {.shape = {.pass = call.pass,
                    .dtype = call.dtype,
                    .precision = call.dtype == PORTICO_F32 ? call.precision : PORTICO_PRECISION_STRICT,
                    .activation = call.activation,
                    .n = i32(call.n),
                    .c = i32(call.c),
                    .h = i32(call.h),
                    .w = i32(call.w),
                    .k = i32(call.k),
                    .r = i32(call.r),
                    .s = i32(call.s),
                    .p = i32(call.p),
                    .q = i32(call.q),
                    .groups = i32(call.groups),
                    .stride = {i32(call.stride[0]), i32(call.stride[1])},
                    .padding = {i32(call.padding[0]), i32(call.padding[1])},
                    .dilation = {i32(call.dilation[0]), i32(call.dilation[1])}},
          .x = address_of(call.x),
          .weight = address_of(call.weight),
          .y = address_of(call.y),
          .bias = address_of(call.bias)};
}

}  // namespace

void open_conv(portico_stream& stream) {
  if (stream.conv || !stream.no_conv.empty() || !conv_exists(stream.device->facts)) return;
  stream.conv = conv_create(stream, stream.no_conv);
  if (!stream.conv && stream.no_conv.empty()) stream.no_conv = "conv: the library could not be opened";
}

portico_status conv(portico_stream* stream, const portico_conv* call) {
  if (!takes(*call)) return fail(PORTICO_UNSUPPORTED, "conv: not offered by the vendor's library");
  bool done = false;
  const portico_status status = guarded([&] {
    const std::lock_guard lock(stream->mutex);
    stream->device->make_current();
    open_conv(*stream);
    done = stream->conv && stream->conv->run(as_call(*call), Scratch(call->scratch, call->scratch_context));
  });
  if (status != PORTICO_OK || done) return status;
  return fail(PORTICO_UNSUPPORTED,
              stream->no_conv.empty() ? "conv: the vendor's library has no algorithm for this" : stream->no_conv);
}

}  // namespace portico::cuda_hip
