// Compiling kernels ahead of time, for machines that have no run-time compiler. What portico-precompile is made of.
#pragma once

#include <string>
#include <string_view>

#include "portico/error.hpp"

namespace portico {

/// Compiles every text in `texts`, a folder that PORTICO_DUMP filled in the kernels' GPU shape, for `target` ("sm_90",
/// "gfx942") of `backend`, and returns how many there were. Needs the vendor's run-time compiler but no device. The
/// binaries go to `out`/<backend>/<target>; `out` is "kernels" beside the plugins for the library to find them. Throws
/// `Error` with the compiler's log.
PORTICO_API int precompile(std::string_view backend, std::string_view target, const std::string& texts,
                           const std::string& out);

}  // namespace portico
