// What the lanes of a warp do together: shuffles, votes, matches, reductions, fences; and what does nothing here.
#include <cstdio>
#include <string>
#include <type_traits>

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

// Every living lane that the mask names must be here: hardware would wait for it, in vain if it never comes.
u32 members(Warp& w, const Instr& i, const Operand& mask) {
  const u32 named = lanes<u32>(w, mask)[__builtin_ctz(w.mask)];
  if (w.block->checks.barriers) {
    if (const u32 away = named & w.alive & ~w.mask; away != 0)
      fail(w, i, __builtin_ctz(away), Fault::Kind::barrier, 0,
           "a lane named in the mask of the warp's operation does not reach it");
    if (const u32 unnamed = w.mask & ~named; unnamed != 0)
      fail(w, i, __builtin_ctz(unnamed), Fault::Kind::barrier, 0,
           "a lane executes the warp's operation but is not named in its mask");
  }
  return named;
}

enum ShuffleMode : u16 { kUp, kDown, kBfly, kIdx };

void shfl(Warp& w, const Instr& i) {
  members(w, i, i.op[5]);
  const u32 *a = lanes<u32>(w, i.op[2]), *b = lanes<u32>(w, i.op[3]), *c = lanes<u32>(w, i.op[4]);
  u32 r[kLanes], in_range = 0;
  for (u32 k = 0; k < kLanes; ++k) {
    const u32 by = b[k] & 31, clamp = c[k] & 31, segment = c[k] >> 8 & 31;
    const u32 high = (k & segment) | (clamp & ~segment), low = k & segment;
    s32 from = 0;
    bool good = false;
    switch (i.flags) {
      case kUp:
        from = static_cast<s32>(k) - static_cast<s32>(by);
        good = from >= static_cast<s32>(high);
        break;
      case kDown:
        from = static_cast<s32>(k + by);
        good = from <= static_cast<s32>(high);
        break;
      case kBfly:
        from = static_cast<s32>(k ^ by);
        good = from <= static_cast<s32>(high);
        break;
      default:
        from = static_cast<s32>(low | (by & ~segment));
        good = from <= static_cast<s32>(high);
        break;
    }
    r[k] = a[good ? from : static_cast<s32>(k)];
    in_range |= static_cast<u32>(good) << k;
  }
  each<u32>(w, i.op[0], [&](int k) { return r[k]; });
  set_bits(w, i.op[1], in_range);
}

enum VoteMode : u16 { kAll, kAny, kUni, kBallot };

void vote(Warp& w, const Instr& i) {
  const u32 named = members(w, i, i.op[2]) & w.mask;
  const u32 yes = bits(w, i.op[1]) & named;
  switch (i.flags) {
    case kAll:
      return set_bits(w, i.op[0], yes == named ? kAllLanes : 0);
    case kAny:
      return set_bits(w, i.op[0], yes != 0 ? kAllLanes : 0);
    case kUni:
      return set_bits(w, i.op[0], yes == 0 || yes == named ? kAllLanes : 0);
    default:
      each<u32>(w, i.op[0], [=](int) { return yes; });
  }
}

template <typename T, bool kEveryone>
void match(Warp& w, const Instr& i) {
  const u32 named = members(w, i, i.op[3]) & w.mask;
  const T* a = lanes<T>(w, i.op[2]);
  u32 r[kLanes] = {};
  for (int k = 0; k < kLanes; ++k)
    each_lane(named, [&](int other) { r[k] |= static_cast<u32>(a[k] == a[other]) << other; });
  if (kEveryone) {
    const bool all = r[__builtin_ctz(w.mask)] == named;
    set_bits(w, i.op[1], all ? kAllLanes : 0);
    each<u32>(w, i.op[0], [=](int) { return all ? named : 0; });
  } else {
    each<u32>(w, i.op[0], [&](int k) { return r[k]; });
  }
}

void activemask(Warp& w, const Instr& i) {
  const u32 now = w.mask;
  each<u32>(w, i.op[0], [=](int) { return now; });
}

enum Redux : u16 { kAdd, kMin, kMax, kAnd, kOr, kXor };

