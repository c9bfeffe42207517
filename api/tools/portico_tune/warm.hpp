// Programs compiled ahead of time.
#pragma once

#include <string>
#include <vector>

namespace portico_tune {

/// Runs one step of common networks on the device, so that their programs lie in `folder` afterwards. `device` may be
/// empty. Returns the exit code; throws portico::Error.
int warm(const std::string& folder, const std::string& device);

/// Compiles what training commonly launches for each of `archs`, "backend:target", into `folder`/kernels. Neither the
/// devices nor any other need be there, only the vendors' run-time compilers. `networks_only` leaves out what
/// run_networks() does not launch.
int warm_for(const std::string& folder, const std::vector<std::string>& archs, bool networks_only);

}  // namespace portico_tune
