// What every plugin needs to keep the ABI's promises: exceptions stop here, and messages find their way to the core.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "portico/backend_abi.h"

#define PORTICO_PLUGIN_EXPORT __attribute__((visibility("default")))

namespace portico::plugin {

/// Thrown inside a plugin, never out of it.
struct Failure {
  portico_status status;
  std::string message;
};

inline const portico_host* g_host = nullptr;

/// Called by the entry function, before any slot can be. Every caller in a process passes the same core's services.
inline void set_host(const portico_host* host) { g_host = host; }

inline void log(int32_t level, std::string_view message) noexcept {
  g_host->log(level, message.data(), message.size());
}

/// Leaves `message` with the core and hands `status` back, for slots that fail without throwing.
inline portico_status fail(portico_status status, std::string_view message) noexcept {
  g_host->set_error(message.data(), message.size());
  return status;
}

/// The status and message of the exception being handled. Out of line: `guarded` is on the launch path.
[[gnu::cold, gnu::noinline]] inline portico_status fail_with_current_exception() noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return fail(failure.status, failure.message);
  } catch (const std::bad_alloc&) {
    return fail(PORTICO_OUT_OF_MEMORY, "out of host memory");
  } catch (const std::exception& error) {
    return fail(PORTICO_INTERNAL, error.what());
  } catch (...) {
    return fail(PORTICO_INTERNAL, "unknown exception");
  }
}

/// Runs `body`; turns whatever it throws into a status and a message for the core.
template <typename Body>
portico_status guarded(Body&& body) noexcept {
  try {
    body();
    return PORTICO_OK;
  } catch (...) {
    return fail_with_current_exception();
  }
}

/// Fills one of the ABI's fixed text arrays; always terminated, cut when too long.
template <std::size_t size>
void copy_text(char (&to)[size], std::string_view text) noexcept {
  const std::size_t count = std::min(text.size(), size - 1);
  std::memcpy(to, text.data(), count);
  to[count] = '\0';
}

}  // namespace portico::plugin
