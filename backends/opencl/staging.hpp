// Host memory between a caller's data and a queued transfer, so that `write` need not wait for the work before it.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>

#include "backends/opencl/api.hpp"

struct portico_stream;

namespace portico::opencl {

/// A ring of a few pinned blocks. A block is handed out again once the work that was queued with it is done.
class Staging {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;  // larger writes go straight and block
  static constexpr std::size_t kMaxBlocks = 4;

  /// Queues a copy of `bytes` (at most kBlockBytes) from `src` to `dst`. The caller's memory is free on return.
  void write(portico_stream& stream, cl_mem dst, std::size_t offset, const void* src, std::size_t bytes);

  /// Frees the blocks; the stream's work must be done.
  void release(portico_device& device);

 private:
  struct Block {
    std::byte* memory = nullptr;
    std::size_t used = 0;
    Event last;  // set when the block is full: done means that it can be used again
  };

  Block& block_with_room(portico_stream& stream, std::size_t bytes);

  std::mutex mutex_;
  std::deque<Block> blocks_;  // the back one is being filled, the front one is the oldest
};

}  // namespace portico::opencl
