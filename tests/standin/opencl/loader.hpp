// The real ICD loader behind the layer.
#pragma once

#include "backends/opencl/api.hpp"

namespace portico::standin {

/// Its functions, found at the first question; null for what it does not have, all of them null without a loader.
const opencl::Api& loader();

}  // namespace portico::standin
