// Finds and opens backend plugins: in `portico` beside this library, or in PORTICO_BACKEND_DIR; never in the working
// folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "portico/backend_abi.h"

namespace portico::detail {

/// One backend as the loader found it. `api` is null when the plugin is absent or does not fit; `devices` is 0 and
/// `reason` set when nothing can be used.
struct LoadedBackend {
  std::string name;
  const portico_backend* api = nullptr;
  std::int32_t devices = 0;
  std::string reason;
  std::vector<std::string> tried;
};

/// The folder that plugins are opened from.
std::string plugin_folder();

/// The backends in order of preference.
const std::vector<std::string>& backend_names();

/// Loads `name` at most once per process. Throws `Error{invalid_argument}` for a name that is none.
const LoadedBackend& load_backend(std::string_view name);

/// "opencl:1" taken apart.
struct DeviceName {
  std::string backend;
  std::int32_t index = 0;
};
/// Throws `Error{invalid_argument}` naming `subject` (PORTICO_BACKEND, say) and what is accepted.
DeviceName parse_device_name(std::string_view text, std::string_view subject);

}  // namespace portico::detail
