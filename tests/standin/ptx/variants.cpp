// Which of the compiled forms of the handlers runs here.
#include <cstdlib>

#include "program.hpp"

namespace portico::standin::ptx {

namespace baseline {
const Variant& variant();
}
#ifdef PTX_HAS_WIDE
namespace wide {
const Variant& variant();
}
#endif

namespace {

const Variant* best() {
#ifdef PTX_HAS_WIDE
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return &wide::variant();
#endif
  return &baseline::variant();
}

const Variant*& current() {
  static const Variant* variant = best();
  return variant;
}

}  // namespace

const Variant& chosen_variant() { return *current(); }

bool choose_variant(std::string_view name) {
  if (name == "baseline")
    current() = &baseline::variant();
  else if (name.empty() || name == best()->name)
    current() = best();
  else
    return false;
  return true;
}

}  // namespace portico::standin::ptx
