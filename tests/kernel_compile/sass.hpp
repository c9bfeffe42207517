// NVRTC's machine code, disassembled: what the CUDA kernels are when they run, looked at without a GPU.
#pragma once

#include <string>

#include "expected.hpp"

namespace portico::test {

/// Why the disassembler cannot be used; empty when it can. NVRTC has to be open too.
std::string open_nvdisasm();

/// What is wrong with the text's machine code for sm_`arch`: a spill, scalar accesses to global memory in the hot loop,
/// too little arithmetic there, too few groups on a multiprocessor. `figures`, when given, gets a line of what was
/// counted.
std::string compile_sass(const std::string& text, int arch, const Expected& expected, std::string* figures = nullptr);

}  // namespace portico::test
