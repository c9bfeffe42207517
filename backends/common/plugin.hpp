// What every plugin needs to keep the ABI's promises: exceptions stop here, and messages find their way to the core.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

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

/// A finding of an earlier process under `key`. False when there is none, or the core is too old to keep any.
template <typename T>
bool recall(std::string_view key, T& out) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (g_host->struct_size < offsetof(portico_host, remember) || !g_host->recall) return false;
  return g_host->recall({key.data(), key.size()}, &out, sizeof out) == 1;
}

/// Keeps a finding for later processes, where the core can.
template <typename T>
void remember(std::string_view key, const T& value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (g_host->struct_size < sizeof(portico_host) || !g_host->remember) return;
  g_host->remember({key.data(), key.size()}, {&value, sizeof value});
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
