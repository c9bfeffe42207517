#include "runtime/vendor_choice.hpp"

#include "portico/device.hpp"
#include "runtime/environment.hpp"

namespace portico {
namespace {

constexpr int kUnsaid = -1;
thread_local int t_allowed = kUnsaid;

}  // namespace

bool detail::vendor_allowed() {
  if (t_allowed != kUnsaid) return t_allowed == 1;
  static const bool allowed = variable_switch("PORTICO_VENDOR", true);
  return allowed;
}

VendorGuard::VendorGuard(bool allowed) : previous_(t_allowed) { t_allowed = allowed ? 1 : 0; }
VendorGuard::~VendorGuard() { t_allowed = previous_; }

}  // namespace portico
