#include "portico/precision.hpp"

#include <atomic>
#include <utility>

#include "runtime/environment.hpp"

namespace portico {
namespace {

constexpr int kUnset = -1;

std::atomic<int>& for_all() {
  static std::atomic<int> value = detail::variable_choice("PORTICO_PRECISION", {"strict", "tf32", "bf16"}, 0);
  return value;
}

thread_local int t_guarded = kUnset;

}  // namespace

void set_float32_precision(Precision precision) {
  for_all().store(static_cast<int>(precision), std::memory_order_relaxed);
}

Precision float32_precision() {
  const int value = t_guarded != kUnset ? t_guarded : for_all().load(std::memory_order_relaxed);
  return static_cast<Precision>(value);
}

PrecisionGuard::PrecisionGuard(Precision precision)
    : previous_(std::exchange(t_guarded, static_cast<int>(precision))) {}
PrecisionGuard::~PrecisionGuard() { t_guarded = previous_; }

}  // namespace portico
