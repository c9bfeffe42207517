// cp.async and its groups, ldmatrix, stmatrix.
//
// An asynchronous copy is done when it is waited for, not before: a kernel that forgets to wait reads memory that
// nothing has written yet, and is caught.
#include "access.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

u64 address_in(const Warp& w, const Operand& o, int lane) {
  return o.bytes == 8 ? lanes<u64>(w, o)[lane] : lanes<u32>(w, o)[lane];
}

// Operands: target, source, bytes of the source (or none).
void copy_async(Warp& w, const Instr& i) {
  BlockState& b = *w.block;
  const u32 bytes = static_cast<u32>(i.flags);
  each_lane(w.mask, [&](int k) {
    const u64 to = address_in(w, i.op[0], k) + static_cast<u64>(i.imm >> 32);
    const u64 from = address_in(w, i.op[1], k) + static_cast<u64>(static_cast<s32>(i.imm));
    u32 wanted = i.op[2].base == Operand::none ? bytes : lanes<u32>(w, i.op[2])[k];
    wanted = wanted < bytes ? wanted : bytes;
    const u8* target = reach_one(w, i, k, to, bytes, Space::shared, Use::write);
    std::memset(b.shared_written + (target - b.shared), 0, bytes);
    w.copies.push_back({i.index, static_cast<u32>(k), wanted, bytes - wanted, to, from});
  });
}

void commit(Warp& w, const Instr&) {
  std::size_t grouped = 0;
  for (const std::size_t n : w.groups) grouped += n;
  w.groups.push_back(w.copies.size() - grouped);
}

// Does all but the last `left` groups; of copies in no group only those that wait_all names.
void finish(Warp& w, std::size_t left, bool all) {
  std::size_t count = all ? w.copies.size() : 0;
  if (!all)
    for (std::size_t g = 0; g + left < w.groups.size(); ++g) count += w.groups[g];
  for (std::size_t c = 0; c < count; ++c) {
    const PendingCopy& copy = w.copies[c];
    const Instr& instr = w.block->program->code[copy.instr];
    const int lane = static_cast<int>(copy.lane);
    u8* to = reach_one(w, instr, lane, copy.to, copy.bytes + copy.fill, Space::shared, Use::write);
    // A source shorter than its copy need not be aligned to a power of two.
    for (u32 done = 0; done < copy.bytes;) {
      const u32 rest = copy.bytes - done, part = rest >= 16 ? 16 : rest >= 8 ? 8 : rest >= 4 ? 4 : 1;
      std::memcpy(to + done, reach_one(w, instr, lane, copy.from + done, part, Space::global, Use::read), part);
      done += part;
    }
    std::memset(to + copy.bytes, 0, copy.fill);
  }
  w.copies.erase(w.copies.begin(), w.copies.begin() + static_cast<std::ptrdiff_t>(count));
  if (all)
    w.groups.clear();
  else if (w.groups.size() > left)
    w.groups.erase(w.groups.begin(), w.groups.end() - static_cast<std::ptrdiff_t>(left));
}

void wait_group(Warp& w, const Instr& i) { finish(w, static_cast<std::size_t>(i.imm), false); }
void wait_all(Warp& w, const Instr&) { finish(w, 0, true); }

template <int kMatrices>
void load_matrix(Warp& w, const Instr& i) {
  const bool transposed = i.flags & 1;
  u8* row[kMatrices * 8];
  if (w.mask != kAllLanes)
    fail(w, i, __builtin_ctz(w.mask), Fault::Kind::barrier, 0, "not all lanes of the warp reach ldmatrix");
  for (int k = 0; k < kMatrices * 8; ++k)
    row[k] =
        reach_one(w, i, k, address_in(w, i.op[kMatrices], k) + static_cast<u64>(i.imm), 16, Space::shared, Use::read);
  for (int m = 0; m < kMatrices; ++m)
    each<u32>(w, i.op[m], [&](int k) {
      u16 e[2];
      for (int j = 0; j < 2; ++j) {
        const int r = transposed ? 2 * (k % 4) + j : k / 4, c = transposed ? k / 4 : 2 * (k % 4) + j;
        std::memcpy(&e[j], row[8 * m + r] + 2 * c, 2);
      }
      return static_cast<u32>(e[1]) << 16 | e[0];
    });
}

template <int kMatrices>
void store_matrix(Warp& w, const Instr& i) {
  const bool transposed = i.flags & 1;
  if (w.mask != kAllLanes)
    fail(w, i, __builtin_ctz(w.mask), Fault::Kind::barrier, 0, "not all lanes of the warp reach stmatrix");
  for (int k = 0; k < kMatrices * 8; ++k) {
    u8* row = reach_one(w, i, k, address_in(w, i.op[0], k) + static_cast<u64>(i.imm), 16, Space::shared, Use::write);
    for (int c = 0; c < 8; ++c) {
      const int r = k % 8;
      const int lane = transposed ? 4 * c + r / 2 : 4 * r + c / 2, half = transposed ? r % 2 : c % 2;
      const u16 e = static_cast<u16>(lanes<u32>(w, i.op[1 + k / 8])[lane] >> (16 * half));
      std::memcpy(row + 2 * c, &e, 2);
    }
  }
}

bool decode_async(Decoder& d) {
  if (!d.has("async") || d.has("bulk") || d.has("mbarrier")) return false;
  if (d.has("commit_group")) {
    d.out.run = commit;
    return true;
  }
  if (d.has("wait_all")) {
    d.out.run = wait_all;
    return true;
  }
  if (d.has("wait_group")) {
    d.out.run = wait_group;
    return d.constant(0, d.out.imm);
  }
  s64 bytes = 0;
  if (!d.constant(2, bytes) || (bytes != 4 && bytes != 8 && bytes != 16)) return false;
  d.out.run = copy_async;
  d.out.flags = static_cast<u16>(bytes);
  d.address(0);
  const s64 to = d.out.imm;
  d.out.imm = 0;
  d.address(1);
  if (to != static_cast<s32>(to) || d.out.imm != static_cast<s32>(d.out.imm)) d.refuse("an offset beyond 32 bits");
  d.out.imm = static_cast<s64>(static_cast<u64>(to) << 32 | static_cast<u32>(d.out.imm));
  if (d.args() > 3 && !d.has("L2::cache_hint"))
    d.src(3, Type::u32);
  else {
    Arg none;
    d.dst(none);
  }
  d.narrow_access(Space::shared, 4);
  return true;
}

}  // namespace

bool decode_copy(Decoder& d) {
  if (d.is("cp")) return decode_async(d);
  const bool is_load = d.is("ldmatrix");
  if (!is_load && !d.is("stmatrix")) return false;
  if (!d.has("m8n8") || d.type() != Type::b16) return false;
  d.out.flags = d.has("trans") ? 1 : 0;
  const std::size_t count = d.items(is_load ? 0 : 1);
  if (!is_load) d.address(0);
  for (std::size_t m = 0; m < count; ++m) {
    if (is_load)
      d.dst(d.item(0, m));
    else
      d.src(d.item(1, m), Type::b32);
  }
  if (is_load) d.address(1);
  d.out.run = is_load      ? count == 1   ? load_matrix<1>
                             : count == 2 ? load_matrix<2>
                             : count == 4 ? load_matrix<4>
                                          : nullptr
              : count == 1 ? store_matrix<1>
              : count == 2 ? store_matrix<2>
              : count == 4 ? store_matrix<4>
                           : nullptr;
  d.narrow_access(Space::shared, 4);
  return d.out.run != nullptr;
}

}  // namespace portico::standin::ptx::PTX_LANES
