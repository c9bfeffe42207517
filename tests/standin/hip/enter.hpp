// How a call enters HIP: the runtime needs no call to start it, and a thread that never chose a device is on the first.
#pragma once

#include "tests/standin/driver/device.hpp"

namespace portico::standin {

inline void start_hip() {
  static const bool started = [] {
    mark_started();
    for (Device& device : machine().devices) device.retained = 1;
    return true;
  }();
  if (started && !current_device()) current_device() = &machine().devices[0];
}

}  // namespace portico::standin

#define ENTER_HIP(needs)           \
  ::portico::standin::start_hip(); \
  STANDIN_ENTER(needs)
