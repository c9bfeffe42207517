// PORTICO_TRACE=<file>: every launch and every replay of a graph with its host time and, where events carry them, its
// device time, as a Chrome trace that Perfetto opens. Written when the process ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "portico/backend_abi.h"

namespace portico::detail {

struct StreamImpl;

/// True when PORTICO_TRACE is set. Throws `Error{io}` at the first call when the file cannot be written.
bool trace_enabled();

/// Makes `call`, which queues work on `stream`, between two events and notes it by `name`.
portico_status trace_call(StreamImpl& stream, const std::string& name, const std::function<portico_status()>& call);

}  // namespace portico::detail
