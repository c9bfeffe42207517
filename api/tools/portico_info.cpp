// portico-info: which backends and devices this machine has, what they can do, and why the others cannot be used.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "portico/device.hpp"
#include "portico/version.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const portico::DeviceInfo& device) {
  return {{"index", device.index},
          {"name", device.name},
          {"arch", device.arch},
          {"memory_bytes", device.memory_bytes},
          {"toolchain", device.toolchain},
          {"max_group_size", device.max_group_size},
          {"local_bytes", device.local_bytes},
          {"subgroup_size", device.subgroup_size},
          {"compute_units", device.compute_units},
          {"features", device.features()}};
}

void print_json(const portico::CacheInfo& cache, const std::vector<portico::BackendReport>& backends) {
  Json root = {{"version", portico::version()},
               {"cache", {{"path", cache.path}, {"enabled", cache.enabled}}},
               {"backends", Json::array()}};
  if (!cache.enabled) root["cache"]["reason"] = cache.reason;
  for (const portico::BackendReport& backend : backends) {
    Json devices = Json::array();
    for (const portico::DeviceInfo& device : backend.devices) devices.push_back(to_json(device));
    root["backends"].push_back({{"name", backend.name},
                                {"usable", backend.usable},
                                {"reason", backend.reason},
                                {"tried", backend.tried},
                                {"devices", devices}});
  }
  // A driver's texts may hold bytes that are no UTF-8; they must not cost the whole report.
  std::printf("%s\n", root.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

std::string size_text(std::uint64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || value == static_cast<std::uint64_t>(value) ? "%.0f %s" : "%.1f %s",
                value, units[unit]);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

// A reason may list several libraries, each with its own reason, parted by semicolons: one line for each.
void print_indented(const std::string& text) {
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find_first_of(";\n", start), text.size());
    while (start < end && text[start] == ' ') ++start;
    if (end > start) std::printf("    %s\n", text.substr(start, end - start).c_str());
    start = end + 1;
  }
}

void print_text(const portico::CacheInfo& cache, const std::vector<portico::BackendReport>& backends) {
  std::printf("Portico %s\n", portico::version());
  if (cache.enabled)
    std::printf("kernel cache: %s\n", cache.path.c_str());
  else
    std::printf("kernel cache: off (%s)\n", cache.reason.c_str());
  for (const portico::BackendReport& backend : backends) {
    std::printf("\n%s: ", backend.name.c_str());
    if (!backend.usable) {
      std::printf("not usable\n");
      print_indented(backend.reason);
      for (const std::string& path : backend.tried) std::printf("    tried %s\n", path.c_str());
      continue;
    }
    std::printf("%zu device%s\n", backend.devices.size(), backend.devices.size() == 1 ? "" : "s");
    for (const portico::DeviceInfo& device : backend.devices) {
      std::printf("  %s:%d  %s\n", backend.name.c_str(), device.index, device.name.c_str());
      std::printf("    architecture   %s\n", device.arch.c_str());
      std::printf("    toolchain      %s\n", device.toolchain.c_str());
      std::printf("    memory         %s\n", size_text(device.memory_bytes).c_str());
      std::printf("    compute units  %u\n", device.compute_units);
      std::printf("    group          up to %u threads, %s local memory\n", device.max_group_size,
                  size_text(device.local_bytes).c_str());
      if (device.subgroup_size > 0)
        std::printf("    sub-group      %u threads\n", device.subgroup_size);
      else
        std::printf("    sub-group      unknown\n");
      std::printf("    features       %s\n", joined(device.features()).c_str());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Shows the backends and devices that Portico can use, and why it cannot use the others", "portico-info");
  bool json = false;
  app.add_flag("--json", json, "print JSON");
  app.set_version_flag("--version", std::string(portico::version()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    std::fprintf(stderr, "portico-info: %s (--help lists the options)\n", error.what());
    return 2;
  }
  try {
    const portico::CacheInfo cache = portico::cache_info();
    const std::vector<portico::BackendReport> backends = portico::Device::survey();
    (json ? print_json : print_text)(cache, backends);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "portico-info: %s\n", error.what());
    return 1;
  }
  if (std::fflush(stdout) != 0) {
    std::perror("portico-info: output");
    return 1;
  }
  return 0;
}
