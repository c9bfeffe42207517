#include "backends/cuda_hip/transfers.hpp"

#include <algorithm>
#include <cstring>

#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

bool Transfers::start() {
  if (!started_) started_ = vendor::stream_create(&copies_) == vendor::kOk;
  return started_;
}

bool Transfers::make(Block& block) {
  Block fresh;
  void* pinned = nullptr;
  vendor::Pointer staged{};
  if (vendor::host_allocate(&pinned, kBlockBytes) != vendor::kOk) return false;
  if (vendor::allocate(&staged, kBlockBytes) != vendor::kOk) {
    vendor::host_release(pinned);
    return false;
  }
  if (vendor::event_create(&fresh.crossed) == vendor::kOk) {
    if (vendor::event_create(&fresh.finished) == vendor::kOk) {
      fresh.pinned = static_cast<char*>(pinned);
      fresh.staged = vendor::address(staged);
      block = fresh;
      return true;
    }
    vendor::event_destroy(fresh.crossed);
  }
  vendor::release(staged);
  vendor::host_release(pinned);
  return false;
}

// Waits until nothing uses the block any more.
void Transfers::settle(Block& block, vendor::Stream compute) {
  if (block.state == State::marked) check(vendor::event_synchronize(block.finished), "waiting for a staged copy");
  if (block.state == State::unmarked) {  // an earlier call failed half way
    check(vendor::stream_synchronize(copies_), "waiting for staged copies");
    check(vendor::stream_synchronize(compute), "waiting for staged copies");
  }
  block.state = State::idle;
}

// The next block of the ring, which grows while its next one is in use. Null when there is none at all.
Transfers::Block* Transfers::take(vendor::Stream compute) {
  if (!start()) return nullptr;
  if ((made_ == 0 || blocks_[next_].state != State::idle) && made_ < kBlocks && make(blocks_[made_])) next_ = made_++;
  if (made_ == 0) return nullptr;
  Block& block = blocks_[next_];
  next_ = (next_ + 1) % made_;
  settle(block, compute);
  return &block;
}

bool Transfers::upload(vendor::Stream compute, std::uint64_t to, const void* from, std::size_t bytes) {
  const char* source = static_cast<const char*>(from);
  Block* block = take(compute);
  if (!block) return false;
  for (;;) {
    const std::size_t part = std::min(bytes, kBlockBytes);
    const vendor::Pointer staged = vendor::pointer_at(block->staged);
    std::memcpy(block->pinned, source, part);
    block->state = State::unmarked;
    check(vendor::upload(staged, block->pinned, part, copies_), "write");
    check(vendor::event_record(block->crossed, copies_), "marking the end of an upload");
    check(vendor::stream_wait(compute, block->crossed), "waiting for an upload");
    check(vendor::copy(vendor::pointer_at(to), staged, part, compute), "write");
    check(vendor::event_record(block->finished, compute), "marking the end of a staged copy");
    block->state = State::marked;
    source += part;
    to += part;
    bytes -= part;
    if (bytes == 0) return true;
    block = take(compute);
  }
}

bool Transfers::download(vendor::Stream compute, void* to, std::uint64_t from, std::size_t bytes) {
  const std::size_t count = (bytes + kBlockBytes - 1) / kBlockBytes;
  // All or nothing: with fewer blocks the first would be overwritten before the host has them.
  for (std::size_t i = 0; i < count; ++i) {
    if (!start() || (i >= made_ && !make(blocks_[i]))) return false;
    made_ = std::max(made_, i + 1);
    settle(blocks_[i], compute);
  }
  const auto part = [&](std::size_t i) { return std::min(bytes - i * kBlockBytes, kBlockBytes); };
  for (std::size_t i = 0; i < count; ++i) {
    blocks_[i].state = State::unmarked;
    const vendor::Pointer staged = vendor::pointer_at(blocks_[i].staged);
    check(vendor::copy(staged, vendor::pointer_at(from + i * kBlockBytes), part(i), compute), "read");
    check(vendor::event_record(blocks_[i].crossed, compute), "marking what is to be read");
    check(vendor::stream_wait(copies_, blocks_[i].crossed), "waiting for what is to be read");
    check(vendor::download(blocks_[i].pinned, staged, part(i), copies_), "read");
    check(vendor::event_record(blocks_[i].finished, copies_), "marking the end of a download");
    blocks_[i].state = State::marked;
  }
  for (std::size_t i = 0; i < count; ++i) {
    check(vendor::event_synchronize(blocks_[i].finished), "read");
    blocks_[i].state = State::idle;
    std::memcpy(static_cast<char*>(to) + i * kBlockBytes, blocks_[i].pinned, part(i));
  }
  return true;
}

void Transfers::release() noexcept {
  if (started_) vendor::stream_synchronize(copies_);
  for (Block& block : blocks_) {
    if (!block.pinned) continue;
    vendor::event_destroy(block.crossed);
    vendor::event_destroy(block.finished);
    vendor::release(vendor::pointer_at(block.staged));
    vendor::host_release(block.pinned);
    block = {};
  }
  made_ = next_ = 0;
  if (started_) vendor::stream_destroy(copies_);
  started_ = false;
}

}  // namespace portico::cuda_hip
