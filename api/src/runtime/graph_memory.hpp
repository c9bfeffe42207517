// The memory of one graph: taken from the device's pool while the step is recorded, given back when the graph is gone.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/device_impl.hpp"

namespace portico::detail {

/// Within the recorded step blocks are reused in its order, as the pool does in a stream's. A replay runs that order
/// again, so nothing else may have the blocks while the graph lives. A tensor that outlives the graph keeps its own.
///
/// A block whose `last_stream` is null has been recorded but never run: whoever touches it is told so.
class GraphMemory : public std::enable_shared_from_this<GraphMemory> {
 public:
  GraphMemory(DeviceImpl& device, StreamImpl& origin) : device_(device), origin_(origin) {}
  ~GraphMemory();

  std::shared_ptr<Block> allocate(std::size_t bytes, StreamImpl& recording);
  bool owns(Block& block) const { return block.graph == this; }
  /// Calls `visit(block)` for every block of the graph.
  template <typename Visit>
  void each(Visit&& visit) {
    const std::lock_guard lock(mutex_);
    for (Block* block : blocks_) visit(*block);
  }
  std::size_t bytes() const;
  /// The graph is gone, or was never made: what is free goes back now, the rest when its tensors do.
  void close() noexcept;

 private:
  struct Return;
  void give_back(Block* block) noexcept;
  void leave(Block* block) noexcept;

  DeviceImpl& device_;
  StreamImpl& origin_;
  mutable std::mutex mutex_;
  std::vector<Block*> blocks_;
  std::unordered_map<std::size_t, std::vector<Block*>> free_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace portico::detail
