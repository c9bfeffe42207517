#include "manifest.hpp"

#include <dlfcn.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <thread>

#include "limits.hpp"
#include "portico/version.hpp"
#include "sensors/sensors.hpp"

extern char** environ;

namespace portico::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string system_name() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("PRETTY_NAME=", 0) == 0) return line.substr(13, line.size() - 14);
  return "unknown";
}

std::string date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string openblas_version() {
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return "not available";
  const auto config = reinterpret_cast<char* (*)()>(dlsym(library, "openblas_get_config"));
  return config != nullptr ? config() : "unknown";
}

Json variables() {
  Json all = Json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    for (const char* prefix :
         {"PORTICO_", "OPENBLAS_", "OMP_", "OCL_", "POCL_", "CL_CONFIG_", "CUDA_", "HIP_", "ROCR_"})
      if (equals != std::string::npos && text.rfind(prefix, 0) == 0)
        all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return all;
}

Json device_entry(const Device& device) {
  const DeviceInfo& info = device.info();
  Json entry = {{"label", device.label()},
                {"name", info.name},
                {"arch", info.arch},
                {"toolchain", info.toolchain},
                {"memory_bytes", info.memory_bytes},
                {"compute_units", info.compute_units},
                {"processor", info.is_cpu()},
                {"features", info.features()},
                {"sensor", open_sensor(info)->describe()}};
  try {
    const Limits& roof = limits(device);
    entry["limits"] = {{"copy_bytes_per_second", roof.bytes_per_second},
                       {"triad_bytes_per_second", roof.triad},
                       {"fma_f32_flops", roof.flops},
                       {"launch_seconds", roof.launch_seconds},
                       {"to_device_bytes_per_second", roof.to_device},
                       {"to_host_bytes_per_second", roof.to_host}};
    if (roof.flops_f16 > 0) entry["limits"]["fma_f16_flops"] = roof.flops_f16;
  } catch (const Error& error) {
    entry["error"] = error.what();
  }
  return entry;
}

}  // namespace

Json machine_manifest(const std::vector<Device>& devices, const std::string& command) {
  utsname name{};
  uname(&name);
  Json made = {{"portico_version", portico::version()},
               {"commit", kCommit},
               {"command", command},
               {"date", date()},
               {"processor", processor()},
               {"cores", std::thread::hardware_concurrency()},
               {"system", system_name()},
               {"kernel", std::string(name.sysname) + " " + name.release},
               {"host_compiler", __VERSION__},
               {"openblas", openblas_version()},
               {"variables", variables()},
               {"devices", Json::array()},
               {"not_usable", Json::object()}};
  for (const Device& device : devices) made["devices"].push_back(device_entry(device));
  for (const BackendReport& report : Device::survey())
    if (!report.usable) made["not_usable"][report.name] = report.reason;
  return made;
}

}  // namespace portico::bench
