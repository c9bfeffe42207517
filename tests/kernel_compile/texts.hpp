// The kernel texts that the tests launched, taken from a folder that PORTICO_DUMP filled.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace portico::test {

struct KernelText {
  std::string file;  ///< of kernels/, without .cl
  std::string id;    ///< of the dump, for messages
  std::string spec;  ///< the #define lines
  std::string body;  ///< the flattened kernel file
  bool cpu_shape = false;

  std::string host;  ///< what the HIP stand-in knows of its kernels; empty when they were not launched there
  std::string with(const std::string& prelude) const { return spec + prelude + body; }
};

struct KernelTexts {
  std::vector<KernelText> all;          ///< each text once, sorted by file and spec
  int stale = 0;                        ///< dumps of what is not in `kernels` any more, or was never there
  std::vector<std::string> unlaunched;  ///< kernel files that no dump is of
};

/// Reads every dump in `dumps` that agrees with the files in `kernels`, so that an old dump decides nothing.
/// Texts that a test gave the compiler to see it refuse them (a .log lies beside them) are left out.
KernelTexts read_kernel_texts(const std::filesystem::path& dumps, const std::filesystem::path& kernels);

/// Every `step`-th text, and at least one of each file.
std::vector<KernelText> sample(const std::vector<KernelText>& texts, std::size_t step);

std::string read_file(const std::filesystem::path& path);

}  // namespace portico::test
