// The device's memory, cached in stream order: a block freed by one tensor is handed to the next of the same stream
// without waiting, because the stream's work is in order.
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

  MemoryStats stats() const;
  void reset_peak();
  /// Gives cached blocks back to the driver, after waiting for the device.
  void trim();

 private:
  struct Return;
  Block* take_cached(std::size_t capacity, StreamImpl& stream);
  std::shared_ptr<Block> hand_out(std::size_t bytes, StreamImpl& stream, bool may_wait);
  Block* create(std::size_t bytes, std::size_t capacity, StreamImpl& stream, bool may_wait);
  void give_back(Block* block) noexcept;
  [[noreturn]] void refuse(std::size_t bytes, const std::string& why) const;

  DeviceImpl& device_;
  const std::uint64_t limit_;
  mutable std::mutex mutex_;
  MemoryStats stats_;
  std::unordered_map<StreamImpl*, std::unordered_map<std::size_t, std::vector<Block*>>> cached_;
};

}  // namespace portico::detail
