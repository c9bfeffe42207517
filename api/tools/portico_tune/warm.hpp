// Programs compiled ahead of time.
#pragma once

#include <string>

namespace portico_tune {

/// Runs one step of common networks on the device, so that their programs lie in `folder` afterwards. `device` may be
/// empty. Returns the exit code; throws portico::Error.
int warm(const std::string& folder, const std::string& device);

}  // namespace portico_tune
