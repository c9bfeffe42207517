// Compiled, never run: backends/hip/api.hpp against the HIP headers that are installed.
#define __HIP_PLATFORM_AMD__ 1
#include <hip/hip_runtime_api.h>
#include <hip/hiprtc.h>

#include "backends/hip/api.hpp"
#include "same.hpp"

using portico::test::kSameFunction;

// hipMalloc, hipMallocAsync and hipHostMalloc are overloaded by templates in C++: the cast takes the C function.
using CheckedType_hipMalloc = hipError_t(void**, size_t);
using CheckedType_hipHostMalloc = hipError_t(void**, size_t, unsigned);
using CheckedType_hipMallocAsync = hipError_t(void**, size_t, hipStream_t);
static_assert(static_cast<CheckedType_hipMallocAsync*>(&hipMallocAsync) != nullptr);
static_assert(static_cast<CheckedType_hipMalloc*>(&hipMalloc) != nullptr);
static_assert(static_cast<CheckedType_hipHostMalloc*>(&hipHostMalloc) != nullptr);
#define SAME(name, ...) static_assert(kSameFunction<decltype(hip::Driver::name), CheckedType_##name>, #name);
#define CHECKED(name) using CheckedType_##name = decltype(name);
CHECKED(hipDriverGetVersion)
CHECKED(hipRuntimeGetVersion)
CHECKED(hipGetErrorName)
CHECKED(hipGetErrorString)
CHECKED(hipGetDeviceCount)
CHECKED(hipGetDevice)
CHECKED(hipSetDevice)
CHECKED(hipDeviceSynchronize)
CHECKED(hipFree)
CHECKED(hipMemGetInfo)
CHECKED(hipHostFree)
CHECKED(hipMemcpyHtoDAsync)
CHECKED(hipMemcpyDtoHAsync)
CHECKED(hipMemcpyDtoDAsync)
CHECKED(hipMemsetD32Async)
CHECKED(hipStreamCreateWithFlags)
CHECKED(hipStreamDestroy)
CHECKED(hipStreamSynchronize)
CHECKED(hipStreamWaitEvent)
CHECKED(hipEventCreateWithFlags)
CHECKED(hipEventDestroy)
CHECKED(hipEventRecord)
CHECKED(hipEventSynchronize)
CHECKED(hipEventElapsedTime)
CHECKED(hipModuleLoadData)
CHECKED(hipModuleUnload)
CHECKED(hipModuleGetFunction)
CHECKED(hipModuleLaunchKernel)
PORTICO_HIP_FUNCTIONS(SAME)
CHECKED(hipFreeAsync)
CHECKED(hipDeviceGetDefaultMemPool)
CHECKED(hipMemPoolSetAttribute)
CHECKED(hipStreamIsCapturing)
CHECKED(hipStreamBeginCapture)
CHECKED(hipStreamEndCapture)
CHECKED(hipGraphInstantiateWithFlags)
CHECKED(hipGraphLaunch)
CHECKED(hipGraphExecDestroy)
CHECKED(hipGraphDestroy)
PORTICO_HIP_OPTIONAL_FUNCTIONS(SAME)
#undef SAME
#define SAME(name, ...) static_assert(kSameFunction<decltype(hip::Compiler::name), decltype(name)>, #name);
PORTICO_HIPRTC_FUNCTIONS(SAME)
#undef SAME

// The struct of the installed headers; from version 6 on they also say what the old one was.
#if HIP_VERSION_MAJOR >= 6
using Installed = hip::PropertiesR0600;
#else
using Installed = hip::PropertiesR0000;
#endif
static_assert(sizeof(Installed) >= sizeof(hipDeviceProp_t));
#define SAME_PLACE(field)                                                        \
  static_assert(offsetof(Installed, field) == offsetof(hipDeviceProp_t, field)); \
  static_assert(sizeof(Installed::field) == sizeof(hipDeviceProp_t::field));
SAME_PLACE(name)
SAME_PLACE(totalGlobalMem)
SAME_PLACE(sharedMemPerBlock)
SAME_PLACE(warpSize)
SAME_PLACE(maxThreadsPerBlock)
SAME_PLACE(multiProcessorCount)
SAME_PLACE(gcnArchName)
SAME_PLACE(integrated)

// The layout of version 6 and 7, as AMD's headers of 6.0 to 7.2 have it, where older headers are installed.
static_assert(offsetof(hip::PropertiesR0600, totalGlobalMem) == 288);
static_assert(offsetof(hip::PropertiesR0600, warpSize) == 308);
static_assert(offsetof(hip::PropertiesR0600, maxThreadsPerBlock) == 320);
static_assert(offsetof(hip::PropertiesR0600, multiProcessorCount) == 388);
static_assert(offsetof(hip::PropertiesR0600, integrated) == 396);
static_assert(offsetof(hip::PropertiesR0600, gcnArchName) == 1160);
static_assert(sizeof(hip::PropertiesR0600) >= 1472);

static_assert(hip::kSuccess == hipSuccess);
static_assert(hip::kErrorInvalidValue == hipErrorInvalidValue);
static_assert(hip::kErrorOutOfMemory == hipErrorOutOfMemory);
static_assert(hip::kErrorDeinitialized == hipErrorDeinitialized);
static_assert(hip::kErrorNoDevice == hipErrorNoDevice);
static_assert(hip::kErrorEccNotCorrectable == hipErrorECCNotCorrectable);
static_assert(hip::kErrorInvalidKernelFile == hipErrorInvalidKernelFile);
static_assert(hip::kErrorNotFound == hipErrorNotFound);
static_assert(hip::kErrorIllegalAddress == hipErrorIllegalAddress);
static_assert(hip::kErrorLaunchTimeOut == hipErrorLaunchTimeOut);
static_assert(hip::kErrorContextIsDestroyed == hipErrorContextIsDestroyed);
static_assert(hip::kErrorAssert == hipErrorAssert);
static_assert(hip::kErrorLaunchFailure == hipErrorLaunchFailure);
static_assert(hip::kCaptureRelaxed == hipStreamCaptureModeRelaxed);
static_assert(hip::kStreamNonBlocking == hipStreamNonBlocking);
static_assert(hip::kEventDefault == hipEventDefault);
static_assert(hip::kHostMallocPortable == hipHostMallocPortable);
static_assert(hip::kCompileSuccess == HIPRTC_SUCCESS);
static_assert(hip::kCompileError == HIPRTC_ERROR_COMPILATION);
static_assert(hip::kPoolReleaseThreshold == hipMemPoolAttrReleaseThreshold);
