#include "backends/cuda_hip/staging.hpp"

#include <algorithm>
#include <cstring>

#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

// False when there is no more pinned memory to be had.
bool Staging::make(Block& block) {
  void* memory = nullptr;
  if (vendor::host_allocate(&memory, kBlockBytes) != vendor::kOk) return false;
  if (vendor::event_create(&block.done) != vendor::kOk) {
    vendor::host_release(memory);
    return false;
  }
  block.memory = static_cast<char*>(memory);
  return true;
}

// Makes current_ a block with room. False when not even the first block could be made.
bool Staging::advance(vendor::Stream stream) {
  Block& full = blocks_[current_];
  if (!full.memory) return make(full);

  check(vendor::event_record(full.done, stream), "marking the end of a staged copy");
  full.pending = true;
  current_ = (current_ + 1) % kBlocks;
  if (!blocks_[current_].memory && !make(blocks_[current_])) current_ = 0;  // fewer blocks: more waiting
  Block& next = blocks_[current_];
  if (next.pending) check(vendor::event_synchronize(next.done), "waiting for a staged copy");
  next.pending = false;
  next.used = 0;
  return true;
}

void Staging::upload(vendor::Stream stream, std::uint64_t to, const void* from, std::size_t bytes) {
  const char* source = static_cast<const char*>(from);
  while (bytes > 0) {
    Block* block = &blocks_[current_];
    if (!block->memory || block->used >= kBlockBytes) {
      if (!advance(stream)) {
        check(vendor::upload(vendor::pointer_at(to), source, bytes, stream), "write");
        check(vendor::stream_synchronize(stream), "write");
        return;
      }
      block = &blocks_[current_];
    }
    const std::size_t part = std::min(bytes, kBlockBytes - block->used);
    char* staged = block->memory + block->used;
    std::memcpy(staged, source, part);
    check(vendor::upload(vendor::pointer_at(to), staged, part, stream), "write");
    block->used += (part + kAlignment - 1) / kAlignment * kAlignment;
    source += part;
    to += part;
    bytes -= part;
  }
}

void Staging::release() noexcept {
  for (Block& block : blocks_) {
    if (!block.memory) continue;
    vendor::event_destroy(block.done);
    vendor::host_release(block.memory);
    block = {};
  }
}

}  // namespace portico::cuda_hip
