#include "compiler.hpp"

#include <algorithm>
#include <vector>

#include "backends/common/library.hpp"
#include "backends/cuda/api.hpp"

namespace portico::standin::check {
namespace {

const cuda::Compiler& nvrtc() {
  static const cuda::Compiler compiler = [] {
    plugin::Library library("PORTICO_NVRTC", {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so",
                                              "/usr/local/cuda/lib64/libnvrtc.so", "/opt/cuda/lib64/libnvrtc.so"});
    if (!library) throw NoCompiler("no NVRTC (its path can be given by PORTICO_NVRTC): " + library.tried());
    cuda::Compiler c;
    bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(c.name, #name);
    PORTICO_NVRTC_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
    if (!complete) throw NoCompiler("NVRTC is of no use: " + library.tried());
    return c;
  }();
  return compiler;
}

std::string architecture(const std::string& arch) {
  const std::size_t digit = arch.find_first_of("0123456789");
  const std::string number = digit == std::string::npos ? "" : arch.substr(digit);
  const bool digits =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::string prefix = arch.substr(0, digit);
  if (!digits || (!prefix.empty() && prefix != "compute_" && prefix != "sm_"))
    throw std::runtime_error("--arch " + arch + ": compute_80 or another such name is wanted");
  return "compute_" + number;
}

}  // namespace

std::string compile(const std::string& text, const std::string& arch) {
  const std::string target = "--gpu-architecture=" + architecture(arch);
  const cuda::Compiler& c = nvrtc();
  cuda::Program job = nullptr;
  if (c.nvrtcCreateProgram(&job, text.c_str(), "kernel.cl", 0, nullptr, nullptr) != cuda::kCompileSuccess)
    throw NoCompiler("nvrtcCreateProgram failed");
  const char* options[] = {target.c_str(), "--std=c++17", "--fmad=true", "-lineinfo"};
  const cuda::CompileResult code = c.nvrtcCompileProgram(job, 4, options);
  std::size_t size = 0;
  std::string log, ptx;
  if (c.nvrtcGetProgramLogSize(job, &size) == cuda::kCompileSuccess && size > 1) {
    log.resize(size);
    c.nvrtcGetProgramLog(job, log.data());
    log.resize(size - 1);
  }
  if (code == cuda::kCompileSuccess && c.nvrtcGetPTXSize(job, &size) == cuda::kCompileSuccess) {
    ptx.resize(size);
    c.nvrtcGetPTX(job, ptx.data());
  }
  c.nvrtcDestroyProgram(&job);
  if (code != cuda::kCompileSuccess) throw DoesNotCompile(std::string(c.nvrtcGetErrorString(code)) + "\n" + log);
  return ptx;
}

}  // namespace portico::standin::check
