// libamdhip64: start, devices, errors.
#include <cstdlib>
#include <cstring>

#include "backends/hip/api.hpp"
#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/hip/enter.hpp"

using hip::PropertiesR0000;
using hip::PropertiesR0600;
using hip::Result;
using namespace portico::standin;

#ifndef STANDIN_HIP_MAJOR
#define STANDIN_HIP_MAJOR 5
#endif

namespace {

int version_of_runtime() {
  const char* text = std::getenv("PORTICO_STANDIN_HIP_VERSION");
  return text ? std::atoi(text) : STANDIN_HIP_MAJOR * 10000000 + 200000 + 21153;
}

const char* name_of(Result code) {
  switch (code) {
    case kOk:
      return "hipSuccess";
    case kInvalidValue:
      return "hipErrorInvalidValue";
    case kOutOfMemory:
      return "hipErrorOutOfMemory";
    case kNotInitialized:
      return "hipErrorNotInitialized";
    case kNoDevice:
      return "hipErrorNoDevice";
    case kInvalidDevice:
      return "hipErrorInvalidDevice";
    case kInvalidImage:
      return "hipErrorInvalidImage";
    case kInvalidContext:
      return "hipErrorInvalidContext";
    case kInvalidHandle:
      return "hipErrorInvalidHandle";
    case kNotFound:
      return "hipErrorNotFound";
    case kNotReady:
      return "hipErrorNotReady";
    case kIllegalAddress:
      return "hipErrorIllegalAddress";
    case kLaunchOutOfResources:
      return "hipErrorLaunchOutOfResources";
    case hip::kErrorLaunchTimeOut:
      return "hipErrorLaunchTimeOut";
    case kLaunchFailed:
      return "hipErrorLaunchFailure";
    case kUnsupported:
      return "hipErrorNotSupported";
    case kCaptureUnsupported:
      return "hipErrorStreamCaptureUnsupported";
    case kCaptureInvalidated:
      return "hipErrorStreamCaptureInvalidated";
    case kCaptureMerge:
      return "hipErrorStreamCaptureMerge";
    case kCaptureUnmatched:
      return "hipErrorStreamCaptureUnmatched";
    case kCaptureUnjoined:
      return "hipErrorStreamCaptureUnjoined";
    case kCaptureIsolation:
      return "hipErrorStreamCaptureIsolation";
    case kCapturedEvent:
      return "hipErrorCapturedEvent";
    case kCaptureWrongThread:
      return "hipErrorStreamCaptureWrongThread";
    default:
      return "hipErrorUnknown";
  }
}

template <typename Properties>
int fill_properties(Properties* properties, int device) {
  if (!properties) return kInvalidValue;
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  *properties = {};
  const Profile& p = profile();
  std::strcpy(properties->name, p.name);
  std::strcpy(properties->gcnArchName, "gfx90a:sramecc+:xnack-");
  properties->totalGlobalMem = p.memory;
  properties->sharedMemPerBlock = p.shared;
  properties->warpSize = 64;
  properties->maxThreadsPerBlock = static_cast<int>(p.max_threads);
  properties->multiProcessorCount = 104;
  return kOk;
}

}  // namespace

STANDIN_EXPORT int hipDriverGetVersion(int* version) {
  ENTER_HIP(start);
  *version = version_of_runtime();
  return kOk;
}
STANDIN_EXPORT int hipRuntimeGetVersion(int* version) {
  ENTER_HIP(start);
  *version = version_of_runtime();
  return kOk;
}
STANDIN_EXPORT const char* hipGetErrorName(Result code) { return name_of(code); }
STANDIN_EXPORT const char* hipGetErrorString(Result code) {
  const char* text = meaning(code);
  return text ? text : "unknown error";
}
STANDIN_EXPORT int hipGetDeviceCount(int* count) {
  ENTER_HIP(start);
  if (!count) return kInvalidValue;
  *count = kDevices;
  return kOk;
}
STANDIN_EXPORT int hipGetDevice(int* device) {
  ENTER_HIP(start);
  if (!device) return kInvalidValue;
  *device = current_device() ? current_device()->index : 0;
  return kOk;
}
STANDIN_EXPORT int hipSetDevice(int device) {
  ENTER_HIP(start);
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  current_device() = &machine().devices[device];
  return kOk;
}
#if STANDIN_HIP_MAJOR >= 6
STANDIN_EXPORT int hipGetDevicePropertiesR0600(PropertiesR0600* properties, int device) {
  ENTER_HIP(start);
  return fill_properties(properties, device);
}
STANDIN_EXPORT int hipGetDevicePropertiesR0000(PropertiesR0000* properties, int device) {
#else
STANDIN_EXPORT int hipGetDeviceProperties(PropertiesR0000* properties, int device) {
#endif
  ENTER_HIP(start);
  return fill_properties(properties, device);
}
STANDIN_EXPORT int hipDeviceSynchronize() {
  ENTER_HIP(device);
  return api::synchronize_device();
}
STANDIN_EXPORT int hipDeviceCanAccessPeer(int* can, int device, int peer) {
  ENTER_HIP(start);
  if (!can || device < 0 || device >= kDevices || peer < 0 || peer >= kDevices) return kInvalidValue;
  *can = 0;  // copies between devices work; a kernel sees its own device's memory only
  return kOk;
}
