// A launch: its memory, its blocks one after the other, its warps from barrier to barrier.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "program.hpp"

namespace portico::standin::ptx {
namespace {

constexpr std::uint64_t kSlice = std::uint64_t{1} << 20;  // a warp that spins for another one lets it go on
constexpr std::size_t kMostShared = 227 * 1024;           // of a block, what the largest devices have

/// Zeroed, aligned for vectors.
class Bytes {
 public:
  explicit Bytes(std::size_t size) : size_(std::max<std::size_t>((size + 255) / 256 * 256, 256)) {
    // calloc leaves large pieces to the system's zero pages; only what a kernel touches costs anything.
    raw_ = static_cast<std::uint8_t*>(std::calloc(size_ + 256, 1));
    if (!raw_) throw std::bad_alloc();
  }
  ~Bytes() { std::free(raw_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  std::uint8_t* data() const {
    return reinterpret_cast<std::uint8_t*>((reinterpret_cast<std::uintptr_t>(raw_) + 255) / 256 * 256);
  }

 private:
  std::size_t size_;
  std::uint8_t* raw_;
};

[[noreturn]] void refuse(const Program& program, const std::string& message) {
  Fault::Place place;
  place.kernel = program.name;
  throw Fault(Fault::Kind::launch, place, 0, message);
}

unsigned check_launch(const Program& program, const Launch& launch) {
  std::uint64_t threads = 1;
  for (int d = 0; d < 3; ++d) {
    if (launch.grid[d] == 0 || launch.block[d] == 0) refuse(program, "a grid or block with an extent of 0");
    threads *= launch.block[d];
  }
  if (launch.grid[1] > 65535 || launch.grid[2] > 65535)
    refuse(program, "a grid of " + std::to_string(launch.grid[1]) + " and " + std::to_string(launch.grid[2]) +
                        " blocks in y and z; at most 65535 are allowed");
  if (threads > std::min(program.max_threads, 1024u))
    refuse(program, std::to_string(threads) + " threads a block; the kernel is compiled for at most " +
                        std::to_string(std::min(program.max_threads, 1024u)));
  if (program.static_shared + launch.dynamic_shared > kMostShared)
    refuse(program, std::to_string(program.static_shared + launch.dynamic_shared) +
                        " bytes of shared memory; a block has at most " + std::to_string(kMostShared));
  if (!program.parameters.empty() && !launch.arguments) refuse(program, "no arguments");
  return static_cast<unsigned>(threads);
}

class Run {
 public:
  Run(const Module& module, const Program& program, const Launch& launch, Memory& memory, const Checks& checks)
      : program_(program),
        threads_(check_launch(program, launch)),
        warps_((threads_ + kLanes - 1) / kLanes),
        shared_bytes_(program.static_shared + launch.dynamic_shared),
        parameters_(program.parameter_bytes),
        constants_(program.constants.size()),
        registers_(static_cast<std::size_t>(program.register_bytes) * warps_),
        specials_(kSpecialBytes * warps_),
        shared_(shared_bytes_),
        shared_written_(shared_bytes_),
        shared_accesses_(checks.races ? (shared_bytes_ >> program.shared_granule) * sizeof(Access) + sizeof(Access)
                                      : 0),
        local_(program.local_bytes * threads_),
        local_written_(program.local_bytes * threads_) {
    block_.program = &program;
    block_.module = &module.data();
    block_.memory = &memory;
    block_.checks = checks;
    block_.launch = &launch;
    block_.threads = threads_;
    block_.shared = shared_.data();
    block_.shared_bytes = shared_bytes_;
    block_.shared_written = shared_written_.data();
    block_.shared_accesses = reinterpret_cast<Access*>(shared_accesses_.data());
    block_.local = local_.data();
    block_.local_written = local_written_.data();
    block_.parameters = parameters_.data();
    block_.hints.resize(program.code.size());
    for (std::size_t p = 0; p < program.parameters.size(); ++p)
      std::memcpy(parameters_.data() + program.parameters[p].offset, launch.arguments[p], program.parameters[p].bytes);
    prepare_constants(module, memory);
    prepare_warps();
  }

  Counts all_blocks() {
    block_.launch_first = block_.memory->next_serial();
    const unsigned* grid = block_.launch->grid;
    for (unsigned z = 0; z < grid[2]; ++z)
      for (unsigned y = 0; y < grid[1]; ++y)
        for (unsigned x = 0; x < grid[0]; ++x) one_block(x, y, z);
    return block_.counts;
  }

 private:
  static constexpr std::size_t kSpecialBytes = static_cast<std::size_t>(Special::count) * 8 * kLanes;

  void prepare_constants(const Module& module, Memory& memory) {
    std::copy(program_.constants.begin(), program_.constants.end(), constants_.data());
    for (const Patch& patch : program_.patches) {
      std::uint64_t value = reinterpret_cast<std::uint64_t>(parameters_.data());
      std::size_t bytes = 0;
      if (patch.what == Patch::What::variable) value = module.global(patch.name, memory, bytes);
      value += static_cast<std::uint64_t>(patch.add);
      for (int k = 0; k < kLanes; ++k) std::memcpy(constants_.data() + patch.constant + 8 * k, &value, 8);
    }
  }

  void special(const Warp& w, Special which, std::uint32_t value, std::uint32_t step = 0) const {
    if (!(program_.specials_used >> static_cast<unsigned>(which) & 1)) return;
    auto* lane =
        reinterpret_cast<std::uint32_t*>(w.base[Operand::specials] + static_cast<std::size_t>(which) * 8 * kLanes);
    for (std::uint32_t k = 0; k < kLanes; ++k) lane[k] = value + k * step;
  }

  // What is the same in every block.
  void prepare_warps() {
    const unsigned *grid = block_.launch->grid, *size = block_.launch->block;
    block_.warps.resize(warps_);
    for (unsigned n = 0; n < warps_; ++n) {
      Warp& w = block_.warps[n];
      w.block = &block_;
      w.number = n;
      w.base[Operand::registers] = registers_.data() + static_cast<std::size_t>(program_.register_bytes) * n;
      w.base[Operand::constants] = constants_.data();
      w.base[Operand::specials] = specials_.data() + kSpecialBytes * n;
      auto* lane = reinterpret_cast<std::uint32_t*>(w.base[Operand::specials]);
      const auto row = [&](Special s, unsigned k) -> std::uint32_t& {
        return lane[static_cast<std::size_t>(s) * 2 * kLanes + k];
      };
      for (unsigned k = 0; k < kLanes; ++k) {
        const unsigned thread = n * kLanes + k;
        row(Special::tid_x, k) = thread % size[0];
        row(Special::tid_y, k) = thread / size[0] % size[1];
        row(Special::tid_z, k) = thread / size[0] / size[1];
        row(Special::lanemask_eq, k) = 1u << k;
        row(Special::lanemask_lt, k) = (1u << k) - 1;
        row(Special::lanemask_le, k) = (1u << k) - 1 + (1u << k);
        row(Special::lanemask_ge, k) = ~((1u << k) - 1);
        row(Special::lanemask_gt, k) = ~((1u << k) - 1 + (1u << k));
      }
      special(w, Special::laneid, 0, 1);
      special(w, Special::warpid, n);
      special(w, Special::nwarpid, warps_);
      special(w, Special::warp_size, kLanes);
      special(w, Special::dynamic_smem_size, static_cast<std::uint32_t>(block_.launch->dynamic_shared));
      special(w, Special::total_smem_size, static_cast<std::uint32_t>(shared_bytes_));
      const Special of_block[] = {Special::ntid_x, Special::ntid_y, Special::ntid_z};
      const Special of_grid[] = {Special::nctaid_x, Special::nctaid_y, Special::nctaid_z};
      for (int d = 0; d < 3; ++d) {
        special(w, of_block[d], size[d]);
        special(w, of_grid[d], grid[d]);
      }
    }
  }

  void start_stretch() {
    const std::uint64_t serial = block_.memory->next_serial();
    block_.stretch_first = serial;
    for (Warp& w : block_.warps) w.serial = w.together = serial;
  }

  void one_block(unsigned x, unsigned y, unsigned z) {
    block_.index[0] = x;
    block_.index[1] = y;
    block_.index[2] = z;
    std::memset(shared_written_.data(), 0, shared_bytes_);
    std::memset(local_written_.data(), 0, program_.local_bytes * threads_);
    start_stretch();
    block_.block_first = block_.stretch_first;
    block_.atomic_serial = 0;
    block_.published.push_back({block_.block_first, 0});
    for (unsigned n = 0; n < warps_; ++n) {
      Warp& w = block_.warps[n];
      const unsigned here = std::min<unsigned>(threads_ - n * kLanes, kLanes);
      w.alive = w.active = here == kLanes ? kAllLanes : (1u << here) - 1;
      w.pc = 0;
      w.rejoin = kNowhere;
      w.barrier = -1;
      w.executed = 0;
      w.carry = 0;
      w.paths.clear();
      w.copies.clear();
      w.groups.clear();
      special(w, Special::ctaid_x, x);
      special(w, Special::ctaid_y, y);
      special(w, Special::ctaid_z, z);
    }
    std::fill(std::begin(arrived_early_), std::end(arrived_early_), 0);
    while (turn()) {
    }
  }

  // Every warp goes on as far as it can. False when all are done.
  bool turn() {
    bool any = false, runs = false;
    for (Warp& w : block_.warps) {
      if (w.alive == 0) continue;
      any = true;
      if (w.barrier >= 0) continue;
      runs = true;
      chosen_variant().run_warp(w, kSlice);
      if (block_.checks.max_instructions != 0 && w.executed > block_.checks.max_instructions && w.alive != 0)
        fail(w, program_.code[std::min<std::size_t>(w.pc, program_.code.size() - 1)], __builtin_ctz(w.alive),
             Fault::Kind::trap, 0,
             "a warp has executed " + std::to_string(w.executed) + " instructions and does not end");
      if (w.alive != 0 && w.barrier >= 0) arrive(w);
    }
    if (any && !runs && !release()) stuck();
    return any;
  }

  const Instr& barrier_of(const Warp& w) const { return program_.code[w.barrier_instr]; }

  std::uint32_t first_lane(const Warp& w, const Operand& operand) const {
    return reinterpret_cast<const std::uint32_t*>(w.base[operand.base] + operand.offset)[__builtin_ctz(w.mask)];
  }

  void arrive(Warp& w) {
    const Instr& i = barrier_of(w);
    if (block_.checks.barriers && w.mask != w.alive)
      fail(w, i, __builtin_ctz(w.alive & ~w.mask), Fault::Kind::barrier, 0,
           "this thread does not reach the barrier that others of its warp wait at");
    w.barrier_count = i.op[1].base == Operand::none ? threads_ : first_lane(w, i.op[1]);
    if (i.flags == 1) {  // bar.arrive goes on at once
      arrived_early_[w.barrier] += kLanes;
      w.barrier = -1;
    }
  }

  // Opens every barrier that is complete. False when none is.
  bool release() {
    bool opened = false;
    for (int number = 0; number < 16; ++number) {
      std::uint64_t arrived = arrived_early_[number], wanted = 0;
      const Warp* first = nullptr;
      for (const Warp& w : block_.warps) {
        if (w.alive == 0 || w.barrier != number) continue;
        if (!first) first = &w;
        const bool whole = w.barrier_count == threads_;
        arrived += whole ? static_cast<unsigned>(__builtin_popcount(w.alive)) : kLanes;
        wanted = w.barrier_count;
        if (whole && w.barrier_instr != first->barrier_instr && block_.checks.barriers)
          fail(w, barrier_of(w), __builtin_ctz(w.alive), Fault::Kind::barrier, 0,
               "threads of one block wait at two barriers: this one and that of PTX line " +
                   std::to_string(program_.origins[first->barrier_instr].line));
      }
      if (!first || (arrived < wanted && block_.checks.barriers)) continue;
      reduce(number);
      for (Warp& w : block_.warps)
        if (w.alive != 0 && w.barrier == number) w.barrier = -1;
      arrived_early_[number] = 0;
      opened = true;
    }
    if (opened) start_stretch();
    return opened;
  }

  // bar.red: one result of all threads' predicates for all.
  void reduce(int number) {
    std::uint64_t count = 0, threads = 0;
    const auto predicate = [&](const Warp& w) {
      const Operand& p = barrier_of(w).op[3];
      const std::uint32_t bits = *reinterpret_cast<const std::uint32_t*>(w.base[p.base] + p.offset);
      return (p.negated ? ~bits : bits) & w.alive;
    };
    for (Warp& w : block_.warps) {
      if (w.alive == 0 || w.barrier != number || barrier_of(w).flags < 2) continue;
      count += static_cast<unsigned>(__builtin_popcount(predicate(w)));
      threads += static_cast<unsigned>(__builtin_popcount(w.alive));
    }
    for (Warp& w : block_.warps) {
      if (w.alive == 0 || w.barrier != number || barrier_of(w).flags < 2) continue;
      const Instr& i = barrier_of(w);
      auto* to = reinterpret_cast<std::uint32_t*>(w.base[i.op[2].base] + i.op[2].offset);
      if (i.flags == 2)
        std::fill(to, to + kLanes, static_cast<std::uint32_t>(count));
      else
        *to = (i.flags == 3 ? count == threads : count > 0) ? kAllLanes : 0;
    }
  }

  // Nobody can go on: some threads wait for others that are gone, or wait elsewhere.
  [[noreturn]] void stuck() {
    std::uint64_t waiting = 0;
    const Warp* first = nullptr;
    for (const Warp& w : block_.warps)
      if (w.alive != 0) {
        if (!first) first = &w;
        if (w.barrier == first->barrier) waiting += static_cast<unsigned>(__builtin_popcount(w.alive));
      }
    fail(*first, barrier_of(*first), __builtin_ctz(first->alive), Fault::Kind::barrier, 0,
         std::to_string(waiting) + " threads wait at this barrier for " + std::to_string(first->barrier_count) +
             "; the others have ended or wait at another one");
  }

  const Program& program_;
  unsigned threads_, warps_;
  std::size_t shared_bytes_;
  Bytes parameters_, constants_, registers_, specials_, shared_, shared_written_, shared_accesses_, local_,
      local_written_;
  std::uint64_t arrived_early_[16] = {};
  BlockState block_;
};

}  // namespace

void fail(const Warp& w, const Instr& instr, int lane, Fault::Kind kind, std::uintptr_t address,
          const std::string& message) {
  const BlockState& block = *w.block;
  const Origin& origin = block.program->origins[instr.index];
  Fault::Place place;
  place.kernel = block.program->name;
  place.line = origin.line;
  place.source_line = origin.source_line;
  place.source_file = std::string(origin.source_file);
  place.text = std::string(origin.text);
  const unsigned thread = w.number * kLanes + static_cast<unsigned>(lane);
  const unsigned* size = block.launch->block;
  place.block = {block.index[0], block.index[1], block.index[2]};
  place.thread = {thread % size[0], thread / size[0] % size[1], thread / size[0] / size[1]};
  throw Fault(kind, place, address, message);
}

Counts run(const Module& module, const Function& function, const Launch& launch, Memory& memory, const Checks& checks) {
  return Run(module, function.program(), launch, memory, checks).all_blocks();
}

}  // namespace portico::standin::ptx
