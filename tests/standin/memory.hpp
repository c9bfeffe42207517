// The memory of one made-up device: which addresses are allocated, which bytes were ever written, and who touched them.
// The stand-in drivers allocate here, the PTX machine checks against it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

namespace portico::standin {

/// Who last wrote and last read a byte. Both words are stamps of ptx/races.hpp; 0 is nobody.
struct Access {
  std::uint64_t writer;
  std::uint64_t reader;
};

/// A live allocation and its shadow. The shadow stays readable when the block is released meanwhile.
struct Block {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  std::uint8_t* written = nullptr;  ///< one shadow byte a byte: 0 = never written by anything, 1 = written
  Access* accesses = nullptr;       ///< as many as bytes; a kernel of wide accesses uses every second or fourth only
};

/// One device's allocations. Thread-safe; addresses are host addresses, so those of two devices never overlap.
class Memory {
 public:
  enum class Why { ok, outside, released, other };

  /// A device with `total` bytes of memory. Throws std::runtime_error when the host has no address space for it.
  explicit Memory(std::size_t total);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// 256-byte aligned, never touching another block. Null when `total` is used up or `bytes` is 0.
  void* allocate(std::size_t bytes);

  /// Adopts memory that was made elsewhere (SVM, pinned host memory). It stays its maker's and counts into no total.
  /// Null when it overlaps a live block.
  void* allocate_from(void* where, std::size_t bytes);

  /// False when `begin` is not where a live block begins. The range stays known as released until it is used again.
  bool release(void* begin);

  /// The live block that holds `address`.
  bool find(std::uintptr_t address, Block& block) const;

  /// Why an address can or cannot be used; `other`: it is another Memory's.
  Why why(std::uintptr_t address) const;

  /// In words, for messages: "8 bytes behind the block of 4096 bytes at 0x7f0000000100".
  std::string describe(std::uintptr_t address) const;

  /// After copies from the host, fills, results of a BLAS. Parts outside live blocks are ignored.
  void mark_written(const void* p, std::size_t bytes);

  /// After a copy on the device: what was never written at `from` is not written at `to` either.
  void copy_shadow(const void* to, const void* from, std::size_t bytes) { copy_shadow(to, *this, from, bytes); }
  /// The same between two devices.
  void copy_shadow(const void* to, const Memory& source, const void* from, std::size_t bytes);

  std::size_t total() const { return total_; }
  std::size_t in_use() const;       ///< bytes asked for in live blocks, adopted ones not counted
  std::size_t live_blocks() const;  ///< adopted ones counted

  /// A number larger than all before: orders launches, blocks and barriers for the race check.
  std::uint64_t next_serial() { return serial_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  struct Live {
    std::size_t bytes;
    std::uint8_t* written;
    Access* accesses;
    bool adopted;
  };
  using LiveBlocks = std::map<std::uintptr_t, Live>;

  LiveBlocks::const_iterator holder(std::uintptr_t address) const;
  std::uintptr_t gap_for(std::size_t reserved);
  std::uint8_t* shadow_of(std::uintptr_t address) const { return written_ + (address - arena_); }

  std::size_t total_ = 0;
  std::size_t in_use_ = 0;
  std::size_t arena_bytes_ = 0;
  std::uintptr_t arena_ = 0;
  std::uint8_t* written_ = nullptr;
  Access* accesses_ = nullptr;
  std::uintptr_t cursor_ = 0;
  LiveBlocks live_;
  std::vector<Live> retired_;  // shadows of adopted blocks that were released: a kernel may still run over them
  std::map<std::uintptr_t, std::size_t> released_;
  std::atomic<std::uint64_t> serial_{0};
  mutable std::shared_mutex mutex_;
};

}  // namespace portico::standin
