// A processor's own counters: RAPL through the kernel's powercap files (readable by root in most systems), the clock
// through cpufreq, else /proc/cpuinfo.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "sensors/sensors.hpp"

namespace portico::bench {
namespace {

namespace fs = std::filesystem;

std::optional<double> number_in(const fs::path& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

std::optional<double> clock_of_cpuinfo() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("cpu MHz", 0) == 0) return std::strtod(line.c_str() + line.find(':') + 1, nullptr);
  return std::nullopt;
}

class Processor : public Sensor {
 public:
  // One zone a package: intel-rapl:0, intel-rapl:1; those below them are parts of the same energy.
  Processor() {
    const char* root = std::getenv("PORTICO_POWERCAP");
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root != nullptr ? root : "/sys/class/powercap", error)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("intel-rapl:", 0) == 0 && name.find(':', 11) == std::string::npos &&
          number_in(entry.path() / "energy_uj"))
        zones_.push_back(entry.path() / "energy_uj");
    }
  }
  std::string describe() const override {
    return zones_.empty()
               ? "energy not available: no readable RAPL counter; clock from cpufreq or /proc/cpuinfo"
               : "RAPL, " + std::to_string(zones_.size()) + " package(s); clock from cpufreq or /proc/cpuinfo";
  }
  std::optional<double> joules() override {
    double sum = 0;
    for (const fs::path& zone : zones_) {
      const auto value = number_in(zone);
      if (!value) return std::nullopt;
      sum += *value;
    }
    if (zones_.empty()) return std::nullopt;
    return sum / 1e6;
  }
  std::optional<double> megahertz() override {
    const auto kilohertz = number_in("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq");
    if (kilohertz) return *kilohertz / 1e3;
    return clock_of_cpuinfo();
  }

 private:
  std::vector<fs::path> zones_;
};

}  // namespace

std::shared_ptr<Sensor> open_processor() { return std::make_shared<Processor>(); }

}  // namespace portico::bench