template <typename T>
void redux(Warp& w, const Instr& i) {
  const u32 named = members(w, i, i.op[2]) & w.mask;
  const T* a = lanes<T>(w, i.op[1]);
  T total = a[__builtin_ctz(named)];
  each_lane(named & (named - 1), [&](int k) {
    switch (i.flags) {
      case kAdd:
        total = static_cast<T>(static_cast<u32>(total) + static_cast<u32>(a[k]));
        break;
      case kMin:
        total = a[k] < total ? a[k] : total;
        break;
      case kMax:
        total = a[k] > total ? a[k] : total;
        break;
      case kAnd:
        total &= a[k];
        break;
      case kOr:
        total |= a[k];
        break;
      default:
        total ^= a[k];
        break;
    }
  });
  each<T>(w, i.op[0], [=](int) { return total; });
}

void together(Warp& w, const Instr& i) {
  members(w, i, i.op[0]);
  w.serial = w.together = w.block->memory->next_serial();
}

void elect(Warp& w, const Instr& i) {
  const u32 leader = static_cast<u32>(__builtin_ctz(members(w, i, i.op[2]) & w.mask));
  each<u32>(w, i.op[0], [=](int) { return leader; });
  set_bits(w, i.op[1], 1u << leader);
}

void fence(Warp& w, const Instr&) {
  if (!w.block->published.empty()) w.block->published.back().second = w.serial;
}

void nothing(Warp&, const Instr&) {}

void trap(Warp& w, const Instr& i) {
  fail(w, i, __builtin_ctz(w.mask), Fault::Kind::trap, 0, "the kernel stops itself by trap");
}

bool decode_fence(Decoder& d) {
  d.out.run = d.is("membar") || d.is("fence") ? fence : nothing;
  return true;
}

}  // namespace

bool decode_warp(Decoder& d) {
  if (d.is("shfl")) {
    if (!d.has("sync")) return false;
    d.out.flags = d.has("up") ? kUp : d.has("down") ? kDown : d.has("bfly") ? kBfly : kIdx;
    d.out.run = shfl;
    d.dst_pair(0);
    for (std::size_t p = 1; p <= 4; ++p) d.src(p, Type::b32);
    return true;
  }
  if (d.is("vote")) {
    if (!d.has("sync")) return false;
    d.out.flags = d.has("all") ? kAll : d.has("any") ? kAny : d.has("uni") ? kUni : kBallot;
    d.out.run = vote;
    d.dst(0);
    d.src(1, Type::pred);
    d.src(2, Type::b32);
    return true;
  }
  if (d.is("match")) {
    const bool wide = d.type() == Type::b64, everyone = d.has("all");
    d.out.run = everyone ? wide ? match<u64, true> : match<u32, true> : wide ? match<u64, false> : match<u32, false>;
    d.dst_pair(0);
    d.src(1, d.type());
    d.src(2, Type::b32);
    return true;
  }
  if (d.is("redux")) {
    static const char* const kNames[] = {"add", "min", "max", "and", "or", "xor"};
    for (u16 o = 0; o < 6; ++o)
      if (d.has(kNames[o])) d.out.flags = o;
    const Type type = d.type();
    if (type != Type::s32 && type != Type::u32 && type != Type::b32) return false;
    d.out.run = type == Type::s32 ? redux<s32> : redux<u32>;
    d.dst(0);
    d.src(1, type);
    d.src(2, Type::b32);
    return true;
  }
  if (d.is("activemask")) {
    d.out.run = activemask;
    d.dst(0);
    return true;
  }
  if (d.is("elect")) {
    d.out.run = elect;
    d.dst_pair(0);
    d.src(1, Type::b32);
    return true;
  }
  if ((d.is("bar") || d.is("barrier")) && d.has("warp")) {
    d.out.run = together;
    d.src(0, Type::b32);
    return true;
  }
  if (d.is("trap") || d.is("brkpt")) {
    d.out.run = trap;
    return true;
  }
  for (const char* name : {"membar", "fence", "nanosleep", "prefetch", "prefetchu", "discard", "applypriority",
                           "griddepcontrol", "setmaxnreg", "pmevent"})
    if (d.is(name)) return decode_fence(d);
  return false;
}

}  // namespace portico::standin::ptx::PTX_LANES
