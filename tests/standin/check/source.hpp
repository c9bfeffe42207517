// A kernel file as the compiler gets it: specialisation, prelude, text.
#pragma once

#include <string>
#include <vector>

namespace portico::standin::check {

struct Source {
  std::string text;
  bool cpu_shape = false;  ///< a dump of a kernel that is for CPUs under OpenCL only
};

/// Reads `file`: a kernel file of the dialect, whose #include "x.h" are looked for beside it, or what PORTICO_DUMP
/// wrote. `defines` are NAME=VALUE. Throws std::runtime_error for what cannot be read.
Source read_source(const std::string& file, const std::vector<std::string>& defines);

}  // namespace portico::standin::check
