// What the device can do at best, measured in the same run as everything that is held against it.
#pragma once

#include "portico/device.hpp"

namespace portico::bench {

struct Limits {
  double bytes_per_second = 0;  ///< copy of a block far larger than the caches; bytes read plus bytes written
  double flops = 0;             ///< f32 fma in registers, two operations each
};

/// Measured at first use: the best of several runs, about a second.
const Limits& limits(const Device& device);

/// The larger of the two shares of the device's limits that a call of this work in this time makes.
double fraction_of_limit(const Limits& limits, double bytes, double flops, double seconds);

}  // namespace portico::bench
