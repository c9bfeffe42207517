#include "memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <set>
#include <stdexcept>

namespace portico::standin {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kRedZone = 256;
constexpr std::size_t kLarge = std::size_t{1} << 20;  // from here on pages go back to the system at once

// Every arena of the process: an address of another device is to be told from nonsense.
std::mutex g_arenas_mutex;
std::set<std::pair<std::uintptr_t, std::uintptr_t>> g_arenas;

std::size_t rounded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

void* reserve(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    throw std::runtime_error("stand-in memory: the host reserves no " + std::to_string(bytes >> 20) +
                             " MiB of address space: " + std::strerror(errno));
  return p;
}

// Back to zeros; whole pages are given back.
void clear(void* begin, std::size_t bytes) {
  if (bytes < kLarge) {
    std::memset(begin, 0, bytes);
    return;
  }
  constexpr std::uintptr_t kPage = 65536;
  const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(begin), to = from + bytes;
  const std::uintptr_t first = (from + kPage - 1) / kPage * kPage, last = to / kPage * kPage;
  std::memset(begin, 0, first - from);
  madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  std::memset(reinterpret_cast<void*>(last), 0, to - last);
}

std::string hexadecimal(std::uintptr_t address) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%" PRIxPTR, address);
  return text;
}

}  // namespace

// The arena is larger than the device: addresses then come back late, and a use after release is seen as one.
Memory::Memory(std::size_t total) : total_(total), arena_bytes_(rounded(total) * 4 + (std::size_t{1} << 28)) {
  arena_ = reinterpret_cast<std::uintptr_t>(reserve(arena_bytes_));
  written_ = static_cast<std::uint8_t*>(reserve(arena_bytes_));
  accesses_ = static_cast<Access*>(reserve(arena_bytes_ * sizeof(Access)));
  cursor_ = arena_ + kRedZone;
  const std::lock_guard lock(g_arenas_mutex);
  g_arenas.insert({arena_, arena_ + arena_bytes_});
}

Memory::~Memory() {
  {
    const std::lock_guard lock(g_arenas_mutex);
    g_arenas.erase({arena_, arena_ + arena_bytes_});
  }
  for (const auto& [begin, live] : live_)
    if (live.adopted) retired_.push_back(live);
  for (const Live& live : retired_) {
    munmap(live.written, live.bytes);
    munmap(live.accesses, live.bytes * sizeof(Access));
  }
  munmap(reinterpret_cast<void*>(arena_), arena_bytes_);
  munmap(written_, arena_bytes_);
  munmap(accesses_, arena_bytes_ * sizeof(Access));
}

// The next gap behind the last block handed out, once around the arena. 0: none.
std::uintptr_t Memory::gap_for(std::size_t reserved) {
  for (const std::uintptr_t start : {cursor_, arena_ + kRedZone}) {
    std::uintptr_t at = start;
    for (auto next = live_.lower_bound(at); at + reserved + kRedZone <= arena_ + arena_bytes_; ++next) {
      while (next != live_.end() && next->first < at) ++next;
      if (next == live_.end() || next->first >= arena_ + arena_bytes_ || next->first >= at + reserved + kRedZone)
        return at;
      at = next->first + rounded(next->second.bytes) + kRedZone;
    }
  }
  return 0;
}

void* Memory::allocate(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes == 0 || bytes > total_ || in_use_ > total_ - bytes) return nullptr;
  const std::size_t reserved = rounded(bytes);
  const std::uintptr_t begin = gap_for(reserved);
  if (begin == 0) return nullptr;
  for (auto old = released_.lower_bound(begin); old != released_.end() && old->first < begin + reserved;)
    old = released_.erase(old);
  live_[begin] = {bytes, shadow_of(begin), accesses_ + (begin - arena_), false};
  in_use_ += bytes;
  cursor_ = begin + reserved + kRedZone;
  return reinterpret_cast<void*>(begin);
}

void* Memory::allocate_from(void* where, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto begin = reinterpret_cast<std::uintptr_t>(where);
  if (begin == 0 || bytes == 0) return nullptr;
  const auto next = live_.lower_bound(begin);
  if (next != live_.end() && next->first < begin + bytes) return nullptr;
  if (holder(begin) != live_.end()) return nullptr;
  released_.erase(begin);
  live_[begin] = {bytes, static_cast<std::uint8_t*>(reserve(bytes)),
                  static_cast<Access*>(reserve(bytes * sizeof(Access))), true};
  return where;
}

