// Puts compiled programs into the disk cache when the process ends. Not earlier: some drivers make machine code only at
// a kernel's first launch, handing out a binary costs them tens of milliseconds a kernel, and PoCL 3.1 aborts when it
// is asked for one while a kernel is in flight.
#pragma once

#include "runtime/program_cache.hpp"

namespace portico::detail {

/// Notes that `kernel` was launched for the first time: its program's entry is to be written, or written again.
void save_later(KernelImpl& kernel);

/// Called when the host has waited for a device. What was launched before has run by now, and can be saved.
void save_what_ran();

}  // namespace portico::detail
