#include "compilers.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "backends/common/library.hpp"
#include "backends/cuda/api.hpp"
#include "backends/hip/api.hpp"
#include "code_object.hpp"
#include "command.hpp"

namespace portico::test {
namespace {

using plugin::Library;

cuda::Compiler g_nvrtc;
hip::Compiler g_hiprtc;

// ptxas's report of a kernel: "8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads".
std::string spills_in(const std::string& log) {
  std::istringstream lines(log);
  std::string kernel, line, found;
  while (std::getline(lines, line)) {
    if (const std::size_t at = line.find("Function properties for "); at != std::string::npos)
      kernel = line.substr(at + 24);
    const std::size_t at = line.find("bytes stack frame");
    if (at != std::string::npos &&
        line.find(" 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == std::string::npos)
      found += "\n  " + kernel + ":" + line.substr(line.find_first_of("0123456789"));
  }
  return found.empty() ? found : "spills:" + found;
}

// The dialect computes in float. A literal without its f, or a function that lacks a form for float, shows as an
// instruction on doubles.
std::string doubles_in(const std::string& ptx) {
  if (ptx.find(".version") == std::string::npos) return "NVRTC gave no PTX";
  const std::size_t at = ptx.find(".f64");
  if (at == std::string::npos) return {};
  const std::size_t begin = ptx.rfind('\n', at) + 1;
  return "computes in double: " + ptx.substr(begin, ptx.find('\n', at) - begin);
}

std::string spills_in(const std::vector<char>& image) {
  std::string found;
  for (const KernelNotes& kernel : kernel_notes(image)) {
    // Winograd's transforms test sixteen borders at once: their masks go to lanes of vector registers, not to memory.
    const bool masks_in_lanes = kernel.symbol.rfind("winograd_", 0) == 0 && kernel.private_bytes == 0;
    if (kernel.private_bytes + kernel.vgpr_spills + (masks_in_lanes ? 0 : kernel.sgpr_spills) > 0)
      found += "\n  " + kernel.symbol + ": " + std::to_string(kernel.private_bytes) + " bytes of private memory, " +
               std::to_string(kernel.vgpr_spills) + " vector and " + std::to_string(kernel.sgpr_spills) +
               " scalar registers spilled";
  }
  return found.empty() ? found : "spills:" + found;
}

}  // namespace

std::string open_nvrtc() {
  Library library("PORTICO_NVRTC", {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so",
                                    "/usr/local/cuda/lib64/libnvrtc.so", "/opt/cuda/lib64/libnvrtc.so"});
  if (!library) return "no NVRTC: " + library.tried();
  bool complete = true;
#define BIND(name, ...) complete = complete && library.bind(g_nvrtc.name, #name);
  PORTICO_NVRTC_FUNCTIONS(BIND)
#undef BIND
  return complete ? std::string() : library.tried();
}

std::string open_hiprtc() {
  Library library("PORTICO_HIPRTC",
                  {"libhiprtc.so.7", "libhiprtc.so.6", "libamdhip64.so.5", "/opt/rocm/lib/libhiprtc.so"});
  if (!library) return "no hipRTC: " + library.tried();
  bool complete = true;
#define BIND(name, ...) complete = complete && library.bind(g_hiprtc.name, #name);
  PORTICO_HIPRTC_FUNCTIONS(BIND)
#undef BIND
  return complete ? std::string() : library.tried();
}

std::vector<int> nvrtc_knows(const std::vector<int>& wanted) {
  int count = 0;
  g_nvrtc.nvrtcGetNumSupportedArchs(&count);
  std::vector<int> all(static_cast<std::size_t>(count)), known;
  g_nvrtc.nvrtcGetSupportedArchs(all.data());
  for (const int arch : wanted)
    if (std::find(all.begin(), all.end(), arch) != all.end()) known.push_back(arch);
  return known;
}

namespace {

struct NvrtcResult {
  std::string wrong, log, ptx;
  std::vector<char> image;
};

NvrtcResult run_nvrtc(const std::string& text, int arch) {
  NvrtcResult result;
  cuda::Program job = nullptr;
  if (g_nvrtc.nvrtcCreateProgram(&job, text.c_str(), "kernel.cl", 0, nullptr, nullptr) != cuda::kCompileSuccess) {
    result.wrong = "nvrtcCreateProgram failed";
    return result;
  }
  const std::string target = "--gpu-architecture=sm_" + std::to_string(arch);
  const char* options[] = {target.c_str(), "--std=c++17", "--fmad=true", "--ptxas-options=-v"};
  const cuda::CompileResult code = g_nvrtc.nvrtcCompileProgram(job, 4, options);
  std::size_t size = 0;
  g_nvrtc.nvrtcGetProgramLogSize(job, &size);
  result.log.resize(size);
  if (size > 0) g_nvrtc.nvrtcGetProgramLog(job, result.log.data());
  if (code == cuda::kCompileSuccess && g_nvrtc.nvrtcGetPTXSize(job, &size) == cuda::kCompileSuccess) {
    result.ptx.resize(size);
    g_nvrtc.nvrtcGetPTX(job, result.ptx.data());
  }
  if (code == cuda::kCompileSuccess && g_nvrtc.nvrtcGetCUBINSize(job, &size) == cuda::kCompileSuccess) {
    result.image.resize(size);
    g_nvrtc.nvrtcGetCUBIN(job, result.image.data());
  }
  g_nvrtc.nvrtcDestroyProgram(&job);
  if (code != cuda::kCompileSuccess)
    result.wrong = std::string(g_nvrtc.nvrtcGetErrorString(code)) + "\n" + result.log;
  else if (result.log.find("bytes stack frame") == std::string::npos)
    result.wrong = "NVRTC reported no kernel:\n" + result.log;
  return result;
}

}  // namespace

std::string compile_nvrtc(const std::string& text, int arch) {
  const NvrtcResult result = run_nvrtc(text, arch);
  if (!result.wrong.empty()) return result.wrong;
  if (const std::string doubles = doubles_in(result.ptx); !doubles.empty()) return doubles;
  return spills_in(result.log);
}

Cubin compile_cubin(const std::string& text, int arch) {
  NvrtcResult result = run_nvrtc(text, arch);
  if (result.wrong.empty() && result.image.empty()) result.wrong = "NVRTC gave no machine code";
  return {std::move(result.wrong), std::move(result.log), std::move(result.image)};
}

// What the host believes of the kernels (lines of the HIP stand-in: name, bytes of local memory, bytes of each
// parameter) against what the compiler made. The compiler may save local memory, and pads its end.
static std::string disagreement(const std::vector<KernelNotes>& notes, const std::string& host) {
  std::istringstream lines(host);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name;
    std::uint64_t shared = 0;
    fields >> name >> shared;
    const std::vector<std::uint64_t> parameters{std::istream_iterator<std::uint64_t>(fields), {}};
    const auto kernel =
        std::find_if(notes.begin(), notes.end(), [&](const KernelNotes& one) { return one.symbol == name + ".kd"; });
    if (kernel == notes.end()) return "the code object has no kernel " + name;
    if (kernel->parameters != parameters) return name + ": the host passes other parameters than the code object takes";
    if (kernel->local_bytes > (shared + 15) / 16 * 16)
      return name + ": " + std::to_string(kernel->local_bytes) + " bytes of local memory, the host counts " +
             std::to_string(shared);
  }
  return {};
}

std::string compile_hiprtc(const std::string& text, const std::string& arch, const std::string& host) {
  hip::Program job = nullptr;
  if (g_hiprtc.hiprtcCreateProgram(&job, text.c_str(), "kernel.cl", 0, nullptr, nullptr) != hip::kCompileSuccess)
    return "hiprtcCreateProgram failed";
  const std::string target = "--offload-arch=" + arch;
  const char* options[] = {target.c_str(), "-std=c++17", "-O3", "-ffp-contract=fast"};
  const hip::CompileResult code = g_hiprtc.hiprtcCompileProgram(job, 4, options);
  std::size_t size = 0;
  g_hiprtc.hiprtcGetProgramLogSize(job, &size);
  std::string log(size, '\0');
  if (size > 0) g_hiprtc.hiprtcGetProgramLog(job, log.data());
  std::vector<char> image;
  if (code == hip::kCompileSuccess && g_hiprtc.hiprtcGetCodeSize(job, &size) == hip::kCompileSuccess) {
    image.resize(size);
    g_hiprtc.hiprtcGetCode(job, image.data());
  }
  g_hiprtc.hiprtcDestroyProgram(&job);
  if (code != hip::kCompileSuccess) return std::string(g_hiprtc.hiprtcGetErrorString(code)) + "\n" + log;
  try {
    const std::string spills = spills_in(image);
    return spills.empty() ? disagreement(kernel_notes(image), host) : spills;
  } catch (const std::exception& error) {
    return error.what();
  }
}

namespace {
const char* clang() {
  const char* given = std::getenv("PORTICO_CLANG");
  return given ? given : "clang";
}
}  // namespace

std::string open_clang() {
  const std::string command = std::string(clang()) + " -x cl -cl-std=CL1.2 -fsyntax-only /dev/null >/dev/null 2>&1";
  return std::system(command.c_str()) == 0 ? std::string()
                                           : std::string("no clang with an OpenCL front end: ") + clang() +
                                                 " (its path can be given by PORTICO_CLANG)";
}

std::string compile_clang(const std::string& text) {
  const std::string file = "kernel." + std::to_string(getpid()) + ".cl";
  std::ofstream(file, std::ios::binary) << text;
  std::string log;
  const bool accepted = run_command(std::string(clang()) +
                                        " -x cl -cl-std=CL1.2 -fsyntax-only -Xclang -finclude-default-header"
                                        " -Werror=implicit-function-declaration " +
                                        file,
                                    log);
  unlink(file.c_str());
  return accepted ? std::string() : "clang refuses it:\n" + log;
}

}  // namespace portico::test
