// Whether operations may hand work to a vendor's library.
#pragma once

namespace portico::detail {

/// What the calling thread's innermost VendorGuard says, else PORTICO_VENDOR, which allows it when unset.
bool vendor_allowed();

}  // namespace portico::detail
