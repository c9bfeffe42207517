// What backends say of themselves and their devices.
#pragma once

#include <string>

#include "portico/device.hpp"
#include "runtime/loader.hpp"

namespace portico::detail {

/// "cuda: <reason>; tried <paths>"
std::string why_unusable(const LoadedBackend& backend);

/// Device `index` without opening it. Throws what the plugin says.
DeviceInfo describe(const LoadedBackend& backend, std::int32_t index);

}  // namespace portico::detail
