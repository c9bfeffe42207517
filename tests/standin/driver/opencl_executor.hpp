// Kernels in their OpenCL spelling, on an OpenCL implementation for the CPU. Pointers are host addresses (fine-grain
// shared memory), so that what the plugin computes with addresses holds.
#pragma once

#include <memory>
#include <string>

#include "tests/standin/driver/executor.hpp"

namespace portico::standin::opencl {

/// What a stand-in compiler's output begins with; the OpenCL text follows, and a zero ends it.
inline constexpr char kMagic[] = "//portico-stand-in: the OpenCL spelling of a kernel\n";

/// Builds the text. Empty when it compiles, else the compiler's log. `shared_limit`: bytes of local memory that a
/// kernel may have, as the vendor's compiler checks it. `kernels` gets a line for each kernel: name, bytes of local
/// memory, bytes of each parameter in the vendor's count.
std::string try_build(const std::string& text, std::size_t shared_limit, std::string& kernels);

/// Loads what try_build() took; null when it does not compile.
std::shared_ptr<Image> load(const std::string& text);

}  // namespace portico::standin::opencl
