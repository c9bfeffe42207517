// The loop of a kernel's machine code that does its arithmetic, found in a disassembler's or compiler's listing.
#pragma once

#include <string>
#include <vector>

namespace portico::test {

/// A listing's instructions in order, without labels, comments, directives and encodings.
struct Listing {
  std::vector<std::string> instructions;  ///< "@P0 FFMA R1, R2, R3, R1"
  std::vector<int> jumps;                 ///< where each may go, as an index; -1 for those that go on
};

/// nvdisasm's listing (`-c`), or clang's assembly for AMD's processors. Branches are known by their labels.
Listing read_sass(const std::string& text);
Listing read_amd(const std::string& text);

struct HotLoop {
  int begin = 0, end = 0;  ///< instructions [begin, end)
  int arithmetic = 0;      ///< of them: multiply-adds, or matrix products where there are any. AMD's packed and dual
                           ///< instructions hold two and count as two, here and in `all`
  int all = 0;             ///< of them: what takes an issue slot of the arithmetic
  double density() const { return all > 0 ? static_cast<double>(arithmetic) / all : 0.0; }
};

/// The innermost loop that reads local memory, with the most multiply-adds of floats (or matrix instructions, where the
/// kernel has some). Empty when no loop has any.
HotLoop hot_loop(const Listing& listing);

/// The smallest loop around `loop`, or itself where there is none.
HotLoop around(const Listing& listing, const HotLoop& loop);

/// The instruction's name: "FFMA", "LDG.E.128.CONSTANT".
std::string name_of(const std::string& instruction);
/// How many instructions of [begin, end) have a name that begins with `prefix`.
int count(const Listing& listing, const std::string& prefix, int begin, int end);
int count(const Listing& listing, const std::string& prefix);

}  // namespace portico::test
