#include "portico/device.hpp"

namespace portico {

Spec& Spec::set(std::string_view name, std::int64_t value) {
  return set(name, std::string_view(std::to_string(value)));
}

Spec& Spec::set(std::string_view name, std::string_view text) {
  values_.insert_or_assign(std::string(name), std::string(text));
  return *this;
}

std::string Spec::prefix() const {
  std::string text;
  for (const auto& [name, value] : values_) text.append("#define ").append(name).append(" ").append(value).append("\n");
  return text;
}

}  // namespace portico
