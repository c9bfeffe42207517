// What the plugin uses of HIP, declared here so that no ROCm is needed to build. tests/vendor_headers holds every line
// against the vendor's own headers where those are installed.
//
// A list names each function once, as the library exports it, with its signature; the tables of pointers, the look-up
// and the test are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace hip {

using Result = int;
using DevicePointer = void*;
using Stream = struct StreamObject*;
using Event = struct EventObject*;
using Graph = struct GraphObject*;
using GraphExec = struct GraphExecObject*;
using Module = struct ModuleObject*;
using Function = struct FunctionObject*;
using MemoryPool = struct MemoryPoolObject*;
using PoolAttribute = int;
using CaptureStatus = int;
using CaptureMode = int;

inline constexpr Result kSuccess = 0;
inline constexpr Result kErrorInvalidValue = 1;
inline constexpr Result kErrorOutOfMemory = 2;
inline constexpr Result kErrorNotInitialized = 3;
inline constexpr Result kErrorDeinitialized = 4;
inline constexpr Result kErrorNoDevice = 100;
inline constexpr Result kErrorEccNotCorrectable = 214;
inline constexpr Result kErrorInvalidKernelFile = 218;
inline constexpr Result kErrorNotFound = 500;
inline constexpr Result kErrorIllegalAddress = 700;
inline constexpr Result kErrorLaunchTimeOut = 702;
inline constexpr Result kErrorContextIsDestroyed = 709;
inline constexpr Result kErrorAssert = 710;
inline constexpr Result kErrorLaunchFailure = 719;

inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr unsigned kEventDefault = 0;
inline constexpr unsigned kHostMallocPortable = 1;
inline constexpr PoolAttribute kPoolReleaseThreshold = 4;  // uint64_t, bytes
inline constexpr CaptureStatus kNotCapturing = 0;
inline constexpr CaptureMode kCaptureRelaxed = 2;

// hipDeviceProp_t has two layouts. hipGetDeviceProperties of ROCm 4 and 5, kept by later versions as ...R0000:
struct PropertiesR0000 {
  char name[256];
  std::size_t totalGlobalMem;
  std::size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  int maxThreadsPerBlock;
  int between1[9];
  std::size_t totalConstMem;
  int major;
  int minor;
  int multiProcessorCount;
  int between2[9];
  std::size_t maxSharedMemoryPerMultiProcessor;
  int between3[3];
  char gcnArchName[256];
  int integrated;
  char rest[2048];  // the runtime writes the whole struct: more room than any version has needed
};

// hipGetDevicePropertiesR0600 of ROCm 6 and later.
struct PropertiesR0600 {
  char name[256];
  char uuid[16];
  char luid[8];
  unsigned luidDeviceNodeMask;
  std::size_t totalGlobalMem;
  std::size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  std::size_t memPitch;
  int maxThreadsPerBlock;
  int between1[7];
  std::size_t totalConstMem;
  int major;
  int minor;
  std::size_t textureAlignment;
  std::size_t texturePitchAlignment;
  int deviceOverlap;
  int multiProcessorCount;
  int kernelExecTimeoutEnabled;
  int integrated;
  char between2[760];
  char gcnArchName[256];
  char rest[2048];
};

