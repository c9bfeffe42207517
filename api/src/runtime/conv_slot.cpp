#include "runtime/conv_slot.hpp"

#include <algorithm>

#include "portico/precision.hpp"
#include "runtime/slot_call.hpp"

namespace portico::detail {

bool has_conv_slot(const Device& device) {
  const DeviceImpl& impl = Access::impl(device);
  return (impl.info.feature_bits & PORTICO_FEATURE_CONV) != 0 && impl.api.conv != nullptr;
}

bool run_conv_slot(const Device& handle, const ConvSlot& call, const Arg& x, const Arg& weight, const Arg& y,
                   const Arg* bias, const char* subject) {
  return run_slot<portico_conv>(
      handle, subject, "conv",
      [&](DeviceImpl& device, StreamImpl& stream, portico_conv& slot) {
        slot.pass = static_cast<std::int32_t>(call.pass);
        slot.dtype = call.dtype;
        slot.precision = static_cast<std::int32_t>(float32_precision());
        slot.n = call.n;
        slot.c = call.c;
        slot.h = call.h;
        slot.w = call.w;
        slot.k = call.k;
        slot.r = call.r;
        slot.s = call.s;
        slot.p = call.p;
        slot.q = call.q;
        slot.groups = call.groups;
        std::copy_n(call.stride, 2, slot.stride);
        std::copy_n(call.padding, 2, slot.padding);
        std::copy_n(call.dilation, 2, slot.dilation);
        slot.activation = call.activation;
        slot.x = slot_arg(device, stream, x);
        slot.weight = slot_arg(device, stream, weight);
        slot.y = slot_arg(device, stream, y);
        if (bias != nullptr) slot.bias = slot_arg(device, stream, *bias);
      },
      [](DeviceImpl& device, StreamImpl& stream, const portico_conv& slot) {
        return stream.recorder != nullptr ? stream.recorder->conv(slot) : device.api.conv(stream.handle, &slot);
      });
}

}  // namespace portico::detail
