// How the ways to run a workload are timed against each other: alternately, sample by sample.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/workload.hpp"

namespace portico::bench {

struct Contestant {
  Device device;
  Column column;
};

/// Median and quartiles of the seconds of one call.
struct Spread {
  double q1 = 0, median = 0, q3 = 0;
};
Spread spread_of(std::vector<double> values);

struct Measurement {
  Spread seconds;
  int samples = 0;
  int calls = 0;         ///< in one sample
  bool warm = false;     ///< the warm-up ended because the time had become stable, not because it took too long
  bool events = false;   ///< timed by the device's events, not the host's clock
  double joules = 0;     ///< of one call, where the device's counter could be read
  double megahertz = 0;  ///< at the end, where it could be read
  std::string error;     ///< why there is none of the above
  bool device_lost = false;
};

struct MeasureOptions {
  double seconds = 0.25;  ///< of samples for each contestant
  double sample = 0.015;  ///< seconds that one sample should take
  int least_samples = 5, most_samples = 25;
  bool flush_caches = false;                          ///< before each sample, which is then one call
  std::function<bool()> stop = [] { return false; };  ///< asked between samples
};

/// Sets all contestants up, warms each until it is stable, then takes one sample of each in turn. Whatever one of them
/// throws is its own error; the others go on. Nothing is measured after `stop` (error "").
std::vector<Measurement> measure(const Workload& workload, const std::vector<Contestant>& contestants,
                                 const MeasureOptions& options);

}  // namespace portico::bench
