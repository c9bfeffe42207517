// Large copies between host and device, on a stream of their own so that they run beside the kernels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vendor.hpp"

namespace portico::cuda_hip {

/// What crosses the bus goes through pinned memory on the host and a block of staging memory on the device. The bus is
/// the copy stream's business; the stream that computes only copies between the staging memory and the buffer, at the
/// device's own speed. So an upload starts while earlier kernels still run, though they may use its target, and a
/// download does not hold up later ones, though they may overwrite its source. Events tie the two streams.
///
/// One direction each, used by one thread at a time with the device current.
class Transfers {
 public:
  Transfers() = default;
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// Below this the second stream costs more than it hides.
  static constexpr std::size_t kSmallest = std::size_t{128} << 10;
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
  static constexpr std::size_t kBlocks = 16;
  /// A download is one point of the stream's order, so all of it is staged at once.
  static constexpr std::size_t kLargestDownload = kBlocks * kBlockBytes;

  /// Queues the upload; `from` is free on return. False, with nothing queued, when there is no memory to stage in.
  bool upload(vendor::Stream compute, std::uint64_t to, const void* from, std::size_t bytes);
  /// Fills `to` and waits for it. At most kLargestDownload bytes. False as above.
  bool download(vendor::Stream compute, void* to, std::uint64_t from, std::size_t bytes);

  /// Gives everything back. The computing stream is idle, its device current.
  void release() noexcept;

 private:
  enum class State { idle, unmarked, marked };
  struct Block {
    char* pinned = nullptr;
    std::uint64_t staged = 0;
    vendor::Event crossed{};   // on the copy stream, or for downloads: copied out on the computing one
    vendor::Event finished{};  // what ends the block's use
    State state = State::idle;
  };

  bool start();
  bool make(Block& block);
  void settle(Block& block, vendor::Stream compute);
  Block* take(vendor::Stream compute);

  vendor::Stream copies_{};
  bool started_ = false;
  std::array<Block, kBlocks> blocks_;
  std::size_t made_ = 0, next_ = 0;
};

}  // namespace portico::cuda_hip
