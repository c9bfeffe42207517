// The real NVRTC, which needs no GPU.
#pragma once

#include <stdexcept>
#include <string>

namespace portico::standin::check {

struct NoCompiler : std::runtime_error {
  using runtime_error::runtime_error;
};
struct DoesNotCompile : std::runtime_error {  // what() is the compiler's log
  using runtime_error::runtime_error;
};

/// PTX of `text` for `arch`, "compute_80" or "80", with the source's lines in it.
std::string compile(const std::string& text, const std::string& arch);

}  // namespace portico::standin::check
