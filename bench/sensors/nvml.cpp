// NVIDIA's management library. Own declarations of the four functions that are used.
#include <dlfcn.h>

#include <cstdlib>

#include "sensors/sensors.hpp"

namespace portico::bench {
namespace {

using Device = void*;
constexpr int kGraphicsClock = 0;  // NVML_CLOCK_GRAPHICS

class Nvml : public Sensor {
 public:
  int (*energy)(Device, unsigned long long* millijoules) = nullptr;  // since Volta
  int (*clock)(Device, int kind, unsigned* megahertz) = nullptr;
  Device device = nullptr;

  std::string describe() const override { return "NVML"; }
  std::optional<double> joules() override {
    unsigned long long value = 0;
    if (energy == nullptr || energy(device, &value) != 0) return std::nullopt;
    return static_cast<double>(value) / 1e3;
  }
  std::optional<double> megahertz() override {
    unsigned value = 0;
    if (clock == nullptr || clock(device, kGraphicsClock, &value) != 0) return std::nullopt;
    return value;
  }
};

}  // namespace

std::shared_ptr<Sensor> open_nvml(int index, std::string& reason) {
  const char* path = std::getenv("PORTICO_NVML");
  void* library = dlopen(path != nullptr ? path : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = dlerror();
    reason = error != nullptr ? error : "libnvidia-ml.so.1 does not open";
    return nullptr;
  }
  const auto init = reinterpret_cast<int (*)()>(dlsym(library, "nvmlInit_v2"));
  const auto by_index = reinterpret_cast<int (*)(unsigned, Device*)>(dlsym(library, "nvmlDeviceGetHandleByIndex_v2"));
  auto made = std::make_shared<Nvml>();
  made->energy = reinterpret_cast<decltype(made->energy)>(dlsym(library, "nvmlDeviceGetTotalEnergyConsumption"));
  made->clock = reinterpret_cast<decltype(made->clock)>(dlsym(library, "nvmlDeviceGetClockInfo"));
  const int code = init == nullptr || by_index == nullptr ? -1 : init();
  if (code != 0 || by_index(static_cast<unsigned>(index), &made->device) != 0) {
    reason = "NVML answers " + std::to_string(code) + " for device " + std::to_string(index);
    return nullptr;
  }
  return made;
}

}  // namespace portico::bench
