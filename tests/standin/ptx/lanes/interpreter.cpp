// The loop: one instruction for all lanes that are there, paths that part and meet again.
#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

// The lanes at hand are done with their path: the next one on the stack goes on. False when no lane is left.
bool next_path(Warp& w) {
  while (!w.paths.empty()) {
    const Path path = w.paths.back();
    w.paths.pop_back();
    if ((path.mask & w.alive) == 0) continue;
    w.pc = path.pc;
    w.rejoin = path.rejoin;
    w.active = path.mask & w.alive;
    return true;
  }
  w.active = 0;
  return false;
}

// The lanes of `mask` go to `target`, the others on to the next instruction; all meet at i.rejoin.
void branch(Warp& w, const Instr& i, u32 mask, u32 target, u32 otherwise) {
  const u32 rest = w.active & ~mask;
  if (mask == 0) {
    w.pc = otherwise;
  } else if (rest == 0) {
    w.pc = target;
  } else {
    // Where this path ends at the same place, the entry below waits there already for all of them.
    if (w.rejoin != i.rejoin) w.paths.push_back({i.rejoin, w.rejoin, w.active});
    const bool target_waits = target == i.rejoin, other_waits = otherwise == i.rejoin;
    w.rejoin = i.rejoin;
    if (target_waits) {
      w.active = rest;
      w.pc = otherwise;
    } else {
      if (!other_waits) w.paths.push_back({otherwise, i.rejoin, rest});
      w.active = mask;
      w.pc = target;
    }
  }
}

// brx.idx: lanes with the same index go together.
void table_branch(Warp& w, const Instr& i) {
  const std::vector<u32>& targets = w.block->program->tables[static_cast<std::size_t>(i.imm)];
  const u32* index = lanes<u32>(w, i.op[0]);
  u32 left = w.mask;
  const u32 stay = w.active & ~w.mask;
  if (w.rejoin != i.rejoin) w.paths.push_back({i.rejoin, w.rejoin, w.active});
  if (stay != 0) w.paths.push_back({w.pc + 1, i.rejoin, stay});
  while (left != 0) {
    const int first = __builtin_ctz(left);
    if (index[first] >= targets.size())
      fail(w, i, first, Fault::Kind::trap, 0,
           "brx.idx: index " + std::to_string(index[first]) + " of " + std::to_string(targets.size()) + " targets");
    u32 same = 0;
    each_lane(left, [&](int k) { same |= static_cast<u32>(index[k] == index[first]) << k; });
    left &= ~same;
    if (targets[index[first]] != i.rejoin) w.paths.push_back({targets[index[first]], i.rejoin, same});
  }
  next_path(w);
}

}  // namespace

bool run_warp(Warp& w, u64 budget) {
  const Program& program = *w.block->program;
  const Instr* const code = program.code.data();
  u64 executed = 0, lane_instructions = 0;
  const auto leave = [&](bool result) {
    w.executed += executed;
    w.block->counts.warp_instructions += executed;
    w.block->counts.lane_instructions += lane_instructions;
    return result;
  };
  while (executed < budget) {
    while (w.pc == w.rejoin)
      if (!next_path(w)) return leave(true);
    const Instr& i = code[w.pc];
    ++executed;
    w.mask = w.active;
    if (i.guard != kNowhere) {
      const u32 p = *reinterpret_cast<const u32*>(w.base[0] + i.guard);
      w.mask &= i.guard_negated ? ~p : p;
    }
    lane_instructions += static_cast<u64>(__builtin_popcount(w.mask));
    switch (i.kind) {
      case Instr::Kind::plain:
        if (w.mask != 0) i.run(w, i);
        ++w.pc;
        break;
      case Instr::Kind::branch:
        branch(w, i, w.mask, i.target, w.pc + 1);
        break;
      case Instr::Kind::table:
        if (w.mask != 0)
          table_branch(w, i);
        else
          ++w.pc;
        break;
      case Instr::Kind::exit:
        w.alive &= ~w.mask;
        w.active &= ~w.mask;
        ++w.pc;
        if (w.active == 0 && !next_path(w)) return leave(true);
        break;
      case Instr::Kind::barrier:
        if (w.mask != 0) {
          w.barrier = static_cast<int>(lanes<u32>(w, i.op[0])[__builtin_ctz(w.mask)] & 15);
          w.barrier_instr = w.pc;
          ++w.pc;
          return leave(true);
        }
        ++w.pc;
        break;
    }
  }
  return leave(false);
}

namespace {

bool decode_any(Decoder& d) {
  static constexpr bool (*kFamilies[])(Decoder&) = {
      decode_move,    decode_memory,  decode_real,        decode_half,   decode_carry, decode_integer, decode_bits,
      decode_compare, decode_convert, decode_approximate, decode_atomic, decode_warp,  decode_copy,    decode_tensor};
  for (const auto family : kFamilies)
    if (family(d)) return true;
  return false;
}

}  // namespace

const Variant& variant() {
#define PTX_TEXT_(x) #x
#define PTX_TEXT(x) PTX_TEXT_(x)
  static const Variant one{PTX_TEXT(PTX_LANES), decode_any, run_warp};
  return one;
}

}  // namespace portico::standin::ptx::PTX_LANES
