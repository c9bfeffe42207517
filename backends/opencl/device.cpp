// Devices of every platform, and what the core wants to know about them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "backends/opencl/objects.hpp"

// Of vendors' extensions; the numbers are in the registry's cl_ext.h, not in every installed one.
#define PORTICO_CL_WARP_SIZE_NV 0x4003
#define PORTICO_CL_WAVEFRONT_WIDTH_AMD 0x4043
#define PORTICO_CL_GLOBAL_FREE_MEMORY_AMD 0x4039

namespace portico::opencl {
namespace {

template <typename T>
T device_value(cl_device_id id, cl_device_info what, T otherwise) {
  T value{};
  return cl.GetDeviceInfo(id, what, sizeof value, &value, nullptr) == CL_SUCCESS ? value : otherwise;
}

// For what decides which kernels are taken: a guess would compute something else than the run before did.
template <typename T>
T needed_value(cl_device_id id, cl_device_info what, const char* name) {
  T value{};
  check(cl.GetDeviceInfo(id, what, sizeof value, &value, nullptr), name);
  return value;
}
#define PORTICO_NEEDED(T, id, what) needed_value<T>(id, what, "clGetDeviceInfo(" #what ")")

template <typename Query>
std::string text_of(Query query) {
  std::size_t size = 0;
  if (query(0, nullptr, &size) != CL_SUCCESS || size == 0) return {};
  std::string text(size, '\0');
  if (query(size, text.data(), nullptr) != CL_SUCCESS) return {};
  while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string device_text(cl_device_id id, cl_device_info what) {
  return text_of(
      [&](std::size_t size, void* to, std::size_t* needed) { return cl.GetDeviceInfo(id, what, size, to, needed); });
}

std::string platform_text(cl_platform_id id, cl_platform_info what) {
  return text_of(
      [&](std::size_t size, void* to, std::size_t* needed) { return cl.GetPlatformInfo(id, what, size, to, needed); });
}

struct Listing {
  std::vector<cl_device_id> devices;
  std::string reason;  // why there is none
};

bool usable(cl_device_id id, std::string& reason) {
  const char* lack = nullptr;
  if (!device_value<cl_bool>(id, CL_DEVICE_AVAILABLE, CL_FALSE))
    lack = "is not available";
  else if (!device_value<cl_bool>(id, CL_DEVICE_COMPILER_AVAILABLE, CL_FALSE))
    lack = "has no compiler";
  else if (!device_value<cl_bool>(id, CL_DEVICE_ENDIAN_LITTLE, CL_FALSE))
    lack = "is big-endian";
  if (lack) reason += "; " + device_text(id, CL_DEVICE_NAME) + " " + lack;
  return !lack;
}

Listing list_devices() {
  Listing listing;
  listing.reason = load_api();
  if (!listing.reason.empty()) return listing;

  cl_uint count = 0;
  const cl_int code = cl.GetPlatformIDs(0, nullptr, &count);
  if (code != CL_SUCCESS || count == 0) {
    listing.reason = "the OpenCL loader found no driver";
    if (code != CL_SUCCESS) listing.reason += ": clGetPlatformIDs: " + error_name(code);
    listing.reason += " (Debian: pocl-opencl-icd runs on the CPU)";
    return listing;
  }
  std::vector<cl_platform_id> platforms(count);
  check(cl.GetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs");

  listing.reason = "no OpenCL platform has a usable device";
  // GPUs before other accelerators before CPUs, so that index 0 is what one most likely means.
  for (const cl_device_type type : {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_CPU}) {
    for (cl_platform_id platform : platforms) {
      cl_uint found = 0;
      const cl_int state = cl.GetDeviceIDs(platform, type, 0, nullptr, &found);
      if (state != CL_SUCCESS && state != CL_DEVICE_NOT_FOUND)
        listing.reason += "; " + platform_text(platform, CL_PLATFORM_NAME) + ": clGetDeviceIDs: " + error_name(state);
      if (state != CL_SUCCESS || found == 0) continue;
      std::vector<cl_device_id> ids(found);
      if (cl.GetDeviceIDs(platform, type, found, ids.data(), nullptr) != CL_SUCCESS) continue;
      for (cl_device_id id : ids)
        if (usable(id, listing.reason)) listing.devices.push_back(id);
    }
  }
  return listing;
}

/// Looked up once: a driver's answer does not change within a process.
const Listing& devices() {
  static const Listing& listing = *new Listing(list_devices());
  return listing;
}

cl_device_id device_at(int32_t index) {
  const auto& ids = devices().devices;
  if (index < 0 || static_cast<std::size_t>(index) >= ids.size())
    throw Failure{PORTICO_UNSUPPORTED, "opencl: device index " + std::to_string(index) + ", there are " +
                                           std::to_string(ids.size()) + " devices"};
  return ids[static_cast<std::size_t>(index)];
}

// Whole words only: cl_khr_subgroups is also the beginning of other names.
bool has_extension(std::string_view extensions, std::string_view name) {
  for (std::size_t at = extensions.find(name); at != std::string_view::npos; at = extensions.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || extensions[at - 1] == ' ') && (end == extensions.size() || extensions[end] == ' ')) return true;
  }
  return false;
}

// "OpenCL 3.0 ..." as 30; 0 when the text is of another form.
int version_of(const std::string& text) {
  int major = 0, minor = 0;
  const std::size_t digits = text.find_first_of("0123456789");
  if (digits == std::string::npos || std::sscanf(text.c_str() + digits, "%d.%d", &major, &minor) != 2) return 0;
  return major * 10 + minor;
}

bool has_subgroups(cl_device_id id, const std::string& extensions) {
  const bool any = has_extension(extensions, "cl_khr_subgroups") ||
                   device_value<cl_uint>(id, CL_DEVICE_MAX_NUM_SUB_GROUPS, 0) > 0;  // part of the core since 2.1
  return any && has_extension(extensions, "cl_khr_subgroup_shuffle");
}

// The dialect is OpenCL C 1.2; only sub-groups need more, and they come with a language version that has them.
std::string compiler_options(cl_device_id id) {
  const int language = version_of(device_text(id, CL_DEVICE_OPENCL_C_VERSION));
  const bool subgroups = has_subgroups(id, device_text(id, CL_DEVICE_EXTENSIONS));
  const char* standard = subgroups && language >= 30 ? "CL3.0" : subgroups && language >= 20 ? "CL2.0" : "CL1.2";
  // Nothing that changes results: no relaxed or unsafe mathematics. The argument table is what kernel_arg_count reads.
  return std::string("-cl-std=") + standard + " -cl-kernel-arg-info -w";
}

// All that decides what the compiler makes. A text too long for the ABI's array ends in a digest of the whole.
std::string toolchain(cl_device_id id) {
  const auto platform = device_value<cl_platform_id>(id, CL_DEVICE_PLATFORM, nullptr);
  std::string text = platform_text(platform, CL_PLATFORM_NAME) + " " + platform_text(platform, CL_PLATFORM_VERSION) +
                     "; driver " + device_text(id, CL_DRIVER_VERSION) + "; " + device_text(id, CL_DEVICE_NAME) + "; " +
                     device_text(id, CL_DEVICE_VERSION) + "; " + compiler_options(id);
  // Intel's CPU runtime makes code for the processor that this variable names, else for the one that it recognises.
  if (const char* target = std::getenv("CL_CONFIG_CPU_TARGET_ARCH")) text += std::string("; target ") + target;
  constexpr std::size_t kRoom = sizeof(portico_device_info::toolchain) - 1;
  if (text.size() <= kRoom) return text;
  std::uint64_t digest = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  char tail[24];
  std::snprintf(tail, sizeof tail, "... %016llx", static_cast<unsigned long long>(digest));
  text.resize(kRoom - std::string_view(tail).size());
  return text + tail;
}

uint32_t subgroup_size(cl_device_id id, const std::string& extensions) {
  cl_uint size = 0;
  if (has_extension(extensions, "cl_nv_device_attribute_query"))
    size = device_value<cl_uint>(id, PORTICO_CL_WARP_SIZE_NV, 0);
  else if (has_extension(extensions, "cl_amd_device_attribute_query"))
    size = device_value<cl_uint>(id, PORTICO_CL_WAVEFRONT_WIDTH_AMD, 0);
  return size;  // elsewhere the compiler chooses kernel by kernel
}

uint32_t features(cl_device_id id, const std::string& extensions, cl_device_type type) {
  uint32_t set = PORTICO_FEATURE_TIMING;
  if (type & CL_DEVICE_TYPE_CPU) set |= PORTICO_FEATURE_CPU;
  if (device_value<cl_bool>(id, CL_DEVICE_HOST_UNIFIED_MEMORY, CL_FALSE)) set |= PORTICO_FEATURE_UNIFIED_MEMORY;
  if (has_extension(extensions, "cl_khr_fp16")) set |= PORTICO_FEATURE_FP16;
  if (device_value<cl_device_fp_config>(id, CL_DEVICE_DOUBLE_FP_CONFIG, 0)) set |= PORTICO_FEATURE_FP64;
  if (has_subgroups(id, extensions)) set |= PORTICO_FEATURE_SUBGROUPS;
  if (gemm_available(type)) set |= PORTICO_FEATURE_GEMM;
  return set;
}

void describe(cl_device_id id, portico_device_info& out) {
  const std::string extensions = device_text(id, CL_DEVICE_EXTENSIONS);
  const auto type = PORTICO_NEEDED(cl_device_type, id, CL_DEVICE_TYPE);
  out.features = features(id, extensions, type);
  plugin::copy_text(out.name, device_text(id, CL_DEVICE_NAME));
  plugin::copy_text(out.arch, device_text(id, CL_DEVICE_VERSION));
  plugin::copy_text(out.toolchain, toolchain(id));
  out.memory_bytes = PORTICO_NEEDED(cl_ulong, id, CL_DEVICE_GLOBAL_MEM_SIZE);
  out.max_group_size = static_cast<uint32_t>(PORTICO_NEEDED(std::size_t, id, CL_DEVICE_MAX_WORK_GROUP_SIZE));
  out.local_bytes = static_cast<uint32_t>(PORTICO_NEEDED(cl_ulong, id, CL_DEVICE_LOCAL_MEM_SIZE));
  out.subgroup_size = subgroup_size(id, extensions);
  out.compute_units = PORTICO_NEEDED(cl_uint, id, CL_DEVICE_MAX_COMPUTE_UNITS);
}

}  // namespace

portico_status device_count(int32_t* out) {
  return guarded([&] {
    const Listing& listing = devices();
    if (listing.devices.empty()) throw Failure{PORTICO_UNSUPPORTED, listing.reason};
    *out = static_cast<int32_t>(listing.devices.size());
  });
}

portico_status device_describe(int32_t index, portico_device_info* out) {
  return guarded([&] { describe(device_at(index), *out); });
}

portico_status device_open(int32_t index, portico_device** out) {
  return guarded([&] {
    auto device = std::make_unique<portico_device>();
    device->id = device_at(index);
    portico_device_info info{};
    describe(device->id, info);
    device->name = info.name;
    device->options = compiler_options(device->id);
    device->local_bytes = info.local_bytes;
    device->max_group_size = info.max_group_size;
    device->max_buffer_bytes = device_value<cl_ulong>(device->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
    device->is_cpu = (info.features & PORTICO_FEATURE_CPU) != 0;
    device->command_buffers = find_command_buffers(device->id);
    device->has_gemm = (info.features & PORTICO_FEATURE_GEMM) != 0;
    const auto svm = device_value<cl_device_svm_capabilities>(device->id, CL_DEVICE_SVM_CAPABILITIES, 0);
    device->shares_memory = device->is_cpu && (svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0 && cl.SVMAlloc && cl.SVMFree;

    cl_int code = CL_SUCCESS;
    device->context.reset(cl.CreateContext(nullptr, 1, &device->id, nullptr, nullptr, &code));
    check(code, "clCreateContext", Phase::allocate);
    device->service.reset(cl.CreateCommandQueue(device->context.get(), device->id, 0, &code));
    check(code, "clCreateCommandQueue", Phase::allocate);
    *out = device.release();
  });
}

void device_close(portico_device* device) { delete device; }

portico_status memory_info(portico_device* device, uint64_t* free_bytes, uint64_t* total_bytes) {
  return guarded([&] {
    const auto total = device_value<cl_ulong>(device->id, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
    uint64_t available = 0;
    if (device->is_cpu) {
      const std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })> file(
          std::fopen("/proc/meminfo", "r"));
      char line[128];
      unsigned long long kilobytes = 0;
      while (file && std::fgets(line, sizeof line, file.get()))
        if (std::sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1) available = kilobytes * 1024;
    } else if (has_extension(device_text(device->id, CL_DEVICE_EXTENSIONS), "cl_amd_device_attribute_query")) {
      std::size_t kilobytes[2] = {};  // all of it, and the largest block
      if (cl.GetDeviceInfo(device->id, PORTICO_CL_GLOBAL_FREE_MEMORY_AMD, sizeof kilobytes, kilobytes, nullptr) ==
          CL_SUCCESS)
        available = kilobytes[0] * 1024;
    }
    if (available == 0) throw Failure{PORTICO_UNSUPPORTED, device->name + " does not tell how much memory is free"};
    *free_bytes = std::min<uint64_t>(available, total);
    *total_bytes = total;
  });
}

}  // namespace portico::opencl
