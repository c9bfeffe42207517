#include "runtime/survey.hpp"

#include "runtime/status.hpp"

namespace portico {

std::vector<std::string> DeviceInfo::features() const {
  const char* const names[] = {"cpu", "unified_memory", "fp16", "fp64", "subgroups", "gemm", "timing", "conv"};
  std::vector<std::string> found;
  for (int bit = 0; bit < 8; ++bit)
    if ((feature_bits >> bit & 1u) != 0) found.emplace_back(names[bit]);
  return found;
}

std::vector<BackendReport> Device::survey() {
  std::vector<BackendReport> reports;
  for (const std::string& name : detail::backend_names()) {
    const detail::LoadedBackend& backend = detail::load_backend(name);
    BackendReport report{.name = name, .usable = backend.devices > 0, .reason = backend.reason, .tried = backend.tried};
    try {
      for (std::int32_t i = 0; i < backend.devices; ++i) report.devices.push_back(detail::describe(backend, i));
    } catch (const Error& error) {
      report.usable = false;
      report.reason = error.what();
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

namespace detail {

std::string why_unusable(const LoadedBackend& backend) {
  std::string text = backend.name + ": " + backend.reason + "; tried";
  for (const std::string& path : backend.tried) text += " " + path;
  return text;
}

DeviceInfo describe(const LoadedBackend& backend, std::int32_t index) {
  portico_device_info raw{.struct_size = sizeof(portico_device_info)};
  check(backend.api->device_describe(index, &raw), "describe " + backend.name + ":" + std::to_string(index));
  return {.backend = backend.name,
          .index = index,
          .name = raw.name,
          .arch = raw.arch,
          .toolchain = raw.toolchain,
          .memory_bytes = raw.memory_bytes,
          .max_group_size = raw.max_group_size,
          .local_bytes = raw.local_bytes,
          .subgroup_size = raw.subgroup_size,
          .compute_units = raw.compute_units,
          .feature_bits = raw.features};
}

}  // namespace detail
}  // namespace portico
