// Pinned memory through which data of the host goes to the device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vendor.hpp"

namespace portico::cuda_hip {

/// Takes its own copy of what a stream shall write, so that the caller's memory is free at once. The drivers' own copy
/// from pageable memory waits for the stream first, and from pinned memory reads it only later: neither is what the
/// contract promises.
///
/// Blocks are filled one behind the other; a full one is marked by an event, and waited for only when its turn comes
/// again.
class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Queues a copy of `bytes` bytes from `from`. The device is current, and the caller holds the stream's lock.
  void upload(vendor::Stream stream, std::uint64_t to, const void* from, std::size_t bytes);

  /// Gives the memory back. The stream is idle, its device current.
  void release() noexcept;

 private:
  static constexpr std::size_t kBlocks = 4;
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
  static constexpr std::size_t kAlignment = 64;

  struct Block {
    char* memory = nullptr;
    vendor::Event done{};
    std::size_t used = 0;
    bool pending = false;  // `done` was recorded behind the copies out of this block
  };

  bool make(Block& block);
  bool advance(vendor::Stream stream);

  std::array<Block, kBlocks> blocks_;
  std::size_t current_ = 0;
};

}  // namespace portico::cuda_hip
