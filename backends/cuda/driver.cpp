// Finds the CUDA driver and NVRTC, and tells what the driver knows of its devices.
#include <algorithm>
#include <mutex>
#include <vector>

#include "backends/common/plugin.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "vendor.hpp"

namespace vendor {
namespace {

using portico::cuda_hip::candidates;
using portico::cuda_hip::folder_from;
using portico::cuda_hip::has_precompiled;
using portico::cuda_hip::open_library;
using portico::plugin::Failure;
using portico::plugin::Library;

// What the plugin relies on: the per-thread-safe primary contexts and the binary interface of NVRTC 11.2.
constexpr int kOldestDriver = 11020;

struct Opened {
  int devices = 0;
  int driver_version = 0;  // 1000 * major + 10 * minor
  int compiler_major = 0, compiler_minor = 0;
  std::vector<int> archs;  // that NVRTC compiles for, ascending
};
Opened g_opened;
std::vector<int> g_compiler_archs;  // of a compiler that was opened alone
std::string g_no_compiler;

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string failed(const Library& library, const char* call, Result code) {
  return library.name() + ": " + call + ": " + error_text(code);
}

// Binds the driver's functions and counts its devices. Empty, or the reason why it is of no use.
std::string accept_driver(Library& library, Opened& opened) {
  cuda::Driver& d = g_driver;
  bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(d.name, #name);
  PORTICO_CUDA_DRIVER_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  if (!complete) return library.tried();
#define PORTICO_FIND(name, ...) d.name = library.find<std::remove_pointer_t<decltype(d.name)>>(#name);
  PORTICO_CUDA_NEW_DRIVER_FUNCTIONS(PORTICO_FIND)
#undef PORTICO_FIND

  Result code = d.cuInit(0);
  if (code != kOk) return failed(library, "cuInit", code);
  code = d.cuDriverGetVersion(&opened.driver_version);
  if (code != kOk) return failed(library, "cuDriverGetVersion", code);
  if (opened.driver_version < kOldestDriver)
    return library.name() + ": the driver is for CUDA " + version_text(opened.driver_version) + ", " +
           version_text(kOldestDriver) + " or newer is needed";
  code = d.cuDeviceGetCount(&opened.devices);
  if (code != kOk) return failed(library, "cuDeviceGetCount", code);
  if (opened.devices == 0) return library.name() + ": no device";
  return {};
}

int capability(int index) {
  Device device = 0;
  int major = 0, minor = 0;
  if (g_driver.cuDeviceGet(&device, index) != kOk) return 0;
  g_driver.cuDeviceGetAttribute(&major, cuda::kComputeCapabilityMajor, device);
  g_driver.cuDeviceGetAttribute(&minor, cuda::kComputeCapabilityMinor, device);
  return 10 * major + minor;
}

// Binds NVRTC's functions and asks what it compiles for. Empty, or the reason why it is of no use.
std::string bind_compiler(Library& library, Opened& opened) {
  cuda::Compiler& c = g_compiler;
  bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(c.name, #name);
  PORTICO_NVRTC_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  if (!complete) return library.tried() + " (11.2 or newer is needed)";

  int count = 0;
  CompileResult code = c.nvrtcVersion(&opened.compiler_major, &opened.compiler_minor);
  if (code == kCompiled) code = c.nvrtcGetNumSupportedArchs(&count);
  opened.archs.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (code == kCompiled && count > 0) code = c.nvrtcGetSupportedArchs(opened.archs.data());
  if (code != kCompiled) return library.name() + ": " + compile_text(code);
  if (opened.archs.empty()) return library.name() + ": compiles for no architecture";
  std::sort(opened.archs.begin(), opened.archs.end());
  return {};
}

// A compiler newer than the driver makes code that the driver refuses; one that is too new has forgotten old devices.
std::string unfit(const Library& library, const Opened& opened) {
  const std::string name =
      library.name() + ": NVRTC " + std::to_string(opened.compiler_major) + "." + std::to_string(opened.compiler_minor);
  if (opened.driver_version > 0 && opened.compiler_major > opened.driver_version / 1000)
    return name + " is newer than the driver's CUDA " + version_text(opened.driver_version);
  for (int i = 0; i < opened.devices; ++i)
    if (const int arch = capability(i); arch < opened.archs.front())
      return name + " compiles for sm_" + std::to_string(opened.archs.front()) + " and newer, device " +
             std::to_string(i) + " is sm_" + std::to_string(arch);
  return {};
}

void open_compiler(Opened& opened) {
  const std::vector<std::string> names =
      candidates({"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"},
                 {folder_from({"CUDA_HOME", "CUDA_PATH"}, "/lib64"), "/usr/local/cuda/lib64", "/opt/cuda/lib64"});
  const bool chosen = std::getenv("PORTICO_NVRTC") != nullptr;
  std::string tried;
  Library second_best;
  const auto accept = [&](Library& library) {
    std::string reason = bind_compiler(library, opened);
    if (!reason.empty() || chosen) return reason;
    reason = unfit(library, opened);
    if (!reason.empty() && !second_best) second_best = library;
    return reason;
  };
  if (open_library("PORTICO_NVRTC", names, tried, accept)) return;
  if (!second_best || !bind_compiler(second_best, opened).empty())
    throw Failure{PORTICO_UNSUPPORTED,
                  "no run-time compiler (NVRTC, its path can be given by PORTICO_NVRTC): " + tried};
  portico::plugin::log(PORTICO_LOG_WARNING, "cuda: no NVRTC fits the driver and all devices: " + tried);
}

// The exact machine code where NVRTC knows the device, else the newest PTX that the driver can translate for it.
std::string target_for(int arch) {
  const std::vector<int>& archs = g_opened.archs;
  if (!g_no_compiler.empty()) return {};
  if (std::binary_search(archs.begin(), archs.end(), arch)) return "sm_" + std::to_string(arch);
  const auto above = std::upper_bound(archs.begin(), archs.end(), arch);
  return above == archs.begin() ? std::string() : "compute_" + std::to_string(*(above - 1));
}

void must(Result code, const char* call) {
  if (code != kOk) throw Failure{PORTICO_INTERNAL, std::string(call) + ": " + error_text(code)};
}

int attribute(Device device, cuda::Attribute what) {
  int value = 0;
  must(g_driver.cuDeviceGetAttribute(&value, what, device), "cuDeviceGetAttribute");
  return value;
}

}  // namespace

int open_libraries() {
  static std::mutex mutex;
  static bool opened_once = false;
  const std::lock_guard lock(mutex);
  if (opened_once) return g_opened.devices;  // both libraries stay open: drivers run threads of their own

  Opened opened;
  std::string tried;
  const std::vector<std::string> names = {"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"};
  if (!open_library("PORTICO_CUDA_DRIVER", names, tried,
                    [&](Library& library) { return accept_driver(library, opened); }))
    throw Failure{PORTICO_UNSUPPORTED, "no usable driver (its path can be given by PORTICO_CUDA_DRIVER): " + tried};
  // Without a compiler what was compiled beforehand can still run.
  try {
    open_compiler(opened);
  } catch (const Failure& failure) {
    if (!has_precompiled(reinterpret_cast<const void*>(&open_libraries), kName)) throw;
    g_no_compiler = failure.message;
    g_compiler = {};
    portico::plugin::log(PORTICO_LOG_INFO, std::string(kName) + ": precompiled kernels only: " + failure.message);
  }
  g_opened = opened;
  opened_once = true;
  return opened.devices;
}

DeviceFacts device_facts(int index) {
  Device device = 0;
  char name[256] = {};
  std::size_t memory = 0;
  must(g_driver.cuDeviceGet(&device, index), "cuDeviceGet");
  must(g_driver.cuDeviceGetName(name, sizeof name - 1, device), "cuDeviceGetName");
  must(g_driver.cuDeviceTotalMem_v2(&memory, device), "cuDeviceTotalMem");

  DeviceFacts facts;
  facts.name = name;
  facts.generation =
      10 * attribute(device, cuda::kComputeCapabilityMajor) + attribute(device, cuda::kComputeCapabilityMinor);
  facts.arch = "sm_" + std::to_string(facts.generation);
  facts.target = target_for(facts.generation);
  if (!g_no_compiler.empty())
    facts.toolchain = "no NVRTC, driver for CUDA " + version_text(g_opened.driver_version);
  else
    facts.toolchain = "NVRTC " + std::to_string(g_opened.compiler_major) + "." +
                      std::to_string(g_opened.compiler_minor) + " for " +
                      (facts.target.empty() ? "nothing this device runs" : facts.target) +
                      (facts.target.starts_with("sm_") ? " (machine code)" : " (PTX)") + ", driver for CUDA " +
                      version_text(g_opened.driver_version) + ", --std=c++17 --fmad=true";
  facts.memory_bytes = memory;
  facts.max_group_size = attribute(device, cuda::kMaxThreadsPerBlock);
  facts.local_bytes = attribute(device, cuda::kMaxSharedMemoryPerBlock);
  facts.warp_size = attribute(device, cuda::kWarpSize);
  facts.compute_units = attribute(device, cuda::kMultiprocessorCount);
  facts.unified_memory = attribute(device, cuda::kIntegrated) != 0;
  facts.half_arithmetic = facts.generation >= 53;
  return facts;
}

void open_compiler_alone() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (g_compiler.nvrtcCompileProgram) return;
  Opened opened;
  open_compiler(opened);
  g_compiler_archs = opened.archs;
}

const std::string& no_compiler() { return g_no_compiler; }

// Machine code runs on later devices of the same major version, PTX on all later ones.
std::string binary_targets(const DeviceFacts& facts) {
  std::string targets;
  for (int arch = facts.generation; arch >= facts.generation / 10 * 10; --arch)
    targets += (targets.empty() ? "sm_" : " sm_") + std::to_string(arch);
  for (const int arch : {121, 120, 110, 103, 101, 100, 90, 89, 88, 87, 86, 80, 75, 72, 70, 62, 61, 60, 53, 52, 50})
    if (arch <= facts.generation) targets += " compute_" + std::to_string(arch);
  return targets;
}

std::string compile_targets() {
  const std::vector<int>& archs = g_compiler_archs.empty() ? g_opened.archs : g_compiler_archs;
  std::string targets;
  for (const char* kind : {"sm_", "compute_"})
    for (const int arch : archs) targets += (targets.empty() ? "" : " ") + (kind + std::to_string(arch));
  return targets;
}

Result retain(int index, Context* out) {
  Device device = 0;
  const Result code = g_driver.cuDeviceGet(&device, index);
  return code == kOk ? g_driver.cuDevicePrimaryCtxRetain(out, device) : code;
}

void release_context(int index) {
  Device device = 0;
  if (g_driver.cuDeviceGet(&device, index) == kOk) g_driver.cuDevicePrimaryCtxRelease_v2(device);
}

std::string error_text(Result code) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (g_driver.cuGetErrorName(code, &name) != kOk || !name) return "error " + std::to_string(code);
  if (g_driver.cuGetErrorString(code, &text) != kOk || !text) return name;
  return std::string(name) + " (" + text + ")";
}

const char* compile_text(CompileResult code) { return g_compiler.nvrtcGetErrorString(code); }

CompileResult compile(Compilation job, const std::string& target) {
  const std::string architecture = "--gpu-architecture=" + target;
  const char* options[] = {architecture.c_str(), "--std=c++17", "--fmad=true"};
  return g_compiler.nvrtcCompileProgram(job, 3, options);
}

CompileResult image_size(Compilation job, const std::string& target, std::size_t* size) {
  return target.starts_with("sm_") ? g_compiler.nvrtcGetCUBINSize(job, size) : g_compiler.nvrtcGetPTXSize(job, size);
}

CompileResult image(Compilation job, const std::string& target, char* out) {
  return target.starts_with("sm_") ? g_compiler.nvrtcGetCUBIN(job, out) : g_compiler.nvrtcGetPTX(job, out);
}

// The driver names the end of the list by refusing the index behind it.
Result parameter_count(Function function, std::uint32_t* out) {
  std::uint32_t count = 0;
  std::size_t offset = 0, size = 0;
  if (g_driver.cuFuncGetParamInfo) {
    Result code = kOk;
    while ((code = g_driver.cuFuncGetParamInfo(function, count, &offset, &size)) == kOk) ++count;
    if (code != cuda::kErrorInvalidValue) return code;
  }
  *out = g_driver.cuFuncGetParamInfo ? count : UINT32_MAX;
  return kOk;
}

}  // namespace vendor
