// Compiled, never run: backends/cuda/api.hpp against cuda.h and nvrtc.h of the installed toolkit.
#include <cuda.h>
#include <nvrtc.h>

#include "backends/cuda/api.hpp"
#include "same.hpp"

using portico::test::kSameFunction;
using portico::test::same_to_a_caller;

#define SAME(name, ...) static_assert(kSameFunction<decltype(cuda::Driver::name), decltype(name)>, #name);
PORTICO_CUDA_DRIVER_FUNCTIONS(SAME)
#if CUDA_VERSION >= 12040
PORTICO_CUDA_NEW_DRIVER_FUNCTIONS(SAME)
#endif
#undef SAME
#define SAME(name, ...) static_assert(kSameFunction<decltype(cuda::Compiler::name), decltype(name)>, #name);
PORTICO_NVRTC_FUNCTIONS(SAME)
#undef SAME

static_assert(same_to_a_caller<cuda::DevicePointer, CUdeviceptr>());
static_assert(same_to_a_caller<cuda::Device, CUdevice>());
static_assert(same_to_a_caller<cuda::Context, CUcontext>() && same_to_a_caller<cuda::Stream, CUstream>());

static_assert(cuda::kPoolReleaseThreshold == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
static_assert(cuda::kSuccess == CUDA_SUCCESS);
static_assert(cuda::kErrorInvalidValue == CUDA_ERROR_INVALID_VALUE);
static_assert(cuda::kErrorOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(cuda::kErrorDeinitialized == CUDA_ERROR_DEINITIALIZED);
static_assert(cuda::kErrorNoDevice == CUDA_ERROR_NO_DEVICE);
static_assert(cuda::kErrorEccUncorrectable == CUDA_ERROR_ECC_UNCORRECTABLE);
static_assert(cuda::kErrorInvalidPtx == CUDA_ERROR_INVALID_PTX);
static_assert(cuda::kErrorNvlinkUncorrectable == CUDA_ERROR_NVLINK_UNCORRECTABLE);
static_assert(cuda::kErrorNotFound == CUDA_ERROR_NOT_FOUND);
static_assert(cuda::kErrorIllegalAddress == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(cuda::kErrorLaunchTimeout == CUDA_ERROR_LAUNCH_TIMEOUT);
static_assert(cuda::kErrorContextIsDestroyed == CUDA_ERROR_CONTEXT_IS_DESTROYED);
static_assert(cuda::kErrorAssert == CUDA_ERROR_ASSERT);
static_assert(cuda::kErrorHardwareStackError == CUDA_ERROR_HARDWARE_STACK_ERROR);
static_assert(cuda::kErrorIllegalInstruction == CUDA_ERROR_ILLEGAL_INSTRUCTION);
static_assert(cuda::kErrorMisalignedAddress == CUDA_ERROR_MISALIGNED_ADDRESS);
static_assert(cuda::kErrorInvalidAddressSpace == CUDA_ERROR_INVALID_ADDRESS_SPACE);
static_assert(cuda::kErrorInvalidPc == CUDA_ERROR_INVALID_PC);
static_assert(cuda::kErrorLaunchFailed == CUDA_ERROR_LAUNCH_FAILED);
#if CUDA_VERSION >= 11080
static_assert(cuda::kErrorDeviceUnavailable == CUDA_ERROR_DEVICE_UNAVAILABLE);
#endif
#if CUDA_VERSION >= 13000
static_assert(cuda::kErrorContained == CUDA_ERROR_CONTAINED);
static_assert(cuda::kErrorTensorMemoryLeak == CUDA_ERROR_TENSOR_MEMORY_LEAK);
#endif

static_assert(cuda::kMaxThreadsPerBlock == CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
static_assert(cuda::kMaxSharedMemoryPerBlock == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
static_assert(cuda::kWarpSize == CU_DEVICE_ATTRIBUTE_WARP_SIZE);
static_assert(cuda::kMultiprocessorCount == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(cuda::kIntegrated == CU_DEVICE_ATTRIBUTE_INTEGRATED);
static_assert(cuda::kComputeCapabilityMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(cuda::kComputeCapabilityMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);

static_assert(cuda::kCaptureRelaxed == CU_STREAM_CAPTURE_MODE_RELAXED);
static_assert(cuda::kNotCapturing == CU_STREAM_CAPTURE_STATUS_NONE);
static_assert(cuda::kStreamNonBlocking == CU_STREAM_NON_BLOCKING);
static_assert(cuda::kEventDefault == CU_EVENT_DEFAULT);
static_assert(cuda::kHostAllocPortable == CU_MEMHOSTALLOC_PORTABLE);

static_assert(cuda::kCompileSuccess == NVRTC_SUCCESS);
static_assert(cuda::kCompileError == NVRTC_ERROR_COMPILATION);
