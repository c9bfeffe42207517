// Finds the HIP runtime and hipRTC, and tells what the runtime knows of its devices.
#include <dlfcn.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "backends/common/plugin.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/hip/installed.hpp"
#include "vendor.hpp"

namespace vendor {
namespace {

using portico::cuda_hip::candidates;
using portico::cuda_hip::folder_from;
using portico::cuda_hip::folder_of;
using portico::cuda_hip::has_precompiled;
using portico::cuda_hip::open_library;
using portico::plugin::Failure;
using portico::plugin::Library;

// The first with the functions and the code objects that the plugin uses.
constexpr int kOldestRuntime = 50000000;

struct Opened {
  int devices = 0;
  int driver_version = 0;
  int runtime_version = 0;  // 10000000 * major + 100000 * minor + patch
  int compiler_major = 0, compiler_minor = 0;
};
Opened g_opened;
std::string g_no_compiler;

std::string version_text(int version) {
  return std::to_string(version / 10000000) + "." + std::to_string(version / 100000 % 100) + "." +
         std::to_string(version % 100000);
}

std::string failed(const Library& library, const char* call, Result code) {
  return library.name() + ": " + call + ": " + error_text(code);
}

// hipGetDeviceProperties has changed its struct once. Later libraries export both, each under its own name; those
// before version 6 have the plain name alone, with the first struct.
bool bind_properties(Library& library) {
  hip::Driver& d = g_driver;
  d.hipGetDevicePropertiesR0600 = library.find<Result(hip::PropertiesR0600*, int)>("hipGetDevicePropertiesR0600");
  d.hipGetDevicePropertiesR0000 = library.find<Result(hip::PropertiesR0000*, int)>("hipGetDevicePropertiesR0000");
  if (d.hipGetDevicePropertiesR0600 || d.hipGetDevicePropertiesR0000) return true;
  return library.bind(d.hipGetDevicePropertiesR0000, "hipGetDeviceProperties");
}

// Binds the runtime's functions and counts its devices. Empty, or the reason why it is of no use.
std::string accept_runtime(Library& library, Opened& opened) {
  hip::Driver& d = g_driver;
  bool complete = bind_properties(library);
#define PORTICO_BIND(name, ...) complete = complete && library.bind(d.name, #name);
  PORTICO_HIP_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  if (!complete) return library.tried();
#define PORTICO_FIND(name, ...) d.name = library.find<std::remove_pointer_t<decltype(d.name)>>(#name);
  PORTICO_HIP_OPTIONAL_FUNCTIONS(PORTICO_FIND)
#undef PORTICO_FIND

  Result code = d.hipGetDeviceCount(&opened.devices);  // the first call: of all it says best why there is no device
  if (code != kOk) return failed(library, "hipGetDeviceCount", code);
  if (opened.devices == 0) return library.name() + ": no device";
  code = d.hipRuntimeGetVersion(&opened.runtime_version);
  if (code != kOk) return failed(library, "hipRuntimeGetVersion", code);
  if (opened.runtime_version < kOldestRuntime)
    return library.name() + ": the HIP runtime is " + version_text(opened.runtime_version) + ", " +
           version_text(kOldestRuntime) + " or newer is needed";
  code = d.hipDriverGetVersion(&opened.driver_version);
  if (code != kOk) return failed(library, "hipDriverGetVersion", code);
  return {};
}

std::string accept_compiler(Library& library, Opened& opened) {
  hip::Compiler& c = g_compiler;
  bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(c.name, #name);
  PORTICO_HIPRTC_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  if (!complete) return library.tried();
  const CompileResult code = c.hiprtcVersion(&opened.compiler_major, &opened.compiler_minor);
  return code == kCompiled ? std::string() : library.name() + ": " + compile_text(code);
}

// hipRTC must be of the runtime's version: it loads that runtime itself. From version 6 on it is a library of its own;
// in version 5 the runtime holds it, and some installations have the library besides.
void open_compiler(Library runtime, Opened& opened) {
  const int major = opened.runtime_version / 10000000;
  const std::string folder = folder_of(reinterpret_cast<const void*>(g_driver.hipGetDeviceCount));
  const std::vector<std::string> names = candidates({"libhiprtc.so." + std::to_string(major)}, {folder});
  const bool named = std::getenv("PORTICO_HIPRTC") != nullptr;
  std::string tried;
  const auto accept = [&](Library& library) { return accept_compiler(library, opened); };
  const auto inside = [&] {
    const std::string reason = accept(runtime);
    if (!reason.empty()) tried += (tried.empty() ? "" : "; ") + reason;
    return reason.empty();
  };
  const auto beside = [&] { return bool(open_library("PORTICO_HIPRTC", names, tried, accept)); };
  if (named ? beside() : major >= 6 ? beside() || inside() : inside() || beside()) return;
  throw Failure{PORTICO_UNSUPPORTED,
                "no run-time compiler (hipRTC, its path can be given by PORTICO_HIPRTC): " + tried};
}

void must(Result code, const char* call) {
  if (code != kOk) throw Failure{PORTICO_INTERNAL, std::string(call) + ": " + error_text(code)};
}

template <typename Properties>
DeviceFacts facts_from(const Properties& properties) {
  DeviceFacts facts;
  facts.name = properties.name;
  facts.arch = properties.gcnArchName;
  facts.memory_bytes = properties.totalGlobalMem;
  facts.max_group_size = properties.maxThreadsPerBlock;
  facts.local_bytes = static_cast<int>(properties.sharedMemPerBlock);
  facts.warp_size = properties.warpSize;
  facts.compute_units = properties.multiProcessorCount;
  facts.unified_memory = properties.integrated != 0;
  return facts;
}

}  // namespace

int runtime_major() { return g_opened.runtime_version / 10000000; }

int open_libraries() {
  static std::mutex mutex;
  static bool opened_once = false;
  const std::lock_guard lock(mutex);
  if (opened_once) return g_opened.devices;  // both libraries stay open: drivers run threads of their own

  Opened opened;
  std::string tried;
  const std::vector<std::string> names = candidates({"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"},
                                                    {folder_from({"ROCM_PATH", "HIP_PATH"}, "/lib"), "/opt/rocm/lib"});
  const Library runtime = open_library("PORTICO_HIP_RUNTIME", names, tried,
                                       [&](Library& library) { return accept_runtime(library, opened); });
  if (!runtime)
    throw Failure{PORTICO_UNSUPPORTED, "no usable runtime (its path can be given by PORTICO_HIP_RUNTIME): " + tried};
  // Without a compiler what was compiled beforehand can still run.
  try {
    open_compiler(runtime, opened);
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
  DeviceFacts facts;
  if (g_driver.hipGetDevicePropertiesR0600) {
    hip::PropertiesR0600 properties{};
    must(g_driver.hipGetDevicePropertiesR0600(&properties, index), "hipGetDeviceProperties");
    facts = facts_from(properties);
  } else {
    hip::PropertiesR0000 properties{};
    must(g_driver.hipGetDevicePropertiesR0000(&properties, index), "hipGetDeviceProperties");
    facts = facts_from(properties);
  }
  // hipRTC ends the process on a name that it does not know, so it is given what the runtime itself said and nothing
  // else.
  facts.target = facts.arch;
  if (!g_no_compiler.empty())
    facts.toolchain = "no hipRTC, HIP runtime " + version_text(g_opened.runtime_version);
  else
    facts.toolchain = "hipRTC " + std::to_string(g_opened.compiler_major) + "." +
                      std::to_string(g_opened.compiler_minor) + " for " + facts.target + ", HIP runtime " +
                      version_text(g_opened.runtime_version) + ", driver " + std::to_string(g_opened.driver_version) +
                      ", -std=c++17 -O3 -ffp-contract=fast";
  return facts;
}

void open_compiler_alone() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (g_compiler.hiprtcCompileProgram) return;
  Opened opened;
  std::string tried;
  const std::vector<std::string> names = candidates({"libhiprtc.so.7", "libhiprtc.so.6", "libamdhip64.so.5"},
                                                    {folder_from({"ROCM_PATH", "HIP_PATH"}, "/lib"), "/opt/rocm/lib"});
  if (!open_library("PORTICO_HIPRTC", names, tried, [&](Library& library) { return accept_compiler(library, opened); }))
    throw Failure{PORTICO_UNSUPPORTED,
                  "no run-time compiler (hipRTC, its path can be given by PORTICO_HIPRTC): " + tried};
}

const std::string& no_compiler() { return g_no_compiler; }

// Code for an architecture by its plain name runs whatever its features are set to.
std::string binary_targets(const DeviceFacts& facts) {
  const std::string plain = facts.arch.substr(0, facts.arch.find(':'));
  return plain == facts.arch ? plain : facts.arch + " " + plain;
}

namespace {

// 100 * major + minor, from the end of the file's name (libhiprtc.so.6.4.43484): hiprtcVersion says 9.0 in 5.2 as
// in 6.4. 0 where the name says nothing.
int compiler_version() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(g_compiler.hiprtcCompileProgram), &info) || !info.dli_fname) return 0;
  char file[PATH_MAX];
  if (!realpath(info.dli_fname, file)) return 0;
  const char* suffix = std::strstr(file, ".so.");
  int major = 0, minor = 0;
  return suffix && std::sscanf(suffix, ".so.%d.%d", &major, &minor) == 2 ? 100 * major + minor : 0;
}

}  // namespace

