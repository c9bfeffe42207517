// Contexts: one a device, the primary one.
#pragma once

#include "backends/cuda/api.hpp"
#include "tests/standin/driver/device.hpp"

namespace portico::standin {

cuda::Context context_of(const Device& device);
Device* device_of_context(cuda::Context context);  ///< null for what is no living context

/// Ten times the compute capability: PORTICO_STANDIN_CAPABILITY, else 81.
int capability();

}  // namespace portico::standin
