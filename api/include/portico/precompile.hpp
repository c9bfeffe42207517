// Compiling kernels ahead of time, for machines that have no run-time compiler. What portico-precompile is made of.
#pragma once

#include <string>
#include <string_view>

#include "portico/error.hpp"

namespace portico {

/// From now on this process computes on the installed plugin that does nothing, and leaves the texts of all kernels
/// that it asks for, in their GPU shape, in `folder`. For a process of its own: call it before anything touches a
/// device.
PORTICO_API void record_kernels(const std::string& folder);

/// Throws `Error`, with the targets that there are, unless `backend`'s run-time compiler takes `target` ("sm_90",
/// "compute_80", "gfx942"). Needs no device.
PORTICO_API void require_precompile_target(std::string_view backend, std::string_view target);

/// Compiles every text in `texts`, a folder that PORTICO_DUMP filled in the kernels' GPU shape, for `target` ("sm_90",
/// "gfx942") of `backend`, and returns how many there were. Needs the vendor's run-time compiler but no device. The
/// binaries go to `out`/<backend>/<target>; `out` is "kernels" beside the plugins, or in the folder that
/// PORTICO_CACHE_DIR names, for the library to find them. Throws `Error` with the compiler's log.
/// Files and their folder may then be read by all.
PORTICO_API int precompile(std::string_view backend, std::string_view target, const std::string& texts,
                           const std::string& out);

}  // namespace portico
