// The plugin's optional convolution slot, in the core's words: what lies above the runtime names no type of the
// contract.
#pragma once

#include <cstdint>

#include "portico/device.hpp"

namespace portico::detail {

/// The values of portico_conv_pass.
enum class ConvSlotPass : std::int32_t { forward = 0, input_gradient = 1, weight_gradient = 2 };

/// The fields of portico_conv, whose comment in backend_abi.h says what they mean.
struct ConvSlot {
  ConvSlotPass pass;
  std::int32_t dtype;
  std::uint32_t n, c, h, w, k, r, s, p, q, groups;
  std::uint32_t stride[2], padding[2], dilation[2];
  std::int32_t activation;
};

/// Whether the device's plugin has a library behind the slot.
bool has_conv_slot(const Device& device);

/// Queues the convolution on the current stream, with the calling thread's float32_precision(). False when the library
/// declines it. `bias` may be null.
bool run_conv_slot(const Device& device, const ConvSlot& call, const Arg& x, const Arg& weight, const Arg& y,
                   const Arg* bias, const char* subject);

}  // namespace portico::detail
