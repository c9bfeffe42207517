// The CUDA spelling of what backends/cuda_hip needs from a vendor. backends/hip/vendor.hpp spells the same names with
// HIP; the two files are kept line for line alike, so that `diff` shows what really differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backends/cuda/api.hpp"
#include "backends/cuda_hip/facts.hpp"

namespace vendor {

using portico::cuda_hip::DeviceFacts;

inline constexpr const char* kName = "cuda";
inline constexpr const char* kTitle = "CUDA";
inline constexpr bool kCompilesInParallel = true;

using Result = cuda::Result;
using Pointer = cuda::DevicePointer;
using Device = cuda::Device;
using Context = cuda::Context;
using Stream = cuda::Stream;
using Event = cuda::Event;
using Graph = cuda::Graph;
using GraphExec = cuda::GraphExec;
using Module = cuda::Module;
using Function = cuda::Function;
using Compilation = cuda::Program;
using CompileResult = cuda::CompileResult;

inline constexpr Result kOk = cuda::kSuccess;
inline constexpr Result kOutOfMemory = cuda::kErrorOutOfMemory;
inline constexpr Result kNotFound = cuda::kErrorNotFound;
inline constexpr Result kRefusedText = cuda::kErrorInvalidPtx;
inline constexpr Result kNotInitialized = cuda::kErrorNotInitialized;
inline constexpr CompileResult kCompiled = cuda::kCompileSuccess;
inline constexpr CompileResult kSourceRejected = cuda::kCompileError;

// After one of these the context does nothing any more, in this process.
inline constexpr Result kLost[] = {
    cuda::kErrorDeinitialized,       cuda::kErrorDeviceUnavailable,  cuda::kErrorEccUncorrectable,
    cuda::kErrorNvlinkUncorrectable, cuda::kErrorContained,          cuda::kErrorIllegalAddress,
    cuda::kErrorLaunchTimeout,       cuda::kErrorContextIsDestroyed, cuda::kErrorAssert,
    cuda::kErrorHardwareStackError,  cuda::kErrorIllegalInstruction, cuda::kErrorMisalignedAddress,
    cuda::kErrorInvalidAddressSpace, cuda::kErrorInvalidPc,          cuda::kErrorLaunchFailed,
    cuda::kErrorTensorMemoryLeak,
};

// The functions, once open_libraries() has found them. Written before any device exists, read without a lock after.
inline cuda::Driver g_driver;
inline cuda::Compiler g_compiler;

// In driver.cpp: what the two vendors do each in their own way.
int open_libraries();              // returns the number of devices, at least 1, or throws with the reasons
void open_compiler_alone();        // for compiling without a device; throws with the reasons
const std::string& no_compiler();  // why there is none; empty when there is one
std::string binary_targets(const DeviceFacts& facts);  // whose binaries the device loads, best first
std::string compile_targets();                         // what the run-time compiler compiles for, without a device
DeviceFacts device_facts(int index);                   // asks the driver without opening the device
Result retain(int index, Context* out);                // opens the device
void release_context(int index);                       // and closes it
std::string error_text(Result code);                   // the code's name and what it means
const char* compile_text(CompileResult code);
CompileResult compile(Compilation job, const std::string& target);
CompileResult image_size(Compilation job, const std::string& target, std::size_t* size);
CompileResult image(Compilation job, const std::string& target, char* out);
Result parameter_count(Function function, std::uint32_t* out);  // UINT32_MAX when the driver cannot tell

// HIP's pointer type is void*, CUDA's an integer.
inline std::uint64_t address(Pointer pointer) { return pointer; }
inline Pointer pointer_at(std::uint64_t address) { return address; }

inline Result current(Context* out) { return g_driver.cuCtxGetCurrent(out); }
inline Result set_current(Context context) { return g_driver.cuCtxSetCurrent(context); }
inline Result synchronize_device() { return g_driver.cuCtxSynchronize(); }

inline Result allocate(Pointer* out, std::size_t bytes) { return g_driver.cuMemAlloc_v2(out, bytes); }
inline Result release(Pointer pointer) { return g_driver.cuMemFree_v2(pointer); }
inline Result memory_info(std::size_t* free, std::size_t* all) { return g_driver.cuMemGetInfo_v2(free, all); }
inline bool has_ordered_memory() {
  const cuda::Driver& d = g_driver;
  return d.cuMemAllocAsync && d.cuMemFreeAsync && d.cuDeviceGetDefaultMemPool && d.cuMemPoolSetAttribute;
}
inline Result allocate_ordered(Pointer* out, std::size_t bytes, Stream stream) {
  return g_driver.cuMemAllocAsync(out, bytes, stream);
}
inline Result release_ordered(Pointer pointer, Stream stream) { return g_driver.cuMemFreeAsync(pointer, stream); }
// Without this the driver's pool gives everything back whenever a stream is waited for.
inline Result keep_ordered_memory(int index) {
  cuda::MemoryPool pool = nullptr;
  const Result code = g_driver.cuDeviceGetDefaultMemPool(&pool, index);
  std::uint64_t all = UINT64_MAX;
  return code != kOk ? code : g_driver.cuMemPoolSetAttribute(pool, cuda::kPoolReleaseThreshold, &all);
}
inline Result host_allocate(void** out, std::size_t bytes) {
  return g_driver.cuMemHostAlloc(out, bytes, cuda::kHostAllocPortable);
}
inline Result host_release(void* memory) { return g_driver.cuMemFreeHost(memory); }
inline Result upload(Pointer to, const void* from, std::size_t bytes, Stream stream) {
  return g_driver.cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
}
inline Result download(void* to, Pointer from, std::size_t bytes, Stream stream) {
  return g_driver.cuMemcpyDtoHAsync_v2(to, from, bytes, stream);
}
inline Result copy(Pointer to, Pointer from, std::size_t bytes, Stream stream) {
  return g_driver.cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
}
inline Result fill(Pointer to, std::uint32_t pattern, std::size_t words, Stream stream) {
  return g_driver.cuMemsetD32Async(to, pattern, words, stream);
}

inline Result stream_create(Stream* out) { return g_driver.cuStreamCreate(out, cuda::kStreamNonBlocking); }
inline Result stream_destroy(Stream stream) { return g_driver.cuStreamDestroy_v2(stream); }
inline Result stream_synchronize(Stream stream) { return g_driver.cuStreamSynchronize(stream); }
inline Result stream_wait(Stream stream, Event event) { return g_driver.cuStreamWaitEvent(stream, event, 0); }
inline bool is_capturing(Stream stream) {
  cuda::CaptureStatus status = cuda::kNotCapturing;
  return g_driver.cuStreamIsCapturing && g_driver.cuStreamIsCapturing(stream, &status) == kOk &&
         status != cuda::kNotCapturing;
}
inline bool has_graphs() {
  const cuda::Driver& d = g_driver;
  return d.cuStreamBeginCapture_v2 && d.cuStreamEndCapture && d.cuGraphInstantiateWithFlags && d.cuGraphLaunch &&
         d.cuGraphExecDestroy && d.cuGraphDestroy;
}
// Relaxed: what a thread does beside its capture (allocations, compilations) is its own business.
inline Result capture_begin(Stream stream) { return g_driver.cuStreamBeginCapture_v2(stream, cuda::kCaptureRelaxed); }
inline Result capture_end(Stream stream, Graph* out) { return g_driver.cuStreamEndCapture(stream, out); }
inline Result graph_instantiate(GraphExec* out, Graph graph) {
  return g_driver.cuGraphInstantiateWithFlags(out, graph, 0);
}
inline Result graph_launch(GraphExec graph, Stream stream) { return g_driver.cuGraphLaunch(graph, stream); }
inline Result graph_exec_destroy(GraphExec graph) { return g_driver.cuGraphExecDestroy(graph); }
inline Result graph_destroy(Graph graph) { return g_driver.cuGraphDestroy(graph); }
inline Result event_create(Event* out) { return g_driver.cuEventCreate(out, cuda::kEventDefault); }
inline Result event_destroy(Event event) { return g_driver.cuEventDestroy_v2(event); }
inline Result event_record(Event event, Stream stream) { return g_driver.cuEventRecord(event, stream); }
inline Result event_synchronize(Event event) { return g_driver.cuEventSynchronize(event); }
inline Result event_elapsed(float* ms, Event start, Event stop) { return g_driver.cuEventElapsedTime(ms, start, stop); }

inline Result load(Module* out, const void* image) { return g_driver.cuModuleLoadData(out, image); }
inline Result unload(Module module) { return g_driver.cuModuleUnload(module); }
inline Result find(Function* out, Module module, const char* name) {
  return g_driver.cuModuleGetFunction(out, module, name);
}
inline Result launch(Function f, const std::uint32_t* groups, const std::uint32_t* local, Stream stream, void** args) {
  return g_driver.cuLaunchKernel(f, groups[0], groups[1], groups[2], local[0], local[1], local[2], 0, stream, args,
                                 nullptr);
}

inline CompileResult compile_begin(Compilation* out, const char* source) {
  return g_compiler.nvrtcCreateProgram(out, source, "kernel.cl", 0, nullptr, nullptr);
}
inline CompileResult compile_end(Compilation* job) { return g_compiler.nvrtcDestroyProgram(job); }
inline CompileResult log_size(Compilation job, std::size_t* size) {
  return g_compiler.nvrtcGetProgramLogSize(job, size);
}
inline CompileResult log_text(Compilation job, char* out) { return g_compiler.nvrtcGetProgramLog(job, out); }

}  // namespace vendor
