// Makes the compact program of one kernel: names become registers and addresses, calls become the callee's body.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/standin/ptx/decoder.hpp"
#include "tests/standin/ptx/program.hpp"

namespace portico::standin::ptx {

/// What a name that is no register stands for.
struct Symbol {
  enum class What : std::uint8_t { offset, dynamic_shared, variable, parameter };
  What what = What::offset;
  Space space = Space::local;
  std::uint64_t offset = 0;  // in shared or local memory, or in the kernel's parameters
  std::string_view name;     // of a module's variable
};

class Builder {
 public:
  Builder(ModuleData& module, const Routine& kernel, Program& program);
  void build();

  // For the Decoder.
  Operand register_of(std::string_view name, int line);
  Operand constant(std::uint64_t bits, std::size_t bytes);
  Operand value_of(const Arg& arg, Type type, int line);
  std::optional<Symbol> symbol(std::string_view name) const;
  Operand address_of(const Symbol& symbol, std::int64_t add);
  bool inlined() const { return frames_.size() > 1; }
  void bind(const Operand& operand) { operands_.push_back(operand); }
  std::vector<Operand>& bound() { return operands_; }
  std::uint32_t table_named(std::string_view name, int line);
  Program& program() { return program_; }

 private:
  struct Scope {
    std::map<std::string_view, std::uint32_t> registers;                           // exact names
    std::map<std::string_view, std::pair<std::uint32_t, std::uint32_t>> numbered;  // %r<n>: first and count
    std::map<std::string_view, Symbol> symbols;
  };
  struct Frame {  // one inlined routine
    const Routine* routine;
    std::size_t first_scope;
    std::map<std::string_view, std::uint32_t> labels;
    std::map<std::string_view, std::vector<std::string_view>> tables;
    struct Fixup {
      std::uint32_t instr;
      std::string_view label;
      int line;
    };
    std::vector<Fixup> fixups;
    struct TableFixup {
      std::uint32_t table;
      std::string_view name;
      int line;
    };
    std::vector<TableFixup> table_fixups;
    std::vector<std::uint32_t> returns;
  };

  void place_parameters();
  void inline_routine(const Routine& routine, std::map<std::string_view, Symbol> bound);
  void add(const Statement& statement);
  void declare_registers(const Statement& statement);
  Symbol place(const Variable& variable);
  void instruction(const Statement& statement);
  bool control(const Statement& statement, Instr& instr);
  void barrier(const Statement& statement, Instr& instr);
  void call(const Statement& statement);
  void external_call(const Statement& statement, std::string_view name, const Arg* arguments, const Arg* results);
  Instr guarded(const Statement& statement);
  void push(const Statement& statement, Instr instr);
  std::uint32_t new_register(std::size_t bytes);
  void resolve_labels(Frame& frame);

  ModuleData& module_;
  const Routine& kernel_;
  Program& program_;
  std::vector<std::uint8_t> widths_;
  std::vector<Scope> scopes_;
  std::vector<Frame> frames_;
  std::vector<Operand> operands_;             // of the instruction at hand
  std::vector<std::uint32_t> first_operand_;  // of each instruction
  std::map<std::pair<std::uint64_t, std::size_t>, std::uint32_t> known_constants_;
  std::map<std::string_view, Symbol> module_shared_;
  std::vector<std::pair<std::uint32_t, std::int64_t>>
      dynamic_;  // constants that are addresses of dynamic shared memory
};

/// vprintf, __assertfail: what the compiler calls and nobody defines. Null for others.
Handler external_function(std::string_view name);

}  // namespace portico::standin::ptx
