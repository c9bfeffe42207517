#include "runtime/environment.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "portico/error.hpp"

namespace portico::detail {
namespace {

[[noreturn]] void refuse(const char* name, const std::string& value, const std::string& accepted) {
  throw Error(ErrorCode::invalid_argument, std::string(name) + "=" + value + ": expected " + accepted);
}

}  // namespace

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

bool variable_switch(const char* name, bool otherwise) {
  return variable_choice(name, {"0", "1"}, otherwise ? 1 : 0) == 1;
}

int variable_choice(const char* name, std::initializer_list<const char*> choices, int otherwise) {
  const auto value = variable(name);
  if (!value) return otherwise;
  std::string accepted;
  int position = 0;
  for (const char* choice : choices) {
    if (*value == choice) return position;
    accepted += (position++ == 0 ? "" : ", ") + std::string(choice);
  }
  refuse(name, *value, "one of " + accepted);
}

std::uint64_t variable_bytes(const char* name, std::uint64_t otherwise) {
  const auto value = variable(name);
  if (!value) return otherwise;
  std::uint64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [rest, error] = std::from_chars(value->data(), end, number);
  int shift = 0;
  bool good = error == std::errc() && (rest == end || rest + 1 == end);
  if (good && rest != end) {
    const std::string_view units = "KMG";
    const auto unit = units.find(*rest);
    good = unit != std::string_view::npos;
    shift = 10 * (static_cast<int>(unit) + 1);
  }
  if (!good || number > (std::numeric_limits<std::uint64_t>::max() >> shift))
    refuse(name, *value, "a number of bytes such as 1073741824, 512M or 8G");
  return number << shift;
}

std::string readable_bytes(std::uint64_t bytes) {
  char text[32];
  if (bytes < 1024) {
    std::snprintf(text, sizeof text, "%llu B", static_cast<unsigned long long>(bytes));
    return text;
  }
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024.0;
  int unit = 0;
  for (; value >= 1024.0 && unit < 3; ++unit) value /= 1024.0;
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace portico::detail
