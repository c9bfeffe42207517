// Where parted lanes meet again (immediate post-dominators), and which registers may share a place (linear scan).
#include <algorithm>
#include <map>

#include "program.hpp"

namespace portico::standin::ptx {
namespace {

struct BasicBlock {
  std::uint32_t first = 0, last = 0;  // instructions, last included
  std::vector<std::uint32_t> next, before;
};

bool ends_block(const Instr& instr) {
  return instr.kind == Instr::Kind::branch || instr.kind == Instr::Kind::table || instr.kind == Instr::Kind::exit;
}

std::vector<BasicBlock> blocks_of(const Program& program) {
  const auto size = static_cast<std::uint32_t>(program.code.size());
  std::vector<bool> leads(size + 1, false);
  leads[0] = true;
  for (std::uint32_t i = 0; i < size; ++i) {
    const Instr& instr = program.code[i];
    if (instr.kind == Instr::Kind::branch) leads[instr.target] = true;
    if (instr.kind == Instr::Kind::table)
      for (const std::uint32_t target : program.tables[static_cast<std::size_t>(instr.imm)]) leads[target] = true;
    if (ends_block(instr)) leads[i + 1] = true;
  }
  std::vector<BasicBlock> blocks;
  std::vector<std::uint32_t> block_at(size + 1, 0);
  for (std::uint32_t i = 0; i < size; ++i) {
    if (leads[i]) blocks.push_back({i, i, {}, {}});
    blocks.back().last = i;
    block_at[i] = static_cast<std::uint32_t>(blocks.size() - 1);
  }
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    const Instr& last = program.code[blocks[b].last];
    std::vector<std::uint32_t>& next = blocks[b].next;
    if (last.kind == Instr::Kind::branch) next.push_back(block_at[last.target]);
    if (last.kind == Instr::Kind::table)
      for (const std::uint32_t target : program.tables[static_cast<std::size_t>(last.imm)])
        next.push_back(block_at[target]);
    const bool always = ends_block(last) && last.guard == kNowhere;
    if (!always && b + 1 < blocks.size()) next.push_back(b + 1);
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    for (const std::uint32_t n : next) blocks[n].before.push_back(b);
  }
  return blocks;
}

// Cooper, Harvey and Kennedy's dominance algorithm on the graph turned round; the last index is the end of the kernel.
std::vector<std::uint32_t> post_dominators(const Program& program, const std::vector<BasicBlock>& blocks) {
  const auto end = static_cast<std::uint32_t>(blocks.size());
  const auto leaves = [&](std::uint32_t b) { return program.code[blocks[b].last].kind == Instr::Kind::exit; };
  std::vector<std::uint32_t> order, rank(end + 1, kNowhere), dominator(end + 1, kNowhere);
  std::vector<bool> seen(end + 1, false);
  // Postorder of the turned graph from the end, without recursion: generated code has long chains of blocks.
  std::vector<std::pair<std::uint32_t, std::size_t>> stack;
  const auto before = [&](std::uint32_t b, std::size_t i) -> std::uint32_t {
    if (b != end) return i < blocks[b].before.size() ? blocks[b].before[i] : kNowhere;
    for (std::uint32_t k = 0; k < end; ++k)
      if (leaves(k) && i-- == 0) return k;
    return kNowhere;
  };
  seen[end] = true;
  stack.push_back({end, 0});
  while (!stack.empty()) {
    auto& [b, i] = stack.back();
    const std::uint32_t next = before(b, i++);
    if (next == kNowhere) {
      rank[b] = static_cast<std::uint32_t>(order.size());
      order.push_back(b);
      stack.pop_back();
    } else if (!seen[next]) {
      seen[next] = true;
      stack.push_back({next, 0});
    }
  }
  dominator[end] = end;
  for (bool changed = true; changed;) {
    changed = false;
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (*it == end) continue;
      std::uint32_t found = kNowhere;
      const auto meet = [&](std::uint32_t other) {
        if (dominator[other] == kNowhere) return;
        if (found == kNowhere) {
          found = other;
          return;
        }
        while (found != other) {
          while (rank[found] < rank[other]) found = dominator[found];
          while (rank[other] < rank[found]) other = dominator[other];
        }
      };
      for (const std::uint32_t next : blocks[*it].next) meet(next);
      if (leaves(*it)) meet(end);
      if (found != dominator[*it]) {
        dominator[*it] = found;
        changed = true;
      }
    }
  }
  return dominator;
}

using Bits = std::vector<std::uint64_t>;
bool test(const Bits& bits, std::uint32_t i) { return bits[i / 64] >> (i % 64) & 1; }
void set(Bits& bits, std::uint32_t i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }

