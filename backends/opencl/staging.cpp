#include "backends/opencl/staging.hpp"

#include <cstring>

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

bool is_done(cl_event event) {
  cl_int status = CL_QUEUED;
  const cl_int code = cl.GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
  return code == CL_SUCCESS && status <= CL_COMPLETE;  // negative: it ended with an error
}

}  // namespace

Staging::Block& Staging::block_with_room(portico_stream& stream, std::size_t bytes) {
  if (!blocks_.empty()) {
    if (stream.idle()) blocks_.back().used = 0;
    if (kBlockBytes - blocks_.back().used >= bytes) return blocks_.back();
    cl_event marker = nullptr;
    check(cl.EnqueueMarkerWithWaitList(stream.queue.get(), 0, nullptr, &marker), "clEnqueueMarkerWithWaitList");
    stream.note_queued();
    blocks_.back().last.reset(marker);
  }
  const bool oldest_is_free = blocks_.size() > 1 && is_done(blocks_.front().last.get());
  if (!oldest_is_free && blocks_.size() < kMaxBlocks) {
    void* memory = create_host_memory(*stream.device, kBlockBytes);
    blocks_.push_back({static_cast<std::byte*>(memory), 0, {}});
    return blocks_.back();
  }
  // An error must not pass for the end of the wait: the block's bytes may still be on their way.
  cl_event last = blocks_.front().last.get();
  if (!oldest_is_free) check(cl.WaitForEvents(1, &last), "clWaitForEvents", Phase::synchronize);
  Block block = std::move(blocks_.front());
  blocks_.pop_front();
  block.used = 0;
  block.last.reset();
  blocks_.push_back(std::move(block));
  return blocks_.back();
}

void Staging::write(portico_stream& stream, cl_mem dst, std::size_t offset, const void* src, std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  const std::lock_guard lock(mutex_);
  cl_command_queue queue = stream.commands();
  Block& block = block_with_room(stream, bytes);
  std::byte* place = block.memory + block.used;
  std::memcpy(place, src, bytes);
  check(cl.EnqueueWriteBuffer(queue, dst, CL_FALSE, offset, bytes, place, 0, nullptr, nullptr), "clEnqueueWriteBuffer");
  block.used = std::min(kBlockBytes, (block.used + bytes + kAlignment - 1) / kAlignment * kAlignment);
  stream.note_queued();
}

void Staging::release(portico_device& device) {
  for (Block& block : blocks_) destroy_host_memory(device, block.memory);
  blocks_.clear();
}

}  // namespace portico::opencl
