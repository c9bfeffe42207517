// Devices: counted, described, opened. Nothing of the vendor's is opened before the first of these calls.
#include <algorithm>

#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::copy_text;
using plugin::Failure;
using plugin::guarded;

void fail_with(vendor::Result code, const std::string& what) {
  const bool lost = std::find(std::begin(vendor::kLost), std::end(vendor::kLost), code) != std::end(vendor::kLost);
  std::string message = std::string(vendor::kName) + ": " + what + ": " + vendor::error_text(code);
  if (lost) message += "; the device does nothing more in this process, which must be started again";
  if (code == vendor::kNotInitialized)
    message += "; a process made by fork() cannot use the devices that its parent opened: fork before the first use";
  throw Failure{code == vendor::kOutOfMemory ? PORTICO_OUT_OF_MEMORY
                : lost                       ? PORTICO_DEVICE_LOST
                                             : PORTICO_INTERNAL,
                std::move(message)};
}

namespace {

void check_index(int32_t index) {
  const int count = vendor::open_libraries();
  if (index < 0 || index >= count)
    throw Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) + ": device " + std::to_string(index) +
                                           " does not exist, there are " + std::to_string(count)};
}

}  // namespace

portico_status device_count(int32_t* out) {
  return guarded([&] { *out = vendor::open_libraries(); });
}

portico_status device_describe(int32_t index, portico_device_info* out) {
  return guarded([&] {
    check_index(index);
    const DeviceFacts facts = vendor::device_facts(index);
    portico_device_info info{};
    info.struct_size = sizeof info;
    info.features = PORTICO_FEATURE_FP64 | PORTICO_FEATURE_SUBGROUPS | PORTICO_FEATURE_TIMING;
    if (facts.half_arithmetic) info.features |= PORTICO_FEATURE_FP16;
    if (facts.unified_memory) info.features |= PORTICO_FEATURE_UNIFIED_MEMORY;
    if (blas_exists(facts)) info.features |= PORTICO_FEATURE_GEMM;
    if (conv_exists(facts)) info.features |= PORTICO_FEATURE_CONV;
    copy_text(info.name, facts.name);
    copy_text(info.arch, facts.arch);
    copy_text(info.toolchain, facts.toolchain);
    info.memory_bytes = facts.memory_bytes;
    info.max_group_size = static_cast<uint32_t>(facts.max_group_size);
    info.local_bytes = static_cast<uint32_t>(facts.local_bytes);
    info.subgroup_size = static_cast<uint32_t>(facts.warp_size);
    info.compute_units = static_cast<uint32_t>(facts.compute_units);
    *out = info;
  });
}

portico_status device_open(int32_t index, portico_device** out) {
  return guarded([&] {
    check_index(index);
    auto device = std::make_unique<portico_device>();
    device->index = index;
    device->facts = vendor::device_facts(index);
    check(vendor::retain(index, &device->context), "opening the device");
    *out = device.release();
  });
}

void device_close(portico_device* device) {
  vendor::release_context(device->index);
  delete device;
}

portico_status memory_info(portico_device* device, uint64_t* free_bytes, uint64_t* total_bytes) {
  return guarded([&] {
    device->make_current();
    std::size_t free = 0, total = 0;
    check(vendor::memory_info(&free, &total), "asking for the free memory");
    *free_bytes = free;
    *total_bytes = total;
  });
}

}  // namespace portico::cuda_hip
