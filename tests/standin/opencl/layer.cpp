// The exported functions. Each is bound, when the library is opened, to what the template makes of its type, so that
// the plugin's list is the only one. Those of an extension are handed out by name, as a driver does.
#include <string_view>

#include "backends/opencl/command_buffer.hpp"
#include "tests/standin/driver/control.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/opencl/forward.hpp"

// The resolver runs while the library is being relocated: it may do nothing but name the function.
#define STANDIN_FORWARD(name)                                                    \
  namespace {                                                                    \
  struct Named##name {                                                           \
    static constexpr const char* kName = "cl" #name;                             \
    static auto real() { return portico::standin::loader().name; }               \
  };                                                                             \
  }                                                                              \
  extern "C" decltype(&::cl##name) standin_find_cl##name() {                     \
    return &portico::standin::Forward<Named##name, decltype(&::cl##name)>::call; \
  }                                                                              \
  STANDIN_EXPORT decltype(::cl##name) cl##name __attribute__((ifunc("standin_find_cl" #name)));

PORTICO_OPENCL_FUNCTIONS(STANDIN_FORWARD)
PORTICO_OPENCL_OPTIONAL_FUNCTIONS(STANDIN_FORWARD)

// The functions of cl_khr_command_buffer, by the plugin's table of them.
#define STANDIN_COMMAND_BUFFERS(USE)        \
  USE(create, clCreateCommandBufferKHR)     \
  USE(finalize, clFinalizeCommandBufferKHR) \
  USE(release, clReleaseCommandBufferKHR)   \
  USE(enqueue, clEnqueueCommandBufferKHR)   \
  USE(launch, clCommandNDRangeKernelKHR)    \
  USE(copy, clCommandCopyBufferKHR)         \
  USE(fill, clCommandFillBufferKHR)

namespace portico::standin {
namespace {

opencl::CommandBufferApi g_behind;

#define STANDIN_EXTENSION(member, name)            \
  struct Named##name {                             \
    static constexpr const char* kName = #name;    \
    static auto real() { return g_behind.member; } \
  };
STANDIN_COMMAND_BUFFERS(STANDIN_EXTENSION)

}  // namespace

void* extension(cl_platform_id platform, const char* wanted) {
  void* const found = loader_of_extensions()(platform, wanted);
#define STANDIN_HAND_OUT(member, name)                                     \
  if (found && std::string_view(wanted) == #name) {                        \
    using Function = decltype(opencl::CommandBufferApi::member);           \
    g_behind.member = reinterpret_cast<Function>(found);                   \
    return reinterpret_cast<void*>(&Forward<Named##name, Function>::call); \
  }
  STANDIN_COMMAND_BUFFERS(STANDIN_HAND_OUT)
  return found;
}

}  // namespace portico::standin

STANDIN_EXPORT int standin_lose(int device, int code) {
  if (device != 0) return 0;
  portico::standin::lost = code;
  return 1;
}
