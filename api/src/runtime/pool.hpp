// The device's memory, cached in stream order: a block freed by one tensor is handed to the next of the same stream
// without waiting, because the stream's work is in order. With PORTICO_POOL=driver the driver's own pool does that
// (cuMemAllocAsync, hipMallocAsync), for a call of the driver each time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "portico/device.hpp"

namespace portico::detail {

class Pool {
 public:
  explicit Pool(DeviceImpl& device);

  /// At least `bytes`, uninitialised, belonging to `stream`. Throws `Error{out_of_memory}`.
  std::shared_ptr<Block> allocate(std::size_t bytes, StreamImpl& stream);
  /// The same without waiting for the device: null where allocate() would have to give cached blocks back first.
  std::shared_ptr<Block> try_allocate(std::size_t bytes, StreamImpl& stream);

  /// A block of capacity_for(bytes), for a graph to keep (graph_memory.hpp); give_back() returns it.
  Block* take(std::size_t bytes, StreamImpl& stream, bool may_wait = true);
  /// To the free blocks of the stream that used it last. `examine` holds the guard of PORTICO_DEBUG against what it
  /// was.
  void give_back(Block* block, bool examine = true) noexcept;
  static std::size_t capacity_for(std::size_t bytes);

  MemoryStats stats() const;
  void reset_peak();
  /// Gives cached blocks back to the driver, after waiting for the device. Not while some thread records: drivers
  /// refuse to wait or to free then.
  void trim();

 private:
  struct Return;
  Block* take_cached(std::size_t capacity, StreamImpl& stream);
  std::shared_ptr<Block> hand_out(std::size_t bytes, StreamImpl& stream, bool may_wait);
  Block* create_ordered(std::size_t capacity, StreamImpl& stream);
  Block* create(std::size_t bytes, std::size_t capacity, StreamImpl& stream, bool may_wait);
  [[noreturn]] void refuse(std::size_t bytes, const std::string& why) const;

  DeviceImpl& device_;
  const std::uint64_t limit_;
  const bool by_driver_;  ///< PORTICO_POOL=driver, and the plugin offers it
  mutable std::mutex mutex_;
  MemoryStats stats_;
  std::unordered_map<StreamImpl*, std::unordered_map<std::size_t, std::vector<Block*>>> cached_;
};

}  // namespace portico::detail
