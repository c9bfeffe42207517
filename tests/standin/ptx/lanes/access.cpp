#include "access.hpp"

#include <cstdio>
#include <string>

namespace portico::standin::ptx::PTX_LANES {
namespace {

// A stretch of memory with its shadow; written and accesses are null where there is nothing to check.
struct Region {
  u64 begin = 0, bytes = 0;
  u8* written = nullptr;
  Access* accesses = nullptr;
  unsigned granule = 2;
  bool shared = false;
};

const char* const kSpaceNames[] = {"generic", "global", "shared", "local", "constant", "parameter"};

Region shared_region(const BlockState& b) {
  Region region{reinterpret_cast<u64>(b.shared), b.shared_bytes, nullptr, nullptr, b.program->shared_granule, true};
  if (b.checks.unset) region.written = b.shared_written;
  if (b.checks.races) region.accesses = b.shared_accesses;
  return region;
}

Region region_of(const BlockState& b, const Block& block) {
  Region region{block.begin, block.bytes, nullptr, nullptr, b.program->global_granule, false};
  if (b.checks.unset) region.written = block.written;
  if (b.checks.races) region.accesses = block.accesses;
  return region;
}

Region local_region(const BlockState& b, u32 thread) {
  const u64 bytes = b.program->local_bytes;
  Region region{reinterpret_cast<u64>(b.local) + thread * bytes, bytes, nullptr, nullptr, 2, false};
  if (b.checks.unset) region.written = b.local_written + thread * bytes;
  return region;
}

Region read_only(const void* begin, std::size_t bytes) {
  return {reinterpret_cast<u64>(begin), bytes, nullptr, nullptr, 2, false};
}

bool inside(u64 address, u64 bytes, u64 begin, u64 size) {
  return address - begin < size && size - (address - begin) >= bytes;
}

u32 thread_of(const Warp& w, int lane) { return w.number * kLanes + static_cast<u32>(lane); }

std::string text_of(u32 bytes, Use use) {
  const char* what = use == Use::atomic ? "atomic access to " : writes(use) ? "write of " : "read of ";
  return what + std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string hexadecimal(u64 value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

[[noreturn]] void race(Warp& w, const Instr& i, int lane, u64 shown, u32 bytes, Space space, Use use, u64 stamp) {
  char who[96];
  tell_who(w, stamp, who, sizeof who);
  fail(w, i, lane, Fault::Kind::race, shown,
       text_of(bytes, use) + " of " + kSpaceNames[static_cast<int>(space)] + " memory at " + hexadecimal(shown) +
           " races with an access of " + who + ": no barrier lies between");
}

// The races of one lane; granules are counted from the region's begin.
inline u64 look_for_race(const Warp& w, const Order& order, const Region& region, u64 address, u32 bytes, u64 thread,
                         Use use) {
  const u64 first = (address - region.begin) >> region.granule;
  const u64 last = (address - region.begin + bytes - 1) >> region.granule;
  for (u64 g = first; g <= last; ++g) {
    Access& word = region.accesses[g];
    const u64 stamp = writes(use) ? order.write(word, thread, strong(use)) : order.read(word, thread, strong(use));
    if (stamp != 0 && !(stamp < order.block && ordered_by_fence(*w.block, stamp))) return stamp;
  }
  return 0;
}

// Which space a generic address means.
Space meant(const BlockState& b, u64 address) {
  if (address - reinterpret_cast<u64>(b.shared) < b.shared_bytes) return Space::shared;
  if (address - reinterpret_cast<u64>(b.local) < b.threads * b.program->local_bytes) return Space::local;
  if (address - reinterpret_cast<u64>(b.module->constant.data()) < b.module->constant.size()) return Space::constant;
  if (address - reinterpret_cast<u64>(b.parameters) < b.program->parameter_bytes) return Space::parameter;
  return Space::global;
}

bool all_written(const u8* written, u32 bytes) {
  switch (bytes) {
    case 1:
      return *written != 0;
    case 2: {
      u16 v;
      std::memcpy(&v, written, 2);
      return v == 0x0101;
    }
    case 4: {
      u32 v;
      std::memcpy(&v, written, 4);
      return v == 0x01010101;
    }
    default:
      return std::memchr(written, 0, bytes) == nullptr;
  }
}

// The address as its space counts it.
u64 shown_address(const Region& region, Space space, u64 address) {
  return space == Space::shared || space == Space::local ? address - region.begin : address;
}

}  // namespace

bool ordered_by_fence(const BlockState& block, u64 stamp) {
  if (block.atomic_serial == 0) return false;
  if ((stamp & kThreadBits) == kOthers) return true;
  const u64 serial = stamp >> 12 & kSerialBits;
  for (auto it = block.published.rbegin(); it != block.published.rend(); ++it)
    if (it->first <= serial) return serial <= it->second;
  return false;
}

void tell_who(const Warp& w, u64 stamp, char* text, std::size_t size) {
  const BlockState& b = *w.block;
  const u64 serial = stamp >> 12 & kSerialBits, thread = stamp & kThreadBits;
  char of_block[64] = "this block";
  if (serial < (b.block_first & kSerialBits) || thread == kOthers) {
    std::size_t number = b.published.size();
    for (std::size_t n = b.published.size(); n-- > 0;)
      if ((b.published[n].first & kSerialBits) <= serial) {
        number = n;
        break;
      }
    const unsigned* grid = b.launch->grid;
    if (thread == kOthers || number >= b.published.size())
      std::snprintf(of_block, sizeof of_block, "another block");
    else
      std::snprintf(of_block, sizeof of_block, "block (%zu,%zu,%zu)", number % grid[0], number / grid[0] % grid[1],
                    number / grid[0] / grid[1]);
  }
  const unsigned* size3 = b.launch->block;
  if (thread == kMany || thread == kOthers)
    std::snprintf(text, size, "a thread of %s", of_block);
  else
    std::snprintf(text, size, "thread (%llu,%llu,%llu) of %s", static_cast<unsigned long long>(thread % size3[0]),
                  static_cast<unsigned long long>(thread / size3[0] % size3[1]),
                  static_cast<unsigned long long>(thread / size3[0] / size3[1]), of_block);
}

u8* reach_one(Warp& w, const Instr& i, int lane, u64 address, u32 bytes, Space space, Use use) {
  BlockState& b = *w.block;
  const u32 thread = thread_of(w, lane);
  if (space == Space::shared) address += reinterpret_cast<u64>(b.shared);
  if (space == Space::local) address += reinterpret_cast<u64>(b.local) + thread * b.program->local_bytes;
  if (space == Space::generic) space = meant(b, address);
  // A pointer to the parameters or to constants is a global one to a generic ld.
  Region region;
  switch (space) {
    case Space::shared:
      region = shared_region(b);
      break;
    case Space::local:
      region = local_region(b, thread);
      break;
    case Space::constant:
      region = read_only(b.module->constant.data(), b.module->constant.size());
      break;
    case Space::parameter:
      region = read_only(b.parameters, b.program->parameter_bytes);
      break;
    default: {
      if (!b.checks.bounds) return reinterpret_cast<u8*>(address);
      Block& hint = b.hints[i.index];
      if (inside(address, bytes, hint.begin, hint.bytes) || b.memory->find(address, hint)) region = region_of(b, hint);
    }
  }
  const u64 shown = shown_address(region, space, address);
  const auto what = [&] {
    return text_of(bytes, use) + " of " + kSpaceNames[static_cast<int>(space)] + " memory at " + hexadecimal(shown);
  };
  if (!inside(address, bytes, region.begin, region.bytes)) {
    if (space == Space::global && b.memory->why(address) == Memory::Why::released)
      fail(w, i, lane, Fault::Kind::released, address, what() + ", which was released: " + b.memory->describe(address));
    const std::string where = space == Space::global ? address == 0 ? "a null pointer" : b.memory->describe(address)
                                                     : std::string(kSpaceNames[static_cast<int>(space)]) +
                                                           " memory has " + std::to_string(region.bytes) + " bytes";
    fail(w, i, lane, Fault::Kind::outside, shown, what() + " lies outside: " + where);
  }
  if (b.checks.bounds && address % bytes != 0)
    fail(w, i, lane, Fault::Kind::misaligned, shown, what() + " is not aligned to " + std::to_string(bytes) + " bytes");
  if (writes(use) && (space == Space::constant || space == Space::parameter))
    fail(w, i, lane, Fault::Kind::outside, shown, what() + ": that memory is read-only");
  if (region.written) {
    u8* written = region.written + (address - region.begin);
    if (reads(use) && !all_written(written, bytes))
      fail(w, i, lane, Fault::Kind::unset, shown,
           what() + ", which nothing has ever written" +
               (space == Space::global ? ": " + b.memory->describe(address) : std::string()));
    if (writes(use)) std::memset(written, 1, bytes);
  }
  if (region.accesses)
    if (const u64 stamp = look_for_race(w, Order(w, region.shared), region, address, bytes, thread, use))
      race(w, i, lane, shown, bytes, space, use, stamp);
  return reinterpret_cast<u8*>(address);
}

namespace {

// All executing lanes lie in one region, aligned: what remains is unset memory and races.
void check_together(Warp& w, const Instr& i, const Region& region, const u64* a, u32 bytes, Space space, Use use,
                    const Reach& r) {
  const int first = __builtin_ctz(w.mask);
  if (region.written) {
    u8* written = region.written + (a[first] - region.begin);
    const u32 stretch = r.contiguous ? bytes * kLanes : bytes;
    bool good = true;
    if (r.contiguous || r.uniform) {
      if (reads(use)) good = std::memchr(written, 0, stretch) == nullptr;
      if (good && writes(use)) std::memset(written, 1, stretch);
    } else {
      u8* const base = region.written - region.begin;
      if (reads(use)) each_lane(w.mask, [&](int k) { good = good && all_written(base + a[k], bytes); });
      if (good && writes(use)) each_lane(w.mask, [&](int k) { std::memset(base + a[k], 1, bytes); });
    }
    if (!good)  // finds the lane and says what is wrong
      each_lane(w.mask, [&](int k) {
        u8* const lane_written = region.written + (a[k] - region.begin);
        if (!all_written(lane_written, bytes))
          reach_one(w, i, k, space == Space::shared ? a[k] - region.begin : a[k], bytes, space, use);
      });
  }
  if (!region.accesses) return;
  const Order order(w, region.shared);
  const u64 base_thread = u64{w.number} * kLanes;
  if (r.uniform && !writes(use)) {
    const bool many = (w.mask & (w.mask - 1)) != 0;
    const u64 thread = base_thread + static_cast<u64>(first);
    if (const u64 stamp = look_for_race(w, order, region, a[first], bytes, thread, use))
      race(w, i, first, shown_address(region, space, a[first]), bytes, space, use, stamp);
    if (many && !strong(use)) {  // any other lane has read it too
      const u64 last = (a[first] - region.begin + bytes - 1) >> region.granule;
      for (u64 g = (a[first] - region.begin) >> region.granule; g <= last; ++g)
        if (region.accesses[g].reader == (order.now | thread)) region.accesses[g].reader = order.now | kMany;
    }
    return;
  }
  each_lane(w.mask, [&](int k) {
    if (const u64 stamp = look_for_race(w, order, region, a[k], bytes, base_thread + static_cast<u64>(k), use))
      race(w, i, k, shown_address(region, space, a[k]), bytes, space, use, stamp);
  });
}

}  // namespace

void reach(Warp& w, const Instr& i, const Operand& operand, u32 bytes, Space space, Use use, Reach& r) {
  BlockState& b = *w.block;
  const int first = __builtin_ctz(w.mask);
  u64 a[kLanes];
  const u64 add = static_cast<u64>(i.imm);
  if (operand.bytes == 8) {
    const u64* from = lanes<u64>(w, operand);
    for (int k = 0; k < kLanes; ++k) a[k] = from[k] + add;
  } else {
    const u32* from = lanes<u32>(w, operand);
    for (int k = 0; k < kLanes; ++k) a[k] = from[k] + add;
  }
  if (space == Space::local) {
    each_lane(w.mask, [&](int k) { r.at[k] = reach_one(w, i, k, a[k], bytes, space, use); });
    return;
  }
  if (w.mask != kAllLanes)
    for (int k = 0; k < kLanes; ++k) a[k] = w.mask >> k & 1 ? a[k] : a[first];

  const bool host_address = space == Space::generic;
  if (space == Space::generic) space = meant(b, a[first]);
  if (space == Space::local || space == Space::constant || space == Space::parameter) {  // rare, or cheap
    const u64 begin = space == Space::local ? 0 : a[first];
    bool same = begin != 0;
    for (int k = 0; k < kLanes; ++k) same = same && a[k] == begin;
    r.uniform = same;
    if (same)
      r.at[first] = reach_one(w, i, first, a[first], bytes, space, use);
    else
      each_lane(w.mask, [&](int k) { r.at[k] = reach_one(w, i, k, a[k], bytes, Space::generic, use); });
    return;
  }

  Region region;
  if (space == Space::shared) {
    region = shared_region(b);
    if (!host_address)
      for (u64& v : a) v += region.begin;
  } else if (b.checks.bounds) {
    Block& hint = b.hints[i.index];
    if (inside(a[first], bytes, hint.begin, hint.bytes) || b.memory->find(a[first], hint)) region = region_of(b, hint);
  }

  u64 gap = 0, differ = 0, low = 0;
  for (int k = 0; k < kLanes; ++k) {
    gap |= a[k] - (a[0] + static_cast<u64>(k) * bytes);
    differ |= a[k] ^ a[0];
    low |= a[k];
  }
  r.contiguous = gap == 0 && w.mask == kAllLanes;
  r.uniform = differ == 0;
  for (int k = 0; k < kLanes; ++k) r.at[k] = reinterpret_cast<u8*>(a[k]);
  if (space == Space::global && !b.checks.bounds) return;

  s64 least = static_cast<s64>(a[0]), most = least;
  if (r.contiguous) {
    most = static_cast<s64>(a[kLanes - 1]);
  } else if (!r.uniform) {
    for (int k = 1; k < kLanes; ++k) {
      const s64 v = static_cast<s64>(a[k]);
      least = v < least ? v : least;
      most = v > most ? v : most;
    }
  }
  const bool together = (low & (bytes - 1)) == 0 && region.bytes >= bytes && static_cast<u64>(least) >= region.begin &&
                        static_cast<u64>(most) - region.begin <= region.bytes - bytes;
  if (together) return check_together(w, i, region, a, bytes, space, use, r);
  const u64 offset = space == Space::shared && !host_address ? region.begin : 0;
  if (host_address) space = Space::generic;
  each_lane(w.mask, [&](int k) { r.at[k] = reach_one(w, i, k, a[k] - offset, bytes, space, use); });
}

}  // namespace portico::standin::ptx::PTX_LANES
