// Choices by class of shapes: the nearest class is found without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace portico::detail {

/// What was measured for a class: `shape` (key() of at most 22 bits, distance()), `choice` (by_rule()).
template <typename Class, typename Choice>
struct TunedClass {
  Class shape;
  Choice choice;
  double gain = 1;  ///< time of the rules over that of the choice
};

/// Does not change once it is made; any thread may ask.
template <typename Class, typename Choice>
class ClassTable {
 public:
  using Entry = TunedClass<Class, Choice>;
  static constexpr std::size_t kMost = 500;  ///< entries: the memo below has ten bits for one
  static constexpr int kReach = 3;           ///< doublings, in sum, to the farthest class that is still taken

  explicit ClassTable(std::vector<Entry> all) : entries_(std::move(all)) {
    if (entries_.size() > kMost) entries_.resize(kMost);
  }
  const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// The choice of the class, else of the nearest one within kReach; null where there is none, or it says nothing.
  const Choice* find(const Class& shape) const noexcept {
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

 private:
  // entries_.size() when none is near
  std::size_t nearest(const Class& shape) const noexcept {
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

  std::vector<Entry> entries_;
  // What find() found before: the class's key and the entry's number plus one, both in one word.
  static constexpr std::size_t kSlots = 1024;
  mutable std::atomic<std::uint32_t> known_[kSlots] = {};
};

/// For the tuner: what an operation of this thread takes while the object lives.
template <typename Choice>
class ForcedChoice {
 public:
  explicit ForcedChoice(const Choice& choice) : previous_(current()) { current() = &choice; }
  ~ForcedChoice() { current() = previous_; }
  ForcedChoice(const ForcedChoice&) = delete;
  ForcedChoice& operator=(const ForcedChoice&) = delete;
  static const Choice*& current() {
    thread_local const Choice* choice = nullptr;
    return choice;
  }

 private:
  const Choice* previous_;
};

}  // namespace portico::detail