// hipRTC has no function that tells, and ends the process on a name that it does not know. So this is what was tried:
// with 5.2, 5.7 and 6.4, each name in a process of its own.
std::string compile_targets() {
  std::string targets =
      "gfx803 gfx900 gfx902 gfx904 gfx906 gfx908 gfx909 gfx90a gfx90c gfx1010 gfx1011 gfx1012 gfx1030 gfx1031 gfx1032 "
      "gfx1033 gfx1034 gfx1035 gfx1036";
  const int version = compiler_version();
  if (version >= 507) targets += " gfx942 gfx1100";
  if (version >= 604) targets += " gfx950 gfx1101 gfx1102 gfx1103 gfx1150 gfx1151 gfx1200 gfx1201";
  return targets;
}

// A device of HIP needs no opening; being current makes it work.
Result retain(int index, Context* out) {
  *out = index;
  return g_driver.hipSetDevice(index);
}

void release_context(int) {}

std::string error_text(Result code) {
  const char* name = g_driver.hipGetErrorName(code);
  const char* text = g_driver.hipGetErrorString(code);
  return (name ? name : "error " + std::to_string(code)) + (text ? std::string(" (") + text + ")" : std::string());
}

const char* compile_text(CompileResult code) { return g_compiler.hiprtcGetErrorString(code); }

CompileResult compile(Compilation job, const std::string& target) {
  const std::string architecture = "--offload-arch=" + target;
  const char* options[] = {architecture.c_str(), "-std=c++17", "-O3", "-ffp-contract=fast"};
  return g_compiler.hiprtcCompileProgram(job, 4, options);
}

CompileResult image_size(Compilation job, const std::string&, std::size_t* size) {
  return g_compiler.hiprtcGetCodeSize(job, size);
}

CompileResult image(Compilation job, const std::string&, char* out) { return g_compiler.hiprtcGetCode(job, out); }

// HIP has no function that tells.
Result parameter_count(Function, std::uint32_t* out) {
  *out = UINT32_MAX;
  return kOk;
}

}  // namespace vendor
