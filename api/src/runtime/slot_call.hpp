// What the calls of the plugin's optional slots (gemm, convolution) have in common: operands, memory to lend, a second
// try when memory is short.
#pragma once

#include <memory>
#include <vector>

#include "portico/backend_abi.h"
#include "runtime/capture.hpp"
#include "runtime/debug.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/status.hpp"

namespace portico::detail {

/// The operand, tied behind its earlier users. The streams are locked.
inline portico_arg slot_arg(DeviceImpl& device, StreamImpl& stream, const Arg& arg) {
  Block* block = Access::block(*arg.buffer);
  device.use(*block, stream);
  portico_arg out{};
  out.kind = PORTICO_ARG_BUFFER;
  out.size = arg.size;
  out.offset = arg.first_element;
  out.value.buffer = block->handle;
  return out;
}

/// What a library borrows during one call. It goes back to the pool when the call returns: in stream order, so after
/// the library's work.
struct SlotScratch {
  DeviceImpl& device;
  StreamImpl& stream;
  std::vector<std::shared_ptr<Block>> blocks;

  static portico_status lend(void* context, std::uint64_t bytes, portico_buffer** out) noexcept {
    auto& self = *static_cast<SlotScratch*>(context);
    try {
      // The streams are locked here, so there is no emptying the pool; run_slot does that and calls again.
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

/// Queues one call on the current stream: `fill(device, stream, call)` sets its fields but for the scratch memory,
/// `make(device, stream, call)` hands it to the plugin. False when the plugin declines; throws its errors.
template <typename Call, typename Fill, typename Make>
bool run_slot(const Device& handle, const char* subject, const char* slot_name, Fill&& fill, Make&& make) {
  DeviceImpl& device = Access::impl(handle);
  auto lock = device.lock_streams();
  StreamImpl& stream = device.current_stream();
  Call call{};
  call.struct_size = sizeof call;
  fill(device, stream, call);
  const auto attempt = [&] {
    SlotScratch scratch{device, stream, {}};
    call.scratch = SlotScratch::lend;
    call.scratch_context = &scratch;
    return make(device, stream, call);
  };
  portico_status status = attempt();
  if (status == PORTICO_OUT_OF_MEMORY && stream.recorder == nullptr) [[unlikely]] {
    take_message();
    lock = {};
    device.pool.trim();
    lock = device.lock_streams();
    status = attempt();
  }
  if (status == PORTICO_UNSUPPORTED) {
    take_message();
    return false;
  }
  if (status != PORTICO_OK) fail(status, subject);
  if (debug_enabled() && stream.recorder == nullptr)
    check(device.api.stream_synchronize(stream.handle), std::string("PORTICO_DEBUG: after the ") + slot_name + " slot");
  return true;
}

}  // namespace portico::detail
