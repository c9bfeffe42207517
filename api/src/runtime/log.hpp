// Messages to the standard error stream, by PORTICO_LOG=error|warning|info|debug (default: warning).
#pragma once

#include <cstdint>
#include <string_view>

namespace portico::detail {

/// `level` is a PORTICO_LOG_* of backend_abi.h.
void log(std::int32_t level, std::string_view message);

}  // namespace portico::detail
