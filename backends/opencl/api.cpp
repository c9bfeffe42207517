#include "backends/opencl/api.hpp"

#include "backends/common/library.hpp"

namespace portico::opencl {
namespace {

std::string open_loader() {
  plugin::Library library("PORTICO_OPENCL", {"libOpenCL.so.1"});
  if (!library) return "no OpenCL loader: " + library.tried() + " (Debian: ocl-icd-libopencl1 and a driver)";
  bool complete = true;
#define PORTICO_BIND(name) complete = complete && library.bind(cl.name, "cl" #name);
  PORTICO_OPENCL_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  if (!complete) return "no loader of OpenCL 1.2: " + library.tried();
#define PORTICO_FIND(name) cl.name = library.find<std::remove_pointer_t<decltype(cl.name)>>("cl" #name);
  PORTICO_OPENCL_OPTIONAL_FUNCTIONS(PORTICO_FIND)
#undef PORTICO_FIND
  return {};
}

bool lost(cl_int code, Phase phase) {
  constexpr cl_int kNvidiaFault = -9999;  // an illegal read or write in a kernel; the context is gone
  switch (code) {
    case CL_DEVICE_NOT_AVAILABLE:
    case CL_INVALID_COMMAND_QUEUE:  // ours are valid until the driver gives up on the context
    case CL_INVALID_CONTEXT:
    case kNvidiaFault:
      return true;
    case CL_OUT_OF_RESOURCES:
    case CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST:
      return phase == Phase::synchronize;
    default:
      return false;
  }
}

bool out_of_memory(cl_int code, Phase phase) {
  switch (code) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_OUT_OF_HOST_MEMORY:
    case CL_OUT_OF_RESOURCES:
      return true;
    case CL_INVALID_BUFFER_SIZE:  // above CL_DEVICE_MAX_MEM_ALLOC_SIZE
      return phase == Phase::allocate;
    default:
      return false;
  }
}

}  // namespace

const std::string& load_api() {
  static const std::string& reason = *new std::string(open_loader());  // outlives every exit handler
  return reason;
}

std::string error_name(cl_int code) {
  const char* name = "unknown OpenCL error";
#define PORTICO_NAME(error) \
  case error:               \
    name = #error;          \
    break;
  switch (code) {
    PORTICO_NAME(CL_DEVICE_NOT_FOUND)
    PORTICO_NAME(CL_DEVICE_NOT_AVAILABLE)
    PORTICO_NAME(CL_COMPILER_NOT_AVAILABLE)
    PORTICO_NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    PORTICO_NAME(CL_OUT_OF_RESOURCES)
    PORTICO_NAME(CL_OUT_OF_HOST_MEMORY)
    PORTICO_NAME(CL_PROFILING_INFO_NOT_AVAILABLE)
    PORTICO_NAME(CL_BUILD_PROGRAM_FAILURE)
    PORTICO_NAME(CL_MAP_FAILURE)
    PORTICO_NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
    PORTICO_NAME(CL_INVALID_VALUE)
    PORTICO_NAME(CL_INVALID_DEVICE)
    PORTICO_NAME(CL_INVALID_CONTEXT)
    PORTICO_NAME(CL_INVALID_COMMAND_QUEUE)
    PORTICO_NAME(CL_INVALID_MEM_OBJECT)
    PORTICO_NAME(CL_INVALID_BINARY)
    PORTICO_NAME(CL_INVALID_BUILD_OPTIONS)
    PORTICO_NAME(CL_INVALID_PROGRAM)
    PORTICO_NAME(CL_INVALID_PROGRAM_EXECUTABLE)
    PORTICO_NAME(CL_INVALID_KERNEL_NAME)
    PORTICO_NAME(CL_INVALID_KERNEL)
    PORTICO_NAME(CL_INVALID_ARG_INDEX)
    PORTICO_NAME(CL_INVALID_ARG_VALUE)
    PORTICO_NAME(CL_INVALID_ARG_SIZE)
    PORTICO_NAME(CL_INVALID_KERNEL_ARGS)
    PORTICO_NAME(CL_INVALID_WORK_DIMENSION)
    PORTICO_NAME(CL_INVALID_WORK_GROUP_SIZE)
    PORTICO_NAME(CL_INVALID_WORK_ITEM_SIZE)
    PORTICO_NAME(CL_INVALID_GLOBAL_OFFSET)
    PORTICO_NAME(CL_INVALID_EVENT_WAIT_LIST)
    PORTICO_NAME(CL_INVALID_EVENT)
    PORTICO_NAME(CL_INVALID_OPERATION)
    PORTICO_NAME(CL_INVALID_BUFFER_SIZE)
    PORTICO_NAME(CL_INVALID_GLOBAL_WORK_SIZE)
    PORTICO_NAME(CL_PLATFORM_NOT_FOUND_KHR)
    default:
      break;
  }
#undef PORTICO_NAME
  return std::string(name) + " (" + std::to_string(code) + ")";
}

void fail(cl_int code, const std::string& call, Phase phase) {
  const portico_status status = lost(code, phase)            ? PORTICO_DEVICE_LOST
                                : out_of_memory(code, phase) ? PORTICO_OUT_OF_MEMORY
                                                             : PORTICO_INTERNAL;
  throw Failure{status, call + ": " + error_name(code)};
}

}  // namespace portico::opencl
