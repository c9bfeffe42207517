// What the machine code of gemm's and the convolutions' specialisations has to look like; kernels/PERFORMANCE.md
// derives the numbers.
#pragma once

#include <map>
#include <string>

namespace portico::test {

/// The words of a specialisation.
std::map<std::string, std::string> words_of(const std::string& spec);

struct Expected {
  double density = 0;  ///< arithmetic over all instructions of the hot loop, on NVIDIA
  double amd_density = 0;
  bool vectors = false;  ///< the loop reads and the kernel writes global memory 16 bytes at a time
  int threads = 0;       ///< of a group
  int groups = 0;        ///< that a multiprocessor must hold at once
};

/// Density 0: a kernel that is not held to any.
Expected expected_of(const std::string& file, const std::string& spec);

}  // namespace portico::test
