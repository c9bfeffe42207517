#include "runtime/log.hpp"

#include <cstdio>

#include "portico/backend_abi.h"
#include "runtime/environment.hpp"

namespace portico::detail {

void log(std::int32_t level, std::string_view message) {
  static const int threshold =
      variable_choice("PORTICO_LOG", {"error", "warning", "info", "debug"}, PORTICO_LOG_WARNING);
  if (level > threshold) return;
  std::fprintf(stderr, "portico: %.*s\n", static_cast<int>(message.size()), message.data());
}

}  // namespace portico::detail
