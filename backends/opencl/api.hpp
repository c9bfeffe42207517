// OpenCL's functions, found at run time in the ICD loader. The headers give types only; nothing of OpenCL is linked.
#pragma once

#define CL_TARGET_OPENCL_VERSION 300       // types of later versions; functions beyond 1.2 are optional below
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS  // clCreateCommandQueue: the one that every driver has
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <memory>
#include <string>
#include <type_traits>

#include "backends/common/plugin.hpp"

// Every function of OpenCL 1.2 that the plugin calls.
// clang-format off
#define PORTICO_OPENCL_FUNCTIONS(X)                                                                                  \
  X(GetPlatformIDs) X(GetPlatformInfo) X(GetDeviceIDs) X(GetDeviceInfo)                                              \
  X(CreateContext) X(ReleaseContext) X(CreateCommandQueue) X(ReleaseCommandQueue)                                    \
  X(CreateBuffer) X(ReleaseMemObject) X(SetMemObjectDestructorCallback)                                              \
  X(CreateProgramWithSource) X(CreateProgramWithBinary) X(BuildProgram) X(GetProgramBuildInfo) X(GetProgramInfo)     \
  X(ReleaseProgram) X(CreateKernel) X(ReleaseKernel) X(SetKernelArg) X(GetKernelInfo) X(GetKernelArgInfo)            \
  X(GetKernelWorkGroupInfo) X(EnqueueNDRangeKernel) X(EnqueueReadBuffer) X(EnqueueWriteBuffer) X(EnqueueCopyBuffer)  \
  X(EnqueueFillBuffer) X(EnqueueMapBuffer) X(EnqueueUnmapMemObject) X(EnqueueMigrateMemObjects)                      \
  X(EnqueueMarkerWithWaitList) X(EnqueueBarrierWithWaitList) X(GetEventInfo) X(GetEventProfilingInfo)                \
  X(WaitForEvents) X(RetainEvent) X(ReleaseEvent) X(CreateUserEvent) X(SetUserEventStatus) X(Flush) X(Finish)
// clang-format on

// Later versions; null where the loader or the driver is older.
#define PORTICO_OPENCL_OPTIONAL_FUNCTIONS(X) X(SVMAlloc) X(SVMFree) X(GetExtensionFunctionAddressForPlatform)

namespace portico::opencl {

using plugin::Failure;
using plugin::guarded;

struct Api {
#define PORTICO_DECLARE(name) decltype(&::cl##name) name = nullptr;
  PORTICO_OPENCL_FUNCTIONS(PORTICO_DECLARE)
  PORTICO_OPENCL_OPTIONAL_FUNCTIONS(PORTICO_DECLARE)
#undef PORTICO_DECLARE
};

/// Filled by `load_api`, before any device can be open, and constant from then on.
inline constinit Api cl;

/// Opens the loader once a process. Returns the reason why OpenCL cannot be used, empty when it can.
const std::string& load_api();

/// "CL_OUT_OF_RESOURCES (-5)".
std::string error_name(cl_int code);

/// When a call failed; the same code means different things at different times.
enum class Phase {
  allocate,     // creating memory
  enqueue,      // queueing work, when a driver also makes the memory that it promised earlier
  synchronize,  // waiting: what fails here is work that ran
};

/// Throws the `Failure` that `code` stands for. `call` begins the message.
[[noreturn, gnu::cold]] void fail(cl_int code, const std::string& call, Phase phase);

inline void check(cl_int code, const char* call, Phase phase = Phase::enqueue) {
  if (code != CL_SUCCESS) [[unlikely]]
    fail(code, call, phase);
}

/// Releases a handle through the table's function `member`.
template <auto member>
struct Release {
  template <typename T>
  void operator()(T handle) const {
    (cl.*member)(handle);
  }
};

template <typename T, auto member>
using Handle = std::unique_ptr<std::remove_pointer_t<T>, Release<member>>;
using Context = Handle<cl_context, &Api::ReleaseContext>;
using Queue = Handle<cl_command_queue, &Api::ReleaseCommandQueue>;
using Memory = Handle<cl_mem, &Api::ReleaseMemObject>;
using Program = Handle<cl_program, &Api::ReleaseProgram>;
using Kernel = Handle<cl_kernel, &Api::ReleaseKernel>;
using Event = Handle<cl_event, &Api::ReleaseEvent>;

}  // namespace portico::opencl
