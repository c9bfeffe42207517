// What calls of the optional slots bring along for a library: memory to use meanwhile, and where operands lie.
#pragma once

#include <cstdint>

#include "portico/backend_abi.h"

namespace portico::cuda_hip {

/// Memory that the core lends for the length of one call, in stream order.
class Scratch {
 public:
  using Lend = portico_status(void* context, uint64_t bytes, portico_buffer** out);
  Scratch(Lend* lend, void* context) : lend_(lend), context_(context) {}

  /// Whether there is anything to borrow.
  explicit operator bool() const { return lend_ != nullptr; }
  /// The address of `bytes` bytes; 0 for none. Throws Failure as the core says.
  uint64_t borrow(uint64_t bytes) const;

 private:
  Lend* lend_;
  void* context_;
};

/// The address of an operand; 0 for one that is absent.
uint64_t address_of(const portico_arg& arg);

/// The largest power of two, up to 256, that divides the address.
inline uint32_t alignment(uint64_t address) {
  const uint64_t lowest = address & (~address + 1);
  return static_cast<uint32_t>(address == 0 || lowest > 256 ? 256 : lowest);
}

}  // namespace portico::cuda_hip
