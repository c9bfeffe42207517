#include "runtime/graph_memory.hpp"

#include "runtime/debug.hpp"

namespace portico::detail {

struct GraphMemory::Return {
  std::shared_ptr<GraphMemory> memory;
  void operator()(Block* block) const noexcept { memory->give_back(block); }
};

GraphMemory::~GraphMemory() { close(); }

std::shared_ptr<Block> GraphMemory::allocate(std::size_t bytes, StreamImpl& recording) {
  const std::size_t capacity = Pool::capacity_for(bytes);
  Block* block = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = free_.find(capacity); at != free_.end() && !at->second.empty()) {
      block = at->second.back();
      at->second.pop_back();
    }
  }
  if (block == nullptr) {
    block = device_.pool.take(bytes, origin_);
    block->last_stream.store(nullptr, std::memory_order_relaxed);
    block->graph = this;
    const std::lock_guard lock(mutex_);
    blocks_.push_back(block);
    bytes_ += block->capacity;
  }
  block->requested = bytes;
  std::shared_ptr<Block> shared(block, Return{shared_from_this()});
  if (debug_enabled()) [[unlikely]]
    debug_prepare(*block, recording);
  return shared;
}

std::size_t GraphMemory::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void GraphMemory::give_back(Block* block) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      free_[block->capacity].push_back(block);
      return;
    }
  }
  leave(block);
}

void GraphMemory::close() noexcept {
  std::unordered_map<std::size_t, std::vector<Block*>> free;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    free.swap(free_);
    blocks_.clear();
  }
  for (auto& [capacity, list] : free)
    for (Block* block : list) leave(block);
}

void GraphMemory::leave(Block* block) noexcept {
  block->graph = nullptr;
  // Recorded and never run: nothing has touched it since the pool had it last, and no guard was written.
  const bool ran = block->last_stream.load(std::memory_order_relaxed) != nullptr;
  if (!ran) block->last_stream.store(&origin_, std::memory_order_relaxed);
  device_.pool.give_back(block, ran);
}

}  // namespace portico::detail
