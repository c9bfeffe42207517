// The real ICD loader behind the layer.
#pragma once

#include "backends/opencl/api.hpp"

namespace portico::standin {

/// Its functions, found at the first question; null for what it does not have, all of them null without a loader.
const opencl::Api& loader();

/// The real loader's way to functions of extensions, and the layer's: those that the plugin uses are counted and fail
/// as the others do.
decltype(opencl::Api::GetExtensionFunctionAddressForPlatform) loader_of_extensions();
void* extension(cl_platform_id platform, const char* wanted);

}  // namespace portico::standin
