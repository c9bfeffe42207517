#include "runtime/tuning/gemm_table.hpp"

namespace portico::detail {

std::size_t GemmTable::nearest(const GemmClass& shape) const noexcept {
  std::size_t best = entries_.size();
  int least = kReach + 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const int distance = shape.distance(entries_[i].shape);
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

const GemmChoice* GemmTable::find(const GemmClass& shape) const noexcept {
  const std::uint32_t key = shape.key();
  std::atomic<std::uint32_t>& slot = known_[(key * 2654435761u) >> 22];
  const std::uint32_t seen = slot.load(std::memory_order_relaxed);
  std::size_t place;
  if (seen != 0 && seen >> 10 == key) {
    place = (seen & 1023u) - 1;
  } else {
    place = nearest(shape);
    slot.store(key << 10 | static_cast<std::uint32_t>(place + 1), std::memory_order_relaxed);
  }
  return place < entries_.size() && !entries_[place].choice.by_rule() ? &entries_[place].choice : nullptr;
}

}  // namespace portico::detail
