// The PTX machine's outside: parse a module, find a kernel, run it under checks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/standin/memory.hpp"

namespace portico::standin::ptx {

/// What the machine cannot read or does not know, with the line of the PTX and its text.
struct ParseError : std::runtime_error {
  ParseError(int line, const std::string& message);
  int line;
};

/// What a kernel did wrong. what() says all of it in one text.
struct Fault : std::runtime_error {
  enum class Kind { outside, released, misaligned, unset, race, barrier, trap, launch };
  struct Place {
    std::string kernel;
    int line = 0;         ///< of the PTX; 0 when the launch itself is wrong
    std::string text;     ///< the instruction there
    int source_line = 0;  ///< of the kernel's source, where the PTX was made with line information
    std::string source_file;
    std::array<unsigned, 3> block{}, thread{};
  };
  Fault(Kind kind, const Place& place, std::uintptr_t address, const std::string& message);

  Kind kind;
  Place place;
  std::uintptr_t address;  ///< generic for global memory, an offset for shared and local memory; 0 for none
};

/// In one word: "outside", "race", ...
const char* name_of(Fault::Kind kind);

/// As cuLaunchKernel takes them: arguments[i] points at the value of parameter i.
struct Launch {
  unsigned grid[3] = {1, 1, 1};
  unsigned block[3] = {1, 1, 1};
  std::size_t dynamic_shared = 0;
  void* const* arguments = nullptr;
};

struct Checks {
  bool bounds = true;    ///< without it an access outside of allocations is the host process's crash
  bool unset = true;     ///< reads of never-written global, shared and local memory
  bool races = true;     ///< two threads, one word, no barrier between, one of them writes, not both atomic
  bool barriers = true;  ///< every thread of a block reaches the same barrier
  std::uint64_t max_instructions = 0;  ///< of a warp; more is a fault ("does not end"); 0: no limit
};

/// What a run did, for measurements.
struct Counts {
  std::uint64_t lane_instructions = 0;
  std::uint64_t warp_instructions = 0;
};

struct Program;  // the compact form
struct ModuleData;

/// A kernel of a module; valid as long as the module.
class Function {
 public:
  explicit Function(const Program& program) : program_(&program) {}
  const std::string& name() const;
  std::size_t parameter_count() const;
  std::size_t parameter_bytes(std::size_t index) const;
  std::size_t parameter_offset(std::size_t index) const;
  std::size_t static_shared() const;
  std::size_t local_bytes() const;  ///< of a thread
  unsigned max_threads() const;     ///< .maxntid or .reqntid; 1024 without them
  const Program& program() const { return *program_; }

 private:
  const Program* program_;
};

class Module {
 public:
  /// Throws ParseError, which names the line and the instruction that the machine does not know.
  static std::shared_ptr<Module> parse(std::string_view ptx);
  ~Module();

  /// Null when the module has no kernel of that name.
  const Function* find(std::string_view name) const;
  std::vector<const Function*> functions() const;

  /// Where the variable lies in `memory` and how long it is: .global variables are placed there, initialised, at the
  /// first call of this or of run(). 0 for an unknown name. .const variables are the module's own.
  std::uintptr_t global(std::string_view name, Memory& memory, std::size_t& bytes) const;

  /// Gives the module's variables in `memory` back. Call it before the memory ends.
  void unload(Memory& memory) const;

  const ModuleData& data() const { return *data_; }

 private:
  explicit Module(std::unique_ptr<ModuleData> data);
  std::unique_ptr<ModuleData> data_;
};

/// Runs one launch to its end on the calling thread. Throws Fault; what was written until then stays written.
Counts run(const Module& module, const Function& function, const Launch& launch, Memory& memory,
           const Checks& checks = {});

}  // namespace portico::standin::ptx
