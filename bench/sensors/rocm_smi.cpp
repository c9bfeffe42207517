// AMD's management library: the energy counter. Its clocks come in a structure that changed between versions, so the
// clock is read from the kernel driver's file of the same card instead.
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "sensors/sensors.hpp"

namespace portico::bench {
namespace {

class RocmSmi : public Sensor {
 public:
  int (*energy)(std::uint32_t, std::uint64_t* count, float* microjoules_a_count, std::uint64_t* time) = nullptr;
  std::uint32_t index = 0;

  std::string describe() const override { return "ROCm SMI"; }
  std::optional<double> joules() override {
    std::uint64_t count = 0, time = 0;
    float resolution = 0;
    if (energy == nullptr || energy(index, &count, &resolution, &time) != 0) return std::nullopt;
    return static_cast<double>(count) * resolution / 1e6;
  }
  // Lines "1: 1900Mhz *"; the star marks the clock of the moment.
  std::optional<double> megahertz() override {
    std::ifstream file("/sys/class/drm/card" + std::to_string(index) + "/device/pp_dpm_sclk");
    for (std::string line; std::getline(file, line);)
      if (line.find('*') != std::string::npos) return std::strtod(line.c_str() + line.find(' '), nullptr);
    return std::nullopt;
  }
};

}  // namespace

std::shared_ptr<Sensor> open_rocm_smi(int index, std::string& reason) {
  const char* path = std::getenv("PORTICO_ROCM_SMI");
  void* library = nullptr;
  for (const char* name : {path, "librocm_smi64.so.7", "librocm_smi64.so.6", "librocm_smi64.so.5", "librocm_smi64.so"})
    if (library == nullptr && name != nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = dlerror();
    reason = error != nullptr ? error : "librocm_smi64.so does not open";
    return nullptr;
  }
  const auto init = reinterpret_cast<int (*)(std::uint64_t)>(dlsym(library, "rsmi_init"));
  const int code = init != nullptr ? init(0) : -1;
  if (code != 0) {
    reason = "ROCm SMI answers " + std::to_string(code);
    return nullptr;
  }
  auto made = std::make_shared<RocmSmi>();
  made->index = static_cast<std::uint32_t>(index);
  made->energy = reinterpret_cast<decltype(made->energy)>(dlsym(library, "rsmi_dev_energy_count_get"));
  return made;
}

}  // namespace portico::bench
