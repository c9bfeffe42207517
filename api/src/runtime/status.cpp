#include "runtime/status.hpp"

#include <cstring>
#include <utility>

#include "runtime/disk_cache.hpp"
#include "runtime/log.hpp"
#include "runtime/sha256.hpp"

namespace portico::detail {
namespace {

thread_local std::string t_message;  // filled by the plugin, read on the same thread

std::string finding_key(portico_bytes key) {
  Sha256 hash;
  hash.field("portico finding 1");
  hash.field({static_cast<const char*>(key.data), key.size});
  return hash.hex();
}

std::int32_t recall(portico_bytes key, void* out, std::size_t size) noexcept {
  try {
    const auto found = DiskCache::instance().load(finding_key(key));
    if (!found || found->size() != size) return 0;
    std::memcpy(out, found->data(), size);
    return 1;
  } catch (...) {
    return 0;
  }
}

void remember(portico_bytes key, portico_bytes value) noexcept {
  try {
    DiskCache::instance().store(finding_key(key), {static_cast<const std::byte*>(value.data), value.size});
  } catch (...) {  // a finding that is not kept is made again
  }
}

}  // namespace

const portico_host& host_services() {
  static const portico_host host = {
      .struct_size = sizeof(portico_host),
      .set_error = [](const char* message, std::size_t size) { t_message.assign(message, size); },
      .log =
          [](std::int32_t level, const char* message, std::size_t size) {
            log(level, {message, size});
          },
      .recall = recall,
      .remember = remember,
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
