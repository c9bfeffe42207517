// What the plugin uses of CUDA, declared here so that no toolkit is needed to build. tests/vendor_headers holds every
// line against the vendor's own headers where those are installed.
//
// A list names each function once, as the library exports it (the version suffix included), with its signature; the
// tables of pointers, the look-up and the test are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace cuda {

using Result = int;
using Device = int;
using DevicePointer = unsigned long long;
using Context = struct ContextObject*;
using Stream = struct StreamObject*;
using Event = struct EventObject*;
using Graph = struct GraphObject*;
using GraphExec = struct GraphExecObject*;
using Module = struct ModuleObject*;
using Function = struct FunctionObject*;
using Attribute = int;
using MemoryPool = struct MemoryPoolObject*;
using PoolAttribute = int;
using CaptureStatus = int;
using CaptureMode = int;

inline constexpr Result kSuccess = 0;
inline constexpr Result kErrorInvalidValue = 1;
inline constexpr Result kErrorOutOfMemory = 2;
inline constexpr Result kErrorNotInitialized = 3;
inline constexpr Result kErrorDeinitialized = 4;
inline constexpr Result kErrorDeviceUnavailable = 46;
inline constexpr Result kErrorNoDevice = 100;
inline constexpr Result kErrorEccUncorrectable = 214;
inline constexpr Result kErrorInvalidPtx = 218;
inline constexpr Result kErrorNvlinkUncorrectable = 220;
inline constexpr Result kErrorUnsupportedPtxVersion = 222;
inline constexpr Result kErrorContained = 226;
inline constexpr Result kErrorNotFound = 500;
inline constexpr Result kErrorIllegalAddress = 700;
inline constexpr Result kErrorLaunchTimeout = 702;
inline constexpr Result kErrorContextIsDestroyed = 709;
inline constexpr Result kErrorAssert = 710;
inline constexpr Result kErrorHardwareStackError = 714;
inline constexpr Result kErrorIllegalInstruction = 715;
inline constexpr Result kErrorMisalignedAddress = 716;
inline constexpr Result kErrorInvalidAddressSpace = 717;
inline constexpr Result kErrorInvalidPc = 718;
inline constexpr Result kErrorLaunchFailed = 719;
inline constexpr Result kErrorTensorMemoryLeak = 721;

inline constexpr Attribute kMaxThreadsPerBlock = 1;
inline constexpr Attribute kMaxSharedMemoryPerBlock = 8;
inline constexpr Attribute kWarpSize = 10;
inline constexpr Attribute kMultiprocessorCount = 16;
inline constexpr Attribute kIntegrated = 18;
inline constexpr Attribute kComputeCapabilityMajor = 75;
inline constexpr Attribute kComputeCapabilityMinor = 76;

inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr unsigned kEventDefault = 0;
inline constexpr unsigned kHostAllocPortable = 1;
inline constexpr PoolAttribute kPoolReleaseThreshold = 4;  // uint64_t, bytes
inline constexpr CaptureStatus kNotCapturing = 0;
inline constexpr CaptureMode kCaptureRelaxed = 2;

