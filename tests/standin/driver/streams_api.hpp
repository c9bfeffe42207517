// Handles of streams, as every function that queues work looks them up.
#pragma once

#include <memory>

#include "tests/standin/driver/stream.hpp"

namespace portico::standin::api {

/// The stream; for a null handle the current device's own. Null when the handle is not alive.
std::shared_ptr<Stream> stream_of(void* handle);

}  // namespace portico::standin::api
