// PTX as it is written: routines, variables and statements, before any of it has a meaning.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace portico::standin::ptx {

enum class Space : std::uint8_t { generic, global, shared, local, constant, parameter };

/// An operand as written.
struct Arg {
  enum class Kind : std::uint8_t {
    name,     // %r1, %tid.x, a variable or a label
    integer,  // value
    real,     // value holds the bits of a double
    single,   // 0fXXXXXXXX: value holds the bits of a float
    address,  // [name + value], [value], or [items...] for the rare lists
    list,     // {a, b} or (a, b)
    sink      // _
  };
  Kind kind = Kind::sink;
  bool negated = false;    // !%p
  std::string_view name;   // of a register or symbol; of an address its base; "" for none
  std::string_view other;  // q of p|q
  std::int64_t value = 0;  // of an integer; what is added to a name or address
  std::vector<Arg> items;
};

struct Variable {
  Space space = Space::global;
  std::string_view name;
  std::size_t align = 1, element_bytes = 1;
  std::size_t bytes = 0;  // 0: as large as the launch says (.extern .shared)
  bool is_extern = false;
  std::vector<std::uint8_t> initial;  // shorter than bytes: the rest is zero; empty: never written
  struct Reference {                  // initial[offset..] is the address of a variable
    std::size_t offset;
    std::string_view name;
    std::int64_t add;
  };
  std::vector<Reference> references;
  int line = 0;
};

/// One line of a routine's body.
struct Statement {
  enum class Kind : std::uint8_t { instruction, label, open, close, registers, variable, targets };
  Kind kind = Kind::instruction;
  int line = 0;
  int source_line = 0;
  std::string_view source_file;  // a number into Text::files
  std::string_view text;         // all of it, for messages
  std::string_view guard;        // %p of @%p
  bool guard_negated = false;
  std::string_view name;                    // opcode, label, or name of registers
  std::vector<std::string_view> modifiers;  // of an opcode, without dots
  std::vector<Arg> args;
  std::string_view type;  // of registers
  int count = 0;          // of registers %r<count>; 0: the one of that name
  int variable = -1;      // index into Routine::variables
};

struct Routine {
  std::string_view name;
  bool kernel = false;
  bool defined = false;
  int line = 0;
  std::vector<Variable> parameters, results, variables;
  std::vector<Statement> body;
  unsigned max_threads = 1024;
};

struct Text {
  std::string source;  // every string_view points here
  std::vector<Variable> variables;
  std::vector<Routine> routines;
  std::map<std::string_view, std::string_view> files;
};

/// Throws ParseError.
Text read_text(std::string_view ptx);

/// Bytes of a fundamental type (".f32" or "f32"); 0 for an unknown one, 1 for pred.
std::size_t type_bytes(std::string_view type);

}  // namespace portico::standin::ptx