template <typename Visit>
void each_operand(const Program& program, const Instr& instr, Visit visit) {
  if (instr.guard != kNowhere) visit(instr.guard, false);
  for (int k = 0; k < instr.count; ++k)
    if (instr.op[k].base == Operand::registers) visit(instr.op[k].offset, instr.op[k].written);
  (void)program;
}

// From where to where each register is needed, as instruction numbers.
struct Range {
  std::uint32_t from = kNowhere, to = 0;
  void extend(std::uint32_t at) {
    from = std::min(from, at);
    to = std::max(to, at);
  }
};

std::vector<Range> live_ranges(const Program& program, const std::vector<BasicBlock>& blocks, std::size_t registers) {
  const std::size_t words = (registers + 63) / 64;
  std::vector<Bits> uses(blocks.size(), Bits(words)), kills(blocks.size(), Bits(words)), in(blocks.size(), Bits(words));
  std::vector<Range> ranges(registers);
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (std::uint32_t i = blocks[b].first; i <= blocks[b].last; ++i) {
      const Instr& instr = program.code[i];
      each_operand(program, instr, [&](std::uint32_t r, bool written) {
        ranges[r].extend(i);
        if (!written && !test(kills[b], r)) set(uses[b], r);
      });
      if (instr.guard == kNowhere)  // a guarded write leaves the other lanes' values
        each_operand(program, instr, [&](std::uint32_t r, bool written) {
          if (written && !test(uses[b], r)) set(kills[b], r);
        });
    }
  std::vector<Bits> out(blocks.size(), Bits(words));
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = blocks.size(); b-- > 0;) {
      for (const std::uint32_t next : blocks[b].next)
        for (std::size_t w = 0; w < words; ++w) out[b][w] |= in[next][w];
      for (std::size_t w = 0; w < words; ++w) {
        const std::uint64_t now = uses[b][w] | (out[b][w] & ~kills[b][w]);
        changed = changed || now != in[b][w];
        in[b][w] = now;
      }
    }
  }
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (std::size_t w = 0; w < words; ++w)
      for (std::uint64_t both = in[b][w] | out[b][w]; both != 0; both &= both - 1) {
        const auto r = static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(__builtin_ctzll(both));
        if (test(in[b], r)) ranges[r].extend(blocks[b].first);
        if (test(out[b], r)) ranges[r].extend(blocks[b].last);
      }
  return ranges;
}

// Bytes of a register of 32 lanes; predicates are a word, but share the smallest size of place.
std::uint32_t place_bytes(std::uint8_t width) { return width <= 2 ? 64 : width * kLanes; }

void place_registers(Program& program, const std::vector<BasicBlock>& blocks, const std::vector<std::uint8_t>& widths) {
  const std::vector<Range> ranges = live_ranges(program, blocks, widths.size());
  std::vector<std::uint32_t> order;
  for (std::uint32_t r = 0; r < widths.size(); ++r)
    if (ranges[r].from != kNowhere) order.push_back(r);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return ranges[a].from < ranges[b].from; });
  std::multimap<std::uint32_t, std::uint32_t> active;  // end of range, register
  std::map<std::uint32_t, std::vector<std::uint32_t>> free_places;
  std::vector<std::uint32_t> place(widths.size(), 0);
  for (const std::uint32_t r : order) {
    // An operand read by the instruction that writes r keeps its place: handlers write before they have read all.
    while (!active.empty() && active.begin()->first < ranges[r].from) {
      const std::uint32_t old = active.begin()->second;
      free_places[place_bytes(widths[old])].push_back(place[old]);
      active.erase(active.begin());
    }
    std::vector<std::uint32_t>& free_now = free_places[place_bytes(widths[r])];
    if (free_now.empty()) {
      place[r] = program.register_bytes;
      program.register_bytes += place_bytes(widths[r]);
    } else {
      place[r] = free_now.back();
      free_now.pop_back();
    }
    active.insert({ranges[r].to, r});
  }
  for (Operand& operand : program.operands)
    if (operand.base == Operand::registers) operand.offset = place[operand.offset];
  for (Instr& instr : program.code)
    if (instr.guard != kNowhere) instr.guard = place[instr.guard];
}

}  // namespace

void lay_out(Program& program, const std::vector<std::uint8_t>& widths) {
  const std::vector<BasicBlock> blocks = blocks_of(program);
  const std::vector<std::uint32_t> meets = post_dominators(program, blocks);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::uint32_t meet = meets[b];
    program.code[blocks[b].last].rejoin = meet < blocks.size() ? blocks[meet].first : kNowhere;
  }
  place_registers(program, blocks, widths);
}

}  // namespace portico::standin::ptx