bool Memory::release(void* begin) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(reinterpret_cast<std::uintptr_t>(begin));
  if (found == live_.end()) return false;
  const Live live = found->second;
  released_[found->first] = live.bytes;
  live_.erase(found);
  clear(live.written, live.bytes);
  if (live.bytes >= kLarge) clear(live.accesses, live.bytes * sizeof(Access));
  if (live.adopted) {
    retired_.push_back(live);
    return true;
  }
  in_use_ -= live.bytes;
  if (live.bytes >= kLarge) clear(begin, live.bytes);
  return true;
}

Memory::LiveBlocks::const_iterator Memory::holder(std::uintptr_t address) const {
  auto next = live_.upper_bound(address);
  if (next == live_.begin()) return live_.end();
  --next;
  return address - next->first < next->second.bytes ? next : live_.end();
}

bool Memory::find(std::uintptr_t address, Block& block) const {
  const std::shared_lock lock(mutex_);
  const auto found = holder(address);
  if (found == live_.end()) return false;
  block = {found->first, found->second.bytes, found->second.written, found->second.accesses};
  return true;
}

Memory::Why Memory::why(std::uintptr_t address) const {
  {
    const std::shared_lock lock(mutex_);
    if (holder(address) != live_.end()) return Why::ok;
    auto old = released_.upper_bound(address);
    if (old != released_.begin() && address - (--old)->first < old->second) return Why::released;
    if (address - arena_ < arena_bytes_) return Why::outside;
  }
  const std::lock_guard lock(g_arenas_mutex);
  for (const auto& [begin, end] : g_arenas)
    if (address >= begin && address < end) return Why::other;
  return Why::outside;
}

std::string Memory::describe(std::uintptr_t address) const {
  const auto of_block = [](std::uintptr_t begin, std::size_t bytes) {
    return " block of " + std::to_string(bytes) + " bytes at " + hexadecimal(begin);
  };
  switch (why(address)) {
    case Why::other:
      return "in the memory of another device";
    case Why::released: {
      const std::shared_lock lock(mutex_);
      const auto old = std::prev(released_.upper_bound(address));
      return std::to_string(address - old->first) + " bytes into the released" + of_block(old->first, old->second);
    }
    case Why::ok: {
      const std::shared_lock lock(mutex_);
      const auto in = holder(address);
      return std::to_string(address - in->first) + " bytes into the" + of_block(in->first, in->second.bytes);
    }
    case Why::outside:
      break;
  }
  const std::shared_lock lock(mutex_);
  const auto next = live_.upper_bound(address);
  const std::uintptr_t gap = next == live_.end() ? UINTPTR_MAX : next->first - address;
  if (next != live_.begin()) {
    const auto before = std::prev(next);
    const std::uintptr_t past = address - (before->first + before->second.bytes);
    if (past <= gap && past < (std::uintptr_t{1} << 32))
      return std::to_string(past) + " bytes behind the" + of_block(before->first, before->second.bytes);
  }
  if (gap < (std::uintptr_t{1} << 32))
    return std::to_string(gap) + " bytes before the" + of_block(next->first, next->second.bytes);
  return "near no block";
}

void Memory::mark_written(const void* p, std::size_t bytes) {
  const std::shared_lock lock(mutex_);
  const auto from = reinterpret_cast<std::uintptr_t>(p);
  auto block = live_.upper_bound(from);
  if (block != live_.begin()) --block;
  for (; block != live_.end() && block->first < from + bytes; ++block) {
    const std::uintptr_t low = std::max(from, block->first);
    const std::uintptr_t high = std::min(from + bytes, block->first + block->second.bytes);
    if (low < high) std::memset(block->second.written + (low - block->first), 1, high - low);
  }
}

void Memory::copy_shadow(const void* to, const Memory& source, const void* from, std::size_t bytes) {
  Block target, origin;
  const auto to_address = reinterpret_cast<std::uintptr_t>(to), from_address = reinterpret_cast<std::uintptr_t>(from);
  if (!find(to_address, target)) return;
  bytes = std::min(bytes, target.begin + target.bytes - to_address);
  if (!source.find(from_address, origin)) {  // from the host: all of it is written
    std::memset(target.written + (to_address - target.begin), 1, bytes);
    return;
  }
  bytes = std::min(bytes, origin.begin + origin.bytes - from_address);
  std::memmove(target.written + (to_address - target.begin), origin.written + (from_address - origin.begin), bytes);
}

std::size_t Memory::in_use() const {
  const std::shared_lock lock(mutex_);
  return in_use_;
}

std::size_t Memory::live_blocks() const {
  const std::shared_lock lock(mutex_);
  return live_.size();
}

}  // namespace portico::standin
