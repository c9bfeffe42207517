// The words of the kernel dialect as its three preludes define them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace portico::test {

struct Word {
  std::string name;
  int parameters = -1;  ///< of a macro with parentheses; -1 for everything else
};

/// What a prelude defines: macros, functions and types, each once, in order.
std::vector<Word> dialect_words(const std::filesystem::path& prelude);

/// Breaches of "the same words in the same order": common words in another order or with other parameters than in
/// opencl.h, and words that are not in all three preludes but used by a kernel (kernels/*_cpu.h, which only OpenCL
/// compiles, may use OpenCL's).
std::vector<std::string> dialect_violations(const std::filesystem::path& root);

}  // namespace portico::test
