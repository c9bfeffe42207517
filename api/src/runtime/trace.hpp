// PORTICO_TRACE=<file>: every launch with its host time and, where events carry them, its device time, as a Chrome
// trace that Perfetto opens. Written when the process ends.
#pragma once

#include <cstdint>
#include <string>

#include "portico/backend_abi.h"

namespace portico::detail {

struct KernelImpl;
struct StreamImpl;

/// True when PORTICO_TRACE is set. Throws `Error{io}` at the first call when the file cannot be written.
bool trace_enabled();

/// Runs `launch` between two events and notes it.
portico_status trace_launch(StreamImpl& stream, KernelImpl& kernel, const portico_launch& launch);

}  // namespace portico::detail
