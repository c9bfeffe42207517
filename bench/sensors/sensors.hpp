// Clocks and energy where a counter is readable: NVML, ROCm SMI and RAPL, all opened at run time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "portico/device.hpp"

namespace portico::bench {

class Sensor {
 public:
  virtual ~Sensor() = default;
  /// What is read, or why nothing is: "NVML", "not available: libnvidia-ml.so.1: cannot open ...".
  virtual std::string describe() const = 0;
  virtual std::optional<double> joules() = 0;  ///< a running count
  virtual std::optional<double> megahertz() = 0;
};

/// The sensor of a device; one that reads nothing where there is none. Never throws.
std::shared_ptr<Sensor> open_sensor(const DeviceInfo& device);

// The kinds of it. `reason` is set where the result is null.
std::shared_ptr<Sensor> open_nvml(int index, std::string& reason);
std::shared_ptr<Sensor> open_rocm_smi(int index, std::string& reason);
std::shared_ptr<Sensor> open_processor();

}  // namespace portico::bench
