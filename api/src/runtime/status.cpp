#include "runtime/status.hpp"

#include <utility>

#include "runtime/log.hpp"

namespace portico::detail {
namespace {

thread_local std::string t_message;  // filled by the plugin, read on the same thread

}  // namespace

const portico_host& host_services() {
  static const portico_host host = {
      .struct_size = sizeof(portico_host),
      .set_error = [](const char* message, std::size_t size) { t_message.assign(message, size); },
      .log =
          [](std::int32_t level, const char* message, std::size_t size) {
            log(level, {message, size});
          },
  };
  return host;
}

std::string take_message() { return std::exchange(t_message, {}); }

void fail(portico_status status, std::string_view subject) {
  ErrorCode code = ErrorCode::internal;
  switch (status) {
    case PORTICO_OUT_OF_MEMORY:
      code = ErrorCode::out_of_memory;
      break;
    case PORTICO_UNSUPPORTED:
      code = ErrorCode::unsupported;
      break;
    case PORTICO_COMPILE_FAILED:
      code = ErrorCode::compile_failed;
      break;
    case PORTICO_DEVICE_LOST:
      code = ErrorCode::device_lost;
      break;
    default:
      break;
  }
  throw Error(code, std::string(subject) + ": " + take_message());
}

}  // namespace portico::detail
