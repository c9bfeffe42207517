// Kernels from the PTX that NVRTC made, executed and checked by the PTX machine.
#pragma once

#include <memory>

#include "tests/standin/driver/executor.hpp"

namespace portico::standin {

/// A code, and the image when it is kOk.
int load_ptx(const char* text, std::shared_ptr<Image>& out);

}  // namespace portico::standin
