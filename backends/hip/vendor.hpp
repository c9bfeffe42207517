// The HIP spelling of what backends/cuda_hip needs from a vendor. backends/cuda/vendor.hpp spells the same names with
// CUDA; the two files are kept line for line alike, so that `diff` shows what really differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backends/cuda_hip/facts.hpp"
#include "backends/hip/api.hpp"

namespace vendor {

using portico::cuda_hip::DeviceFacts;

inline constexpr const char* kName = "hip";
inline constexpr const char* kTitle = "HIP";
inline constexpr bool kCompilesInParallel = false;  // the LLVM inside is not promised to be safe for several threads

using Result = hip::Result;
using Pointer = hip::DevicePointer;
using Device = int;
using Context = int;
using Stream = hip::Stream;
using Event = hip::Event;
using Graph = hip::Graph;
using GraphExec = hip::GraphExec;
using Module = hip::Module;
using Function = hip::Function;
using Compilation = hip::Program;
using CompileResult = hip::CompileResult;

inline constexpr Result kOk = hip::kSuccess;
inline constexpr Result kOutOfMemory = hip::kErrorOutOfMemory;
inline constexpr Result kNotFound = hip::kErrorNotFound;
inline constexpr Result kRefusedText = hip::kErrorInvalidKernelFile;
inline constexpr Result kNotInitialized = hip::kErrorNotInitialized;
inline constexpr CompileResult kCompiled = hip::kCompileSuccess;
inline constexpr CompileResult kSourceRejected = hip::kCompileError;

// After one of these the device does nothing any more, in this process.
inline constexpr Result kLost[] = {
    hip::kErrorDeinitialized, hip::kErrorEccNotCorrectable,  hip::kErrorIllegalAddress,
    hip::kErrorLaunchTimeOut, hip::kErrorContextIsDestroyed, hip::kErrorAssert,
    hip::kErrorLaunchFailure,
};

// The functions, once open_libraries() has found them. Written before any device exists, read without a lock after.
inline hip::Driver g_driver;
inline hip::Compiler g_compiler;

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
inline std::uint64_t address(Pointer pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
inline Pointer pointer_at(std::uint64_t address) { return reinterpret_cast<Pointer>(address); }

inline Result current(Context* out) { return g_driver.hipGetDevice(out); }
inline Result set_current(Context context) { return g_driver.hipSetDevice(context); }
inline Result synchronize_device() { return g_driver.hipDeviceSynchronize(); }

inline Result allocate(Pointer* out, std::size_t bytes) { return g_driver.hipMalloc(out, bytes); }
inline Result release(Pointer pointer) { return g_driver.hipFree(pointer); }
inline Result memory_info(std::size_t* free, std::size_t* all) { return g_driver.hipMemGetInfo(free, all); }
inline bool has_ordered_memory() {
  const hip::Driver& d = g_driver;
  return d.hipMallocAsync && d.hipFreeAsync && d.hipDeviceGetDefaultMemPool && d.hipMemPoolSetAttribute;
}
inline Result allocate_ordered(Pointer* out, std::size_t bytes, Stream stream) {
  return g_driver.hipMallocAsync(out, bytes, stream);
}
inline Result release_ordered(Pointer pointer, Stream stream) { return g_driver.hipFreeAsync(pointer, stream); }
// Without this the driver's pool gives everything back whenever a stream is waited for.
inline Result keep_ordered_memory(int index) {
  hip::MemoryPool pool = nullptr;
  const Result code = g_driver.hipDeviceGetDefaultMemPool(&pool, index);
  std::uint64_t all = UINT64_MAX;
  return code != kOk ? code : g_driver.hipMemPoolSetAttribute(pool, hip::kPoolReleaseThreshold, &all);
}
inline Result host_allocate(void** out, std::size_t bytes) {
  return g_driver.hipHostMalloc(out, bytes, hip::kHostMallocPortable);
}
inline Result host_release(void* memory) { return g_driver.hipHostFree(memory); }
inline Result upload(Pointer to, const void* from, std::size_t bytes, Stream stream) {
  return g_driver.hipMemcpyHtoDAsync(to, const_cast<void*>(from), bytes, stream);
}
inline Result download(void* to, Pointer from, std::size_t bytes, Stream stream) {
  return g_driver.hipMemcpyDtoHAsync(to, from, bytes, stream);
}
inline Result copy(Pointer to, Pointer from, std::size_t bytes, Stream stream) {
  return g_driver.hipMemcpyDtoDAsync(to, from, bytes, stream);
}
inline Result fill(Pointer to, std::uint32_t pattern, std::size_t words, Stream stream) {
  return g_driver.hipMemsetD32Async(to, static_cast<int>(pattern), words, stream);
}

inline Result stream_create(Stream* out) { return g_driver.hipStreamCreateWithFlags(out, hip::kStreamNonBlocking); }
inline Result stream_destroy(Stream stream) { return g_driver.hipStreamDestroy(stream); }
inline Result stream_synchronize(Stream stream) { return g_driver.hipStreamSynchronize(stream); }
inline Result stream_wait(Stream stream, Event event) { return g_driver.hipStreamWaitEvent(stream, event, 0); }
inline bool is_capturing(Stream stream) {
  hip::CaptureStatus status = hip::kNotCapturing;
  return g_driver.hipStreamIsCapturing && g_driver.hipStreamIsCapturing(stream, &status) == kOk &&
         status != hip::kNotCapturing;
}
inline bool has_graphs() {
  const hip::Driver& d = g_driver;
  return d.hipStreamBeginCapture && d.hipStreamEndCapture && d.hipGraphInstantiateWithFlags && d.hipGraphLaunch &&
         d.hipGraphExecDestroy && d.hipGraphDestroy;
}
// Relaxed: what a thread does beside its capture (allocations, compilations) is its own business.
inline Result capture_begin(Stream stream) { return g_driver.hipStreamBeginCapture(stream, hip::kCaptureRelaxed); }
inline Result capture_end(Stream stream, Graph* out) { return g_driver.hipStreamEndCapture(stream, out); }
inline Result graph_instantiate(GraphExec* out, Graph graph) {
  return g_driver.hipGraphInstantiateWithFlags(out, graph, 0);
}
inline Result graph_launch(GraphExec graph, Stream stream) { return g_driver.hipGraphLaunch(graph, stream); }
inline Result graph_exec_destroy(GraphExec graph) { return g_driver.hipGraphExecDestroy(graph); }
inline Result graph_destroy(Graph graph) { return g_driver.hipGraphDestroy(graph); }
inline Result event_create(Event* out) { return g_driver.hipEventCreateWithFlags(out, hip::kEventDefault); }
inline Result event_destroy(Event event) { return g_driver.hipEventDestroy(event); }
inline Result event_record(Event event, Stream stream) { return g_driver.hipEventRecord(event, stream); }
inline Result event_synchronize(Event event) { return g_driver.hipEventSynchronize(event); }
inline Result event_elapsed(float* ms, Event start, Event stop) {
  return g_driver.hipEventElapsedTime(ms, start, stop);
}

inline Result load(Module* out, const void* image) { return g_driver.hipModuleLoadData(out, image); }
inline Result unload(Module module) { return g_driver.hipModuleUnload(module); }
inline Result find(Function* out, Module module, const char* name) {
  return g_driver.hipModuleGetFunction(out, module, name);
}
inline Result launch(Function f, const std::uint32_t* groups, const std::uint32_t* local, Stream stream, void** args) {
  return g_driver.hipModuleLaunchKernel(f, groups[0], groups[1], groups[2], local[0], local[1], local[2], 0, stream,
                                        args, nullptr);
}

inline CompileResult compile_begin(Compilation* out, const char* source) {
  return g_compiler.hiprtcCreateProgram(out, source, "kernel.cl", 0, nullptr, nullptr);
}
inline CompileResult compile_end(Compilation* job) { return g_compiler.hiprtcDestroyProgram(job); }
inline CompileResult log_size(Compilation job, std::size_t* size) {
  return g_compiler.hiprtcGetProgramLogSize(job, size);
}
inline CompileResult log_text(Compilation job, char* out) { return g_compiler.hiprtcGetProgramLog(job, out); }

}  // namespace vendor