// clang-format off
#define PORTICO_CUDA_DRIVER_FUNCTIONS(F)                                                                  \
  F(cuInit, Result(unsigned flags))                                                                       \
  F(cuDriverGetVersion, Result(int* version))                                                             \
  F(cuGetErrorName, Result(Result, const char** text))                                                    \
  F(cuGetErrorString, Result(Result, const char** text))                                                  \
  F(cuDeviceGetCount, Result(int* count))                                                                 \
  F(cuDeviceGet, Result(Device*, int ordinal))                                                            \
  F(cuDeviceGetName, Result(char* name, int size, Device))                                                \
  F(cuDeviceGetAttribute, Result(int* value, Attribute, Device))                                          \
  F(cuDeviceTotalMem_v2, Result(std::size_t* bytes, Device))                                              \
  F(cuDevicePrimaryCtxRetain, Result(Context*, Device))                                                   \
  F(cuDevicePrimaryCtxRelease_v2, Result(Device))                                                         \
  F(cuCtxGetCurrent, Result(Context*))                                                                    \
  F(cuCtxSetCurrent, Result(Context))                                                                     \
  F(cuCtxSynchronize, Result())                                                                           \
  F(cuMemAlloc_v2, Result(DevicePointer*, std::size_t bytes))                                             \
  F(cuMemFree_v2, Result(DevicePointer))                                                                  \
  F(cuMemGetInfo_v2, Result(std::size_t* free_bytes, std::size_t* total_bytes))                           \
  F(cuMemHostAlloc, Result(void**, std::size_t bytes, unsigned flags))                                    \
  F(cuMemFreeHost, Result(void*))                                                                         \
  F(cuMemcpyHtoDAsync_v2, Result(DevicePointer to, const void* from, std::size_t bytes, Stream))          \
  F(cuMemcpyDtoHAsync_v2, Result(void* to, DevicePointer from, std::size_t bytes, Stream))                \
  F(cuMemcpyDtoDAsync_v2, Result(DevicePointer to, DevicePointer from, std::size_t bytes, Stream))        \
  F(cuMemsetD32Async, Result(DevicePointer, unsigned pattern, std::size_t words, Stream))                 \
  F(cuStreamCreate, Result(Stream*, unsigned flags))                                                      \
  F(cuStreamDestroy_v2, Result(Stream))                                                                   \
  F(cuStreamSynchronize, Result(Stream))                                                                  \
  F(cuStreamWaitEvent, Result(Stream, Event, unsigned flags))                                             \
  F(cuEventCreate, Result(Event*, unsigned flags))                                                        \
  F(cuEventDestroy_v2, Result(Event))                                                                     \
  F(cuEventRecord, Result(Event, Stream))                                                                 \
  F(cuEventSynchronize, Result(Event))                                                                    \
  F(cuEventElapsedTime, Result(float* milliseconds, Event start, Event stop))                             \
  F(cuModuleLoadData, Result(Module*, const void* image))                                                 \
  F(cuModuleUnload, Result(Module))                                                                       \
  F(cuModuleGetFunction, Result(Function*, Module, const char* name))                                     \
  F(cuLaunchKernel, Result(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, \
                           unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream,             \
                           void** arguments, void** extra))

// What the plugin can do without; a slot is null where the driver lacks the function (the first came with 12.4).
#define PORTICO_CUDA_NEW_DRIVER_FUNCTIONS(F) \
  F(cuFuncGetParamInfo, Result(Function, std::size_t index, std::size_t* offset, std::size_t* size)) \
  F(cuMemAllocAsync, Result(DevicePointer*, std::size_t bytes, Stream)) \
  F(cuMemFreeAsync, Result(DevicePointer, Stream)) \
  F(cuDeviceGetDefaultMemPool, Result(MemoryPool*, Device)) \
  F(cuMemPoolSetAttribute, Result(MemoryPool, PoolAttribute, void* value)) \
  F(cuStreamIsCapturing, Result(Stream, CaptureStatus*)) \
  F(cuStreamBeginCapture_v2, Result(Stream, CaptureMode)) \
  F(cuStreamEndCapture, Result(Stream, Graph*)) \
  F(cuGraphInstantiateWithFlags, Result(GraphExec*, Graph, unsigned long long flags)) \
  F(cuGraphLaunch, Result(GraphExec, Stream)) \
  F(cuGraphExecDestroy, Result(GraphExec)) \
  F(cuGraphDestroy, Result(Graph))

using Program = struct ProgramObject*;
using CompileResult = int;
inline constexpr CompileResult kCompileSuccess = 0;
inline constexpr CompileResult kCompileError = 6;

#define PORTICO_NVRTC_FUNCTIONS(F)                                                                       \
  F(nvrtcVersion, CompileResult(int* major, int* minor))                                                 \
  F(nvrtcGetErrorString, const char*(CompileResult))                                                     \
  F(nvrtcGetNumSupportedArchs, CompileResult(int* count))                                                \
  F(nvrtcGetSupportedArchs, CompileResult(int* archs))                                                   \
  F(nvrtcCreateProgram, CompileResult(Program*, const char* source, const char* name, int header_count,  \
                                      const char* const* headers, const char* const* include_names))     \
  F(nvrtcDestroyProgram, CompileResult(Program*))                                                        \
  F(nvrtcCompileProgram, CompileResult(Program, int option_count, const char* const* options))           \
  F(nvrtcGetProgramLogSize, CompileResult(Program, std::size_t*))                                        \
  F(nvrtcGetProgramLog, CompileResult(Program, char*))                                                   \
  F(nvrtcGetPTXSize, CompileResult(Program, std::size_t*))                                               \
  F(nvrtcGetPTX, CompileResult(Program, char*))                                                          \
  F(nvrtcGetCUBINSize, CompileResult(Program, std::size_t*))                                             \
  F(nvrtcGetCUBIN, CompileResult(Program, char*))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Driver {
  PORTICO_CUDA_DRIVER_FUNCTIONS(PORTICO_FUNCTION_SLOT)
  PORTICO_CUDA_NEW_DRIVER_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
struct Compiler {
  PORTICO_NVRTC_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace cuda
