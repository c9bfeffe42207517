// The three real compilers. Each turns one text for one architecture into what is wrong with it.
#pragma once

#include <string>
#include <vector>

namespace portico::test {

/// Why a compiler cannot be used; empty when it can.
std::string open_nvrtc();
std::string open_hiprtc();
std::string open_clang();

/// The architectures, of those wanted, that the opened NVRTC compiles for.
std::vector<int> nvrtc_knows(const std::vector<int>& wanted);

/// Empty when the text compiles without error and no kernel in it spills registers; else the log or the spills.
std::string compile_nvrtc(const std::string& text, int arch);

/// NVRTC's machine code for sm_`arch`, with ptxas's report of registers and memory.
struct Cubin {
  std::string wrong;  ///< why there is none
  std::string log;
  std::vector<char> image;
};
Cubin compile_cubin(const std::string& text, int arch);

/// `host`: what the HIP stand-in recorded of the text's kernels, to be held against the code object; may be empty.
std::string compile_hiprtc(const std::string& text, const std::string& arch, const std::string& host);

/// OpenCL C 1.2 through clang's front end.
std::string compile_clang(const std::string& text);

}  // namespace portico::test
