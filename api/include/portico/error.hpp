// The one exception that the library throws, and the mark of what it exports.
#pragma once

#include <stdexcept>
#include <string>

#define PORTICO_API __attribute__((visibility("default")))

namespace portico {

enum class ErrorCode {
  invalid_argument,  ///< the call cannot be right: shapes, types, values, environment variables
  out_of_memory,     ///< the device, or PORTICO_MEMORY_LIMIT, has no room; the message says what is in use
  unsupported,       ///< right in itself, but not on this machine or device
  compile_failed,    ///< the message holds the compiler's log
  device_lost,       ///< the device stopped answering; its tensors are gone, other devices go on
  io,                ///< a file is missing, damaged, foreign or cannot be written
  internal,          ///< a driver call failed that should not, or a bug of ours
};

/// What every failing call throws. The message starts with the subject: `conv2d: weight [8,3,5,5] needs ...`.
class PORTICO_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace portico
