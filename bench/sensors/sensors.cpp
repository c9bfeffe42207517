#include "sensors/sensors.hpp"

#include <map>
#include <mutex>

namespace portico::bench {
namespace {

class Nothing : public Sensor {
 public:
  explicit Nothing(std::string reason) : reason_(std::move(reason)) {}
  std::string describe() const override { return "not available: " + reason_; }
  std::optional<double> joules() override { return std::nullopt; }
  std::optional<double> megahertz() override { return std::nullopt; }

 private:
  std::string reason_;
};

std::shared_ptr<Sensor> open(const DeviceInfo& device) {
  if (device.is_cpu()) return open_processor();
  std::string reason;
  std::shared_ptr<Sensor> found;
  const bool amd =
      device.backend == "hip" || device.name.find("AMD") != std::string::npos || device.name.rfind("gfx", 0) == 0;
  found = amd ? open_rocm_smi(device.index, reason) : open_nvml(device.index, reason);
  if (found == nullptr) return std::make_shared<Nothing>(reason);
  return found;
}

}  // namespace

std::shared_ptr<Sensor> open_sensor(const DeviceInfo& device) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Sensor>> known;
  const std::lock_guard lock(mutex);
  auto& sensor = known[device.backend + ":" + std::to_string(device.index)];
  if (sensor == nullptr) sensor = open(device);
  return sensor;
}

}  // namespace portico::bench
