// libcuda: start, devices, contexts, errors.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/standin/cuda/contexts.hpp"
#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"

using cuda::Result;
using namespace portico::standin;

namespace portico::standin {

namespace {
constexpr std::uintptr_t kContexts = 0x6b00000000000000u;
constexpr std::uintptr_t kStep = 4096;
}  // namespace

cuda::Context context_of(const Device& device) {
  return reinterpret_cast<cuda::Context>(kContexts + kStep * static_cast<std::uintptr_t>(device.index));
}

Device* device_of_context(cuda::Context context) {
  for (Device& device : machine().devices)
    if (context_of(device) == context && device.has_context()) return &device;
  return nullptr;
}

}  // namespace portico::standin

namespace {

int setting(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

const char* name_of(Result code) {
  switch (code) {
    case kOk:
      return "CUDA_SUCCESS";
    case kInvalidValue:
      return "CUDA_ERROR_INVALID_VALUE";
    case kOutOfMemory:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case kNotInitialized:
      return "CUDA_ERROR_NOT_INITIALIZED";
    case 4:
      return "CUDA_ERROR_DEINITIALIZED";
    case kNoDevice:
      return "CUDA_ERROR_NO_DEVICE";
    case kInvalidDevice:
      return "CUDA_ERROR_INVALID_DEVICE";
    case kInvalidImage:
      return "CUDA_ERROR_INVALID_IMAGE";
    case kInvalidContext:
      return "CUDA_ERROR_INVALID_CONTEXT";
    case kNoBinaryForGpu:
      return "CUDA_ERROR_NO_BINARY_FOR_GPU";
    case kInvalidPtx:
      return "CUDA_ERROR_INVALID_PTX";
    case kInvalidHandle:
      return "CUDA_ERROR_INVALID_HANDLE";
    case kNotFound:
      return "CUDA_ERROR_NOT_FOUND";
    case kNotReady:
      return "CUDA_ERROR_NOT_READY";
    case kIllegalAddress:
      return "CUDA_ERROR_ILLEGAL_ADDRESS";
    case kLaunchOutOfResources:
      return "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES";
    case cuda::kErrorLaunchTimeout:
      return "CUDA_ERROR_LAUNCH_TIMEOUT";
    case kMisalignedAddress:
      return "CUDA_ERROR_MISALIGNED_ADDRESS";
    case kLaunchFailed:
      return "CUDA_ERROR_LAUNCH_FAILED";
    case kUnsupported:
      return "CUDA_ERROR_NOT_SUPPORTED";
    case kCaptureUnsupported:
      return "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
    case kCaptureInvalidated:
      return "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED";
    case kCaptureMerge:
      return "CUDA_ERROR_STREAM_CAPTURE_MERGE";
    case kCaptureUnmatched:
      return "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED";
    case kCaptureUnjoined:
      return "CUDA_ERROR_STREAM_CAPTURE_UNJOINED";
    case kCaptureIsolation:
      return "CUDA_ERROR_STREAM_CAPTURE_ISOLATION";
    case kCapturedEvent:
      return "CUDA_ERROR_CAPTURED_EVENT";
    case kCaptureWrongThread:
      return "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD";
    default:
      return nullptr;
  }
}

bool exists(cuda::Device device) { return device >= 0 && device < kDevices; }

}  // namespace

STANDIN_EXPORT int cuInit(unsigned flags) {
  STANDIN_ENTER(nothing);
  if (flags != 0) return kInvalidValue;
  mark_started();
  return kOk;
}
STANDIN_EXPORT int cuDriverGetVersion(int* version) {
  STANDIN_ENTER(nothing);
  if (!version) return kInvalidValue;
  *version = setting("PORTICO_STANDIN_CUDA_VERSION", 13000);
  return kOk;
}
STANDIN_EXPORT int cuGetErrorName(Result code, const char** text) {
  *text = name_of(code);
  return *text ? kOk : kInvalidValue;
}
STANDIN_EXPORT int cuGetErrorString(Result code, const char** text) {
  *text = meaning(code);
  return *text ? kOk : kInvalidValue;
}
STANDIN_EXPORT int cuDeviceGetCount(int* count) {
  STANDIN_ENTER(start);
  if (!count) return kInvalidValue;
  *count = kDevices;
  return kOk;
}
STANDIN_EXPORT int cuDeviceGet(cuda::Device* out, int ordinal) {
  STANDIN_ENTER(start);
  if (!out) return kInvalidValue;
  if (!exists(ordinal)) return kInvalidDevice;
  *out = ordinal;
  return kOk;
}
STANDIN_EXPORT int cuDeviceGetName(char* name, int size, cuda::Device device) {
  STANDIN_ENTER(start);
  if (!name || size <= 0) return kInvalidValue;
  if (!exists(device)) return kInvalidDevice;
  std::strncpy(name, profile().name, static_cast<std::size_t>(size) - 1);
  name[size - 1] = '\0';
  return kOk;
}
STANDIN_EXPORT int cuDeviceGetAttribute(int* value, cuda::Attribute what, cuda::Device device) {
  STANDIN_ENTER(start);
  if (!value) return kInvalidValue;
  if (!exists(device)) return kInvalidDevice;
  switch (what) {
    case cuda::kMaxThreadsPerBlock:
      *value = static_cast<int>(profile().max_threads);
      break;
    case 2:
    case 3:
      *value = 1024;
      break;  // block extents
    case 4:
      *value = static_cast<int>(profile().max_block_z);
      break;
    case 5:
      *value = 0x7fffffff;
      break;  // grid extents
    case 6:
    case 7:
      *value = static_cast<int>(profile().max_grid_yz);
      break;
    case cuda::kMaxSharedMemoryPerBlock:
      *value = static_cast<int>(profile().shared);
      break;
    case cuda::kWarpSize:
      *value = 32;
      break;
    case 12:
      *value = 65536;
      break;  // registers a block
    case cuda::kMultiprocessorCount:
      *value = 16;
      break;
    case cuda::kIntegrated:
      *value = 0;
      break;
    case 38:
      *value = 40 << 20;
      break;  // level 2 cache
    case 39:
      *value = 2048;
      break;  // threads a multiprocessor
    case 40:
      *value = 2;
      break;  // copy engines
    case 41:
      *value = 1;
      break;  // unified addresses
    case cuda::kComputeCapabilityMajor:
      *value = capability() / 10;
      break;
    case cuda::kComputeCapabilityMinor:
      *value = capability() % 10;
      break;
    case 81:
      *value = 100 << 10;
      break;  // shared memory a multiprocessor
    case 97:
      *value = static_cast<int>(profile().shared);
      break;  // with opt-in, which the stand-in does not have
    case 115:
      *value = 1;
      break;  // memory pools
    default:
      return kInvalidValue;
  }
  return kOk;
}
STANDIN_EXPORT int cuDeviceTotalMem_v2(std::size_t* bytes, cuda::Device device) {
  STANDIN_ENTER(start);
  if (!bytes) return kInvalidValue;
  if (!exists(device)) return kInvalidDevice;
  *bytes = profile().memory;
  return kOk;
}
STANDIN_EXPORT int cuDeviceCanAccessPeer(int* can, cuda::Device device, cuda::Device peer) {
  STANDIN_ENTER(start);
  if (!can) return kInvalidValue;
  if (!exists(device) || !exists(peer)) return kInvalidDevice;
  *can = 0;  // copies between devices work; a kernel sees its own device's memory only
  return kOk;
}

STANDIN_EXPORT int cuDevicePrimaryCtxRetain(cuda::Context* out, cuda::Device device) {
  STANDIN_ENTER(start);
  if (!out) return kInvalidValue;
  if (!exists(device)) return kInvalidDevice;
  Device& owner = machine().devices[device];
  if (const int code = owner.lost()) return code;
  ++owner.retained;
  *out = context_of(owner);
  return kOk;
}
STANDIN_EXPORT int cuDevicePrimaryCtxRelease_v2(cuda::Device device) {
  STANDIN_ENTER(start);
  if (!exists(device)) return kInvalidDevice;
  Device& owner = machine().devices[device];
  if (!owner.has_context()) return kInvalidContext;
  --owner.retained;
  return kOk;
}
STANDIN_EXPORT int cuCtxGetCurrent(cuda::Context* out) {
  STANDIN_ENTER(start);
  if (!out) return kInvalidValue;
  Device* const device = current_device();
  *out = device && device->has_context() ? context_of(*device) : nullptr;
  return kOk;
}
STANDIN_EXPORT int cuCtxSetCurrent(cuda::Context context) {
  STANDIN_ENTER(start);
  Device* const device = context ? device_of_context(context) : nullptr;
  if (context && !device) return kInvalidContext;
  current_device() = device;
  return kOk;
}
STANDIN_EXPORT int cuCtxSynchronize() {
  STANDIN_ENTER(device);
  return api::synchronize_device();
}
