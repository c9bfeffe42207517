#include "runtime/pool.hpp"

#include <algorithm>
#include <bit>

#include "runtime/capture.hpp"
#include "runtime/debug.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/environment.hpp"
#include "runtime/status.hpp"

namespace portico::detail {
namespace {

// Sixteen sizes to each power of two: a block serves requests of nearly its size, and wastes at most a sixteenth.
std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t kSmallest = 256;
  if (bytes <= kSmallest) return kSmallest;
  const std::size_t step = std::max<std::size_t>(std::bit_floor(bytes - 1) / 16, kSmallest);
  return (bytes + step - 1) / step * step;
}

}  // namespace

std::size_t Pool::capacity_for(std::size_t bytes) { return rounded(bytes + debug_guard_bytes()); }

struct Pool::Return {
  Pool* pool;
  void operator()(Block* block) const noexcept { pool->give_back(block); }
};

// The pool of our own unless asked otherwise. A block from it costs a look-up and a lock, some tens of nanoseconds; the
// driver's pool costs a call of the driver for each block and each return, a microsecond and more by NVIDIA's account.
// So there is nothing to find out by measuring at first use; what the driver's pool is better at, giving memory to
// other processes and joining free pieces, no clock sees. bench's row "allocate" measures either.
Pool::Pool(DeviceImpl& device)
    : device_(device),
      limit_(variable_bytes("PORTICO_MEMORY_LIMIT", 0)),
      by_driver_(variable_choice("PORTICO_POOL", {"own", "driver"}, 0) == 1 &&
                 device.api.buffer_create_ordered != nullptr && device.api.buffer_destroy_ordered != nullptr) {
  stats_.limit = limit_;
}

std::shared_ptr<Block> Pool::allocate(std::size_t bytes, StreamImpl& stream) { return hand_out(bytes, stream, true); }

std::shared_ptr<Block> Pool::try_allocate(std::size_t bytes, StreamImpl& stream) {
  return hand_out(bytes, stream, false);
}

std::shared_ptr<Block> Pool::hand_out(std::size_t bytes, StreamImpl& stream, bool may_wait) {
  if (bytes > SIZE_MAX / 2) refuse(bytes, "the size has overflown");
  if (stream.recorder != nullptr) [[unlikely]]
    return stream.recorder->allocate(bytes);
  Block* block = by_driver_ ? create_ordered(capacity_for(bytes), stream) : nullptr;
  if (block == nullptr) block = take(bytes, stream, may_wait);
  if (block == nullptr) return nullptr;
  block->requested = bytes;
  std::shared_ptr<Block> shared(block, Return{this});
  if (debug_enabled()) [[unlikely]]
    debug_prepare(*block, stream);
  return shared;
}

// Null where the driver's pool has none, or its device none such; take() then does, or says why not.
Block* Pool::create_ordered(std::size_t capacity, StreamImpl& stream) {
  {
    const std::lock_guard lock(mutex_);
    if (limit_ != 0 && stats_.in_use + stats_.cached + capacity > limit_) return nullptr;
  }
  portico_buffer* handle = nullptr;
  if (device_.api.buffer_create_ordered(stream.handle, capacity, &handle) != PORTICO_OK) {
    take_message();
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  stats_.in_use += capacity;
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  ++stats_.driver_allocations;
  auto* block = new Block(&device_, handle, capacity, &stream);
  block->ordered = true;
  return block;
}

Block* Pool::take(std::size_t bytes, StreamImpl& stream, bool may_wait) {
  const std::size_t capacity = capacity_for(bytes);
  Block* block = take_cached(capacity, stream);
  return block != nullptr ? block : create(bytes, capacity, stream, may_wait);
}

Block* Pool::take_cached(std::size_t capacity, StreamImpl& stream) {
  const std::lock_guard lock(mutex_);
  const auto of_stream = cached_.find(&stream);
  if (of_stream == cached_.end()) return nullptr;
  const auto at = of_stream->second.find(capacity);
  if (at == of_stream->second.end() || at->second.empty()) return nullptr;
  Block* block = at->second.back();
  at->second.pop_back();
  stats_.cached -= capacity;
  stats_.in_use += capacity;
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  return block;
}

Block* Pool::create(std::size_t bytes, std::size_t capacity, StreamImpl& stream, bool may_wait) {
  const auto over_limit = [&] {
    const std::lock_guard lock(mutex_);
    return limit_ != 0 && stats_.in_use + stats_.cached + capacity > limit_;
  };
  const bool may_trim = !DeviceImpl::some_thread_records();
  if (over_limit()) {
    if (!may_wait) return nullptr;
    if (may_trim) trim();
    if (over_limit()) refuse(bytes, "PORTICO_MEMORY_LIMIT is reached");
  }
  portico_buffer* handle = nullptr;
  portico_status status = device_.api.buffer_create(device_.handle, capacity, &handle);
  if (status == PORTICO_OUT_OF_MEMORY && !may_wait) return nullptr;
  if (status == PORTICO_OUT_OF_MEMORY && may_trim) {
    trim();
    status = device_.api.buffer_create(device_.handle, capacity, &handle);
  }
  if (status == PORTICO_OUT_OF_MEMORY) refuse(bytes, take_message());
  check(status, "allocate on " + device_.label);

  const std::lock_guard lock(mutex_);
  stats_.in_use += capacity;
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  ++stats_.driver_allocations;
  return new Block(&device_, handle, capacity, &stream);
}

void Pool::give_back(Block* block, bool examine) noexcept {
  if (debug_enabled() && examine) [[unlikely]]
    debug_examine(*block);
  const std::lock_guard lock(mutex_);
  stats_.in_use -= block->capacity;
  if (block->ordered) {
    device_.api.buffer_destroy_ordered(block->last_stream.load(std::memory_order_relaxed)->handle, block->handle);
    delete block;
    return;
  }
  stats_.cached += block->capacity;
  cached_[block->last_stream.load(std::memory_order_relaxed)][block->capacity].push_back(block);
}

MemoryStats Pool::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Pool::reset_peak() {
  const std::lock_guard lock(mutex_);
  stats_.peak = stats_.in_use;
}

void Pool::trim() {
  device_.synchronize();
  std::vector<Block*> blocks;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [stream, sizes] : cached_)
      for (auto& [capacity, list] : sizes) blocks.insert(blocks.end(), list.begin(), list.end());
    cached_.clear();
    stats_.cached = 0;
  }
  for (Block* block : blocks) {
    device_.api.buffer_destroy(block->handle);
    delete block;
  }
}

void Pool::refuse(std::size_t bytes, const std::string& why) const {
  const MemoryStats now = stats();
  std::string message = "allocate: " + readable_bytes(bytes) + " do not fit on " + device_.label + " (in use " +
                        readable_bytes(now.in_use) + ", cached " + readable_bytes(now.cached) + ", peak " +
                        readable_bytes(now.peak) + ", device total " + readable_bytes(device_.info.memory_bytes);
  if (limit_ != 0) message += ", PORTICO_MEMORY_LIMIT " + readable_bytes(limit_);
  throw Error(ErrorCode::out_of_memory, message + "): " + why);
}

}  // namespace portico::detail
