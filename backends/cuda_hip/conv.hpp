// The vendor's convolution, as the two vendors' libraries have it in common.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/cuda_hip/scratch.hpp"
#include "portico/backend_abi.h"

namespace portico::cuda_hip {

struct DeviceFacts;

/// What portico_conv says, with addresses; bias is 0 when absent. No padding, so that it can be compared and remembered
/// as bytes once the addresses are taken off.
struct ConvShape {
  int32_t pass, dtype, precision, activation;
  int32_t n, c, h, w, k, r, s, p, q, groups;
  int32_t stride[2], padding[2], dilation[2];
};
struct ConvCall {
  ConvShape shape;
  uint64_t x, weight, y, bias;
};

/// A library's handle for one stream. Used by one thread at a time, with the stream's device current.
class Conv {
 public:
  virtual ~Conv() = default;

  /// Queues the convolution. False, with nothing queued, when the library has no way to do it; throws Failure.
  virtual bool run(const ConvCall& call, const Scratch& scratch) = 0;
};

/// Whether conv_create() can be expected to succeed. Opens nothing.
bool conv_exists(const DeviceFacts& device);

/// Opens the library on first use. Null, with the reason in `reason`, where there is none for this device.
std::unique_ptr<Conv> conv_create(portico_stream& stream, std::string& reason);

}  // namespace portico::cuda_hip
