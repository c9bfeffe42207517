// The CUDA stand-in as a program sees it: functions found by name, a context on each of its two devices.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "backends/cuda/api.hpp"
#include "backends/cuda/blas_api.hpp"
#include "catch.hpp"
#include "tests/standin/driver/control.hpp"

namespace portico::test {

template <typename Pointer>
void find(Pointer& slot, const char* name) {
  static void* const library = [] {
    void* opened = dlopen(std::getenv("STANDIN_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
    if (!opened) throw std::runtime_error(dlerror());
    return opened;
  }();
  slot = reinterpret_cast<Pointer>(dlsym(library, name));
  if (!slot) throw std::runtime_error(std::string("no function ") + name);
}

struct Functions : cuda::Driver, cuda::Compiler, cuda::blas::Lt {
  cuda::Context contexts[2] = {};
  int (*begin_capture)(cuda::Stream, int mode) = nullptr;
  int (*end_capture)(cuda::Stream, void** graph) = nullptr;
  int (*instantiate)(void** executable, void* graph, unsigned long long flags) = nullptr;
  int (*launch_graph)(void* executable, cuda::Stream) = nullptr;
  int (*destroy_graph)(void*) = nullptr;
  int (*destroy_executable)(void*) = nullptr;
  int (*graph_nodes)(void* graph, void** nodes, std::size_t* count) = nullptr;
  int (*set_node)(void* executable, void* node, const void* params) = nullptr;
  int (*copy_peer)(cuda::DevicePointer, cuda::Context, cuda::DevicePointer, cuda::Context, std::size_t,
                   cuda::Stream) = nullptr;
  int (*event_query)(cuda::Event) = nullptr;
  decltype(&standin_faults) faults = nullptr;
  decltype(&standin_calls) calls = nullptr;
  decltype(&standin_alive) alive = nullptr;
  decltype(&standin_lose) lose = nullptr;

  Functions() {
#define PORTICO_BIND(name, ...) find(name, #name);
    PORTICO_CUDA_DRIVER_FUNCTIONS(PORTICO_BIND)
    PORTICO_CUDA_NEW_DRIVER_FUNCTIONS(PORTICO_BIND)
    PORTICO_NVRTC_FUNCTIONS(PORTICO_BIND)
    PORTICO_CUBLASLT_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
    find(begin_capture, "cuStreamBeginCapture_v2");
    find(end_capture, "cuStreamEndCapture");
    find(instantiate, "cuGraphInstantiateWithFlags");
    find(launch_graph, "cuGraphLaunch");
    find(destroy_graph, "cuGraphDestroy");
    find(destroy_executable, "cuGraphExecDestroy");
    find(graph_nodes, "cuGraphGetNodes");
    find(set_node, "cuGraphExecKernelNodeSetParams_v2");
    find(copy_peer, "cuMemcpyPeerAsync");
    find(event_query, "cuEventQuery");
    find(faults, "standin_faults");
    find(calls, "standin_calls");
    find(alive, "standin_alive");
    find(lose, "standin_lose");
    REQUIRE(cuInit(0) == 0);
    for (int i = 0; i < 2; ++i) REQUIRE(cuDevicePrimaryCtxRetain(&contexts[i], i) == 0);
  }
};

/// On device 0, which is whole again at the start of every test.
inline Functions& on_first() {
  static Functions& made = *new Functions;
  made.faults("");
  made.lose(0, 0);
  made.lose(1, 0);
  REQUIRE(made.cuCtxSetCurrent(made.contexts[0]) == 0);
  return made;
}

inline std::size_t alive_of(Functions& cu, const std::string& kind) {
  std::map<std::string, std::size_t> all;
  cu.alive([](void* to, const char* name,
              std::uint64_t count) { (*static_cast<std::map<std::string, std::size_t>*>(to))[name] = count; },
           &all);
  return all.at(kind);
}

/// A kernel of the dialect, compiled by the stand-in's own compiler. The module lives as long as the process.
inline cuda::Function kernel(Functions& cu, const std::string& text, const char* name) {
  std::ifstream file(PORTICO_PRELUDE);
  std::ostringstream source;
  source << "#define REAL f32\n" << file.rdbuf() << text;
  cuda::Program program = nullptr;
  REQUIRE(cu.nvrtcCreateProgram(&program, source.str().c_str(), "kernel.cl", 0, nullptr, nullptr) == 0);
  const char* options[] = {"--gpu-architecture=compute_80"};
  REQUIRE(cu.nvrtcCompileProgram(program, 1, options) == 0);
  std::size_t size = 0;
  REQUIRE(cu.nvrtcGetPTXSize(program, &size) == 0);
  std::vector<char> image(size);
  REQUIRE(cu.nvrtcGetPTX(program, image.data()) == 0);
  REQUIRE(cu.nvrtcDestroyProgram(&program) == 0);
  cuda::Module module = nullptr;
  REQUIRE(cu.cuModuleLoadData(&module, image.data()) == 0);
  cuda::Function function = nullptr;
  REQUIRE(cu.cuModuleGetFunction(&function, module, name) == 0);
  return function;
}

inline constexpr const char* kScale =
    "KERNEL void scale(IN(f32, x), OUT(f32, y), const uint count, const float by) {\n"
    "  OFFSET(x);\n  OFFSET(y);\n"
    "  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] = x[i] * by;\n}\n";

/// y = x * by on `stream`; the code.
inline int scale(Functions& cu, cuda::Stream stream, cuda::DevicePointer x, cuda::DevicePointer y, unsigned count,
                 float by, unsigned threads = 64) {
  static const cuda::Function function = kernel(cu, kScale, "scale");
  void* arguments[] = {&x, &y, &count, &by};
  return cu.cuLaunchKernel(function, 2, 1, 1, threads, 1, 1, 0, stream, arguments, nullptr);
}

inline cuda::DevicePointer memory(Functions& cu, std::size_t bytes) {
  cuda::DevicePointer made = 0;
  REQUIRE(cu.cuMemAlloc_v2(&made, bytes) == 0);
  return made;
}
inline cuda::Stream stream(Functions& cu) {
  cuda::Stream made = nullptr;
  REQUIRE(cu.cuStreamCreate(&made, 1) == 0);
  return made;
}
inline cuda::Event event(Functions& cu) {
  cuda::Event made = nullptr;
  REQUIRE(cu.cuEventCreate(&made, 0) == 0);
  return made;
}

/// `count` floats of this value at `to`, there when the call returns.
inline void put(Functions& cu, cuda::DevicePointer to, float value, unsigned count) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  REQUIRE(cu.cuMemsetD32Async(to, bits, count, nullptr) == 0);
  REQUIRE(cu.cuStreamSynchronize(nullptr) == 0);
}
inline float first_of(Functions& cu, cuda::DevicePointer from, cuda::Stream on) {
  float value = -1;
  REQUIRE(cu.cuMemcpyDtoHAsync_v2(&value, from, sizeof value, on) == 0);
  REQUIRE(cu.cuStreamSynchronize(on) == 0);
  return value;
}

}  // namespace portico::test