// clang-format off
#define PORTICO_HIP_FUNCTIONS(F)                                                                                 \
  F(hipDriverGetVersion, Result(int* version))                                                                   \
  F(hipRuntimeGetVersion, Result(int* version))                                                                  \
  F(hipGetErrorName, const char*(Result))                                                                        \
  F(hipGetErrorString, const char*(Result))                                                                      \
  F(hipGetDeviceCount, Result(int* count))                                                                       \
  F(hipGetDevice, Result(int* device))                                                                           \
  F(hipSetDevice, Result(int device))                                                                            \
  F(hipDeviceSynchronize, Result())                                                                              \
  F(hipMalloc, Result(void**, std::size_t bytes))                                                                \
  F(hipFree, Result(void*))                                                                                      \
  F(hipMemGetInfo, Result(std::size_t* free_bytes, std::size_t* total_bytes))                                    \
  F(hipHostMalloc, Result(void**, std::size_t bytes, unsigned flags))                                            \
  F(hipHostFree, Result(void*))                                                                                  \
  F(hipMemcpyHtoDAsync, Result(DevicePointer to, void* from, std::size_t bytes, Stream))                         \
  F(hipMemcpyDtoHAsync, Result(void* to, DevicePointer from, std::size_t bytes, Stream))                         \
  F(hipMemcpyDtoDAsync, Result(DevicePointer to, DevicePointer from, std::size_t bytes, Stream))                 \
  F(hipMemsetD32Async, Result(DevicePointer, int pattern, std::size_t words, Stream))                            \
  F(hipStreamCreateWithFlags, Result(Stream*, unsigned flags))                                                   \
  F(hipStreamDestroy, Result(Stream))                                                                            \
  F(hipStreamSynchronize, Result(Stream))                                                                        \
  F(hipStreamWaitEvent, Result(Stream, Event, unsigned flags))                                                   \
  F(hipEventCreateWithFlags, Result(Event*, unsigned flags))                                                     \
  F(hipEventDestroy, Result(Event))                                                                              \
  F(hipEventRecord, Result(Event, Stream))                                                                       \
  F(hipEventSynchronize, Result(Event))                                                                          \
  F(hipEventElapsedTime, Result(float* milliseconds, Event start, Event stop))                                   \
  F(hipModuleLoadData, Result(Module*, const void* image))                                                       \
  F(hipModuleUnload, Result(Module))                                                                             \
  F(hipModuleGetFunction, Result(Function*, Module, const char* name))                                           \
  F(hipModuleLaunchKernel, Result(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, \
                                  unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream,             \
                                  void** arguments, void** extra))

// What the plugin can do without; a slot is null where the runtime lacks the function.
#define PORTICO_HIP_OPTIONAL_FUNCTIONS(F) \
  F(hipMallocAsync, Result(void**, std::size_t bytes, Stream)) \
  F(hipFreeAsync, Result(void*, Stream)) \
  F(hipDeviceGetDefaultMemPool, Result(MemoryPool*, int device)) \
  F(hipMemPoolSetAttribute, Result(MemoryPool, PoolAttribute, void* value)) \
  F(hipStreamIsCapturing, Result(Stream, CaptureStatus*)) \
  F(hipStreamBeginCapture, Result(Stream, CaptureMode)) \
  F(hipStreamEndCapture, Result(Stream, Graph*)) \
  F(hipGraphInstantiateWithFlags, Result(GraphExec*, Graph, unsigned long long flags)) \
  F(hipGraphLaunch, Result(GraphExec, Stream)) \
  F(hipGraphExecDestroy, Result(GraphExec)) \
  F(hipGraphDestroy, Result(Graph))

using Program = struct ProgramObject*;
using CompileResult = int;
inline constexpr CompileResult kCompileSuccess = 0;
inline constexpr CompileResult kCompileError = 6;

#define PORTICO_HIPRTC_FUNCTIONS(F)                                                                       \
  F(hiprtcVersion, CompileResult(int* major, int* minor))                                                 \
  F(hiprtcGetErrorString, const char*(CompileResult))                                                     \
  F(hiprtcCreateProgram, CompileResult(Program*, const char* source, const char* name, int header_count,  \
                                       const char** headers, const char** include_names))                 \
  F(hiprtcDestroyProgram, CompileResult(Program*))                                                        \
  F(hiprtcCompileProgram, CompileResult(Program, int option_count, const char** options))                 \
  F(hiprtcGetProgramLogSize, CompileResult(Program, std::size_t*))                                        \
  F(hiprtcGetProgramLog, CompileResult(Program, char*))                                                   \
  F(hiprtcGetCodeSize, CompileResult(Program, std::size_t*))                                              \
  F(hiprtcGetCode, CompileResult(Program, char*))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Driver {
  PORTICO_HIP_FUNCTIONS(PORTICO_FUNCTION_SLOT)
  PORTICO_HIP_OPTIONAL_FUNCTIONS(PORTICO_FUNCTION_SLOT)
  // One of these is there; which one, tells the layout.
  Result (*hipGetDevicePropertiesR0600)(PropertiesR0600*, int device) = nullptr;
  Result (*hipGetDevicePropertiesR0000)(PropertiesR0000*, int device) = nullptr;
};
struct Compiler {
  PORTICO_HIPRTC_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace hip
