// Kernels compiled when the library was built, in kernels/<backend>/<target> beside the plugins: a read-only second
// program cache, so that a machine without a run-time compiler can run what is there. The files are entries as the disk
// cache has them; their names are digests of the whole text that was compiled.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "portico/backend_abi.h"

namespace portico::detail {

/// The binary of `source` for the first of the device's targets that has it.
std::optional<std::vector<std::byte>> find_precompiled(const portico_backend& api, portico_device* device,
                                                       std::string_view source);

/// The file name of a text's binary.
std::string precompiled_name(std::string_view source);

}  // namespace portico::detail
