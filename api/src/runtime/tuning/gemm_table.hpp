// Choices by class of product: the nearest class is found without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/tuning/gemm_class.hpp"

namespace portico::detail {

struct GemmEntry {
  GemmClass shape;
  GemmChoice choice;
  double gain = 1;  ///< time of the rules over that of the choice
};

/// Does not change once it is made; any thread may ask.
class GemmTable {
 public:
  static constexpr std::size_t kMost = 500;  ///< entries: the memo below has ten bits for one
  static constexpr int kReach = 3;           ///< doublings, in sum, to the farthest class that is still taken

  explicit GemmTable(std::vector<GemmEntry> all) : entries_(std::move(all)) {
    if (entries_.size() > kMost) entries_.resize(kMost);
  }
  const std::vector<GemmEntry>& entries() const noexcept { return entries_; }

  /// The choice of the class, else of the nearest one within kReach; null where there is none, or it says nothing.
  const GemmChoice* find(const GemmClass& shape) const noexcept;

 private:
  std::size_t nearest(const GemmClass& shape) const noexcept;  // entries_.size() when none is near

  std::vector<GemmEntry> entries_;
  // What find() found before: the class's key and the entry's number plus one, both in one word.
  static constexpr std::size_t kSlots = 1024;
  mutable std::atomic<std::uint32_t> known_[kSlots] = {};
};

}  // namespace portico::detail
