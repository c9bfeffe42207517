// From a plugin's status to an exception.
#pragma once

#include <string_view>

#include "portico/backend_abi.h"
#include "portico/error.hpp"

namespace portico::detail {

/// The services lent to plugins.
const portico_host& host_services();

/// The message that a plugin left on this thread; empty afterwards.
std::string take_message();

/// Throws the Error that a failing status stands for: "<subject>: <the plugin's message>".
[[noreturn]] void fail(portico_status status, std::string_view subject);

inline void check(portico_status status, std::string_view subject) {
  if (status != PORTICO_OK) [[unlikely]]
    fail(status, subject);
}

}  // namespace portico::detail
