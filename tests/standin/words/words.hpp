// What each kernel of text.hpp must leave in memory, whoever compiles and runs it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace portico::test {

/// A number, or host memory that a kernel gets a copy of, from element `skip` on. It is copied back after the run.
struct Argument {
  void* data = nullptr;
  std::size_t bytes = 0, element = 0, skip = 0;
  std::uint32_t number = 0;
};

struct Call {
  std::string kernel;
  std::array<std::uint32_t, 3> groups{};
  std::uint32_t threads = 0;
  std::vector<Argument> arguments;
};

/// Compiles kWordsText with REAL as bf16 behind a prelude, and runs its kernels.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual void run(const Call& call) = 0;
};

/// Every kernel, held against values computed on the host: to the last bit, but for rsqrt. Catch2's checks.
void check_words(Machine& machine);

}  // namespace portico::test
