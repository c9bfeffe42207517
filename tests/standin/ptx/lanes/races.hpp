// Who touched a word last, and whether that was ordered before the access at hand.
//
// A stamp says when and who: launch (16 bits) | serial (36) | atomic (1) | thread (11). Serials come from one counter
// of the device: the launch, each block and each barrier takes the next, and so does each bar.warp.sync for its warp.
// So "before the last barrier", "another block of this launch" and "another launch" are comparisons of numbers.
#pragma once

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {

constexpr u64 kThreadBits = 0x7ff;
constexpr u64 kMany = 0x7ff;    // as reader: several threads of the block
constexpr u64 kOthers = 0x7fe;  // as reader: a thread of another block, and perhaps more
constexpr u64 kAtomic = 0x800;
constexpr u64 kSerialBits = (u64{1} << 36) - 1;

enum class Use : u8 { read, write, strong_read, strong_write, atomic };
inline bool reads(Use use) { return use == Use::read || use == Use::strong_read || use == Use::atomic; }
inline bool writes(Use use) { return use == Use::write || use == Use::strong_write || use == Use::atomic; }
inline bool strong(Use use) { return use >= Use::strong_read; }

/// The moments against which a warp's stamps are held.
struct Order {
  u64 floor, span;  // stamps of this launch (of this block, for shared memory) are floor .. floor + span
  u64 block;        // began with this stamp
  u64 stretch;      // since the last barrier
  u64 together;     // since the warp's last bar.warp.sync
  u64 now;          // of this access, without its thread

  Order(const Warp& w, bool shared) {
    const BlockState& b = *w.block;
    const u64 launch = (b.launch_first & 0xffff) << 48;
    const auto stamp = [&](u64 serial) { return launch | (serial & kSerialBits) << 12; };
    block = stamp(b.block_first);
    floor = shared ? block : stamp(b.launch_first);
    span = launch + (u64{1} << 48) - floor;
    stretch = stamp(b.stretch_first);
    together = stamp(w.together);
    now = stamp(w.serial);
  }

  bool ours(u64 stamp) const { return stamp - floor < span; }
  /// Ours, and not from before the last barrier of this block.
  bool suspicious(u64 stamp) const { return ours(stamp) && !(stamp - block < stretch - block); }

  /// Whether a suspicious stamp is not ordered before `thread`'s access now.
  bool conflict(u64 stamp, u64 thread) const {
    if (stamp < block) return true;
    const u64 other = stamp & kThreadBits;
    if (other == kOthers) return true;
    if (other == thread) return false;
    if (other == kMany || other / kLanes == thread / kLanes) return stamp >= together;
    return true;
  }

  /// 0, or the stamp that this access races with.
  u64 write(Access& word, u64 thread, bool is_strong) const {
    const u64 writer = word.writer, reader = word.reader;
    word.writer = now | thread | (is_strong ? kAtomic : 0);
    if (suspicious(writer) && !(is_strong && (writer & kAtomic)) && conflict(writer, thread)) return writer;
    // A plain look at what others change atomically is how loops over atomicCAS begin.
    if (!is_strong && suspicious(reader) && conflict(reader, thread)) return reader;
    return 0;
  }

  u64 read(Access& word, u64 thread, bool is_strong) const {
    const u64 writer = word.writer, reader = word.reader;
    if (!is_strong) {
      const u64 who = reader & kThreadBits;
      if (!ours(reader))
        word.reader = now | thread;
      else if (who == kOthers)
        ;
      else if (reader < block)
        word.reader = now | kOthers;
      else if (reader < stretch || who == thread)
        word.reader = now | thread;
      else
        word.reader = now | kMany;
    }
    return suspicious(writer) && !(writer & kAtomic) && conflict(writer, thread) ? writer : 0;
  }
};

/// Whether a conflict with another block is the known pattern: it wrote, fenced and did an atomic; this block did an
/// atomic and then reads what was written.
bool ordered_by_fence(const BlockState& block, u64 stamp);

/// "thread (3,0,0) of block (1,0,0)", as far as a stamp tells it.
void tell_who(const Warp& w, u64 stamp, char* text, std::size_t size);

}  // namespace portico::standin::ptx::PTX_LANES
