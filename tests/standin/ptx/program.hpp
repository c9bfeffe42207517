// The compact form of a kernel, and the state of a warp that runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/standin/ptx/module.hpp"
#include "tests/standin/ptx/text.hpp"

namespace portico::standin::ptx {

constexpr int kLanes = 32;
constexpr std::uint32_t kAllLanes = 0xffffffffu;
constexpr std::uint32_t kNowhere = 0xffffffffu;

struct Warp;
struct Instr;
using Handler = void (*)(Warp&, const Instr&);

/// Where an operand's 32 values lie: an array of lanes at base + offset. A predicate is one word, a bit a lane.
struct Operand {
  enum Base : std::uint8_t { registers, constants, specials, none };
  std::uint32_t offset = 0;  // while a kernel is built: the number of a virtual register
  Base base = none;
  std::uint8_t bytes = 0;  // of a lane: 2, 4, 8; 1 for a predicate
  bool negated = false;
  bool written = false;
};

struct Instr {
  enum class Kind : std::uint8_t { plain, branch, table, exit, barrier };
  Handler run = nullptr;
  const Operand* op = nullptr;
  std::int64_t imm = 0;            // an address offset, a shift, whatever the handler likes
  std::uint32_t guard = kNowhere;  // offset of a predicate in the registers
  std::uint32_t target = 0;        // of a branch
  std::uint32_t rejoin = 0;        // where lanes that part here meet again
  std::uint32_t index = 0;         // its own place, for messages and hints
  std::uint16_t flags = 0;         // modifiers as the handler's family numbers them
  std::uint8_t count = 0;          // of operands
  Kind kind = Kind::plain;
  bool guard_negated = false;
  bool uniform = false;  // a branch that all lanes take alike (.uni)
};

struct Origin {
  int line = 0, source_line = 0;
  std::string_view source_file, text;
};

/// Special registers that programs read, in the order in which they lie in a warp's specials.
enum class Special : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  warp_size,
  dynamic_smem_size,
  total_smem_size,
  clock,
  zero,
  count
};

struct Parameter {
  std::size_t bytes = 0, offset = 0;
};

/// A constant that is an address: known at the launch only.
struct Patch {
  enum class What : std::uint8_t { variable, parameters };
  What what;
  std::uint32_t constant;  // offset into the constants
  std::string_view name;
  std::int64_t add;
};

struct Program {
  std::string name;
  std::vector<Parameter> parameters;
  std::size_t parameter_bytes = 0;
  std::size_t static_shared = 0;
  std::size_t local_bytes = 0;
  unsigned max_threads = 1024;
  bool dynamic_shared = false;

  std::vector<Instr> code;
  std::vector<Origin> origins;
  std::vector<Operand> operands;
  std::vector<std::vector<std::uint32_t>> tables;  // of brx.idx
  std::vector<std::uint8_t> constants;             // lanes of each
  std::vector<Patch> patches;
  std::uint32_t register_bytes = 0;
  std::uint32_t specials_used = 0;                  // a bit a Special
  unsigned global_granule = 2, shared_granule = 2;  // log2 of the narrowest access: how finely races are looked for
};

struct ModuleData {
  Text text;
  std::vector<std::unique_ptr<Program>> programs;
  std::vector<std::unique_ptr<Function>> functions;
  std::map<std::string_view, const Variable*> variables;      // .global and .const at module level
  std::map<std::string_view, std::uintptr_t> constant_place;  // host addresses in `constant`
  std::vector<std::uint8_t> constant;
  mutable std::mutex mutex;
  mutable std::map<Memory*, std::map<std::string_view, std::uintptr_t>> placed;
};

/// A run of lanes that go together, and where they wait for the others.
struct Path {
  std::uint32_t pc, rejoin, mask;
};

struct PendingCopy {  // of cp.async
  std::uint32_t instr;
  std::uint32_t lane, bytes, fill;
  std::uint64_t to, from;
};

struct BlockState;

struct Warp {
  std::uint8_t* base[3] = {};  // by Operand::Base
  std::uint32_t mask = 0;      // lanes that execute the present instruction
  std::uint32_t alive = 0;
  std::uint32_t carry = 0;  // the condition code of add.cc
  std::uint32_t pc = 0, active = 0, rejoin = kNowhere;
  std::uint32_t number = 0;
  int barrier = -1;  // the one it waits at
  std::uint32_t barrier_instr = 0;
  std::uint64_t barrier_count = 0;
  std::uint64_t serial = 0;    // stamps its accesses
  std::uint64_t together = 0;  // accesses of its own lanes before this serial are ordered (bar.warp.sync)
  std::uint64_t executed = 0;
  std::vector<Path> paths;
  std::vector<PendingCopy> copies;
  std::vector<std::size_t> groups;  // of copies: how many each commit closed
  BlockState* block = nullptr;
};

/// Everything a handler may need besides its warp.
struct BlockState {
  const Program* program = nullptr;
  const ModuleData* module = nullptr;
  Memory* memory = nullptr;
  Checks checks;
  const Launch* launch = nullptr;
  unsigned index[3] = {};
  unsigned threads = 0;

  std::uint8_t* shared = nullptr;
  std::size_t shared_bytes = 0;
  std::uint8_t* shared_written = nullptr;
  Access* shared_accesses = nullptr;
  std::uint8_t* local = nullptr;  // of thread t at t * local_bytes
  std::uint8_t* local_written = nullptr;
  const std::uint8_t* parameters = nullptr;
  std::vector<Block> hints;  // the block that an instruction met last
  std::vector<Warp> warps;

  // The order of things, for races: serials at which the launch, this block, this stretch between barriers began.
  std::uint64_t launch_first = 0, block_first = 0, stretch_first = 0;
  std::uint64_t atomic_serial = 0;                                 // of this block's last atomic
  std::vector<std::pair<std::uint64_t, std::uint64_t>> published;  // of each block: its first serial, its last fence's
  Counts counts;
};

/// The handlers exist twice: for any processor, and for those with 256-bit vectors.
struct Decoder;
struct Variant {
  const char* name;
  bool (*decode)(Decoder&);                       // false: no such instruction
  bool (*run_warp)(Warp&, std::uint64_t budget);  // false: the budget is used up
};
const Variant& chosen_variant();
/// For tests: "baseline", "wide", or "" for what fits the processor. False when the processor lacks it.
bool choose_variant(std::string_view name);

/// Makes programs of all kernels. Throws ParseError.
void build(ModuleData& module);

/// Blocks, where paths meet again, and registers' places. Called once a program is decoded.
void lay_out(Program& program, const std::vector<std::uint8_t>& register_widths);

[[noreturn]] void fail(const Warp& warp, const Instr& instr, int lane, Fault::Kind kind, std::uintptr_t address,
                       const std::string& message);

}  // namespace portico::standin::ptx
