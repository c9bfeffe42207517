// What the device can do at best, measured in the same run as everything that is held against it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "portico/device.hpp"

namespace portico::bench {

/// What one call does at least.
struct Work {
  double bytes = 0;       ///< traffic of the device's memory
  double flops = 0;       ///< arithmetic operations
  double host_bytes = 0;  ///< that cross between the host and the device
};

struct Limits {
  double bytes_per_second = 0;  ///< copy of a block far larger than the caches; bytes read plus bytes written
  double flops = 0;             ///< f32 fma in registers, two operations each
  double triad = 0;             ///< bytes per second of a = b + s c, three blocks
  double flops_f16 = 0;         ///< 0 where the device has no f16 arithmetic
  double launch_seconds = 0;    ///< of an empty kernel among many, nothing waiting
  double to_device = 0;         ///< bytes per second
  double to_host = 0;
};

/// Measured at first use: the best of several runs, about two seconds.
const Limits& limits(const Device& device);

/// One way to measure a limit: rows of the suite "roofs", and what limits() is made of.
struct Roof {
  std::string name;
  Work work;
  bool waits = true;  ///< timed call by call; else in batches
  std::function<std::function<void()>(const Device&)> make;
  double Limits::*limit;
  double amount;  ///< the limit is amount / seconds, or seconds themselves when it is 0
};
std::vector<Roof> roofs(const Device& device);

/// The largest of the shares of the device's limits that a call of this work in this time makes. Work that stays in the
/// caches may pass 1.
double fraction_of_limit(const Limits& limits, const Work& work, double seconds);

}  // namespace portico::bench
