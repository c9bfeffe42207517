// The exported functions. Each is bound, when the library is opened, to what the template makes of its type, so that
// the plugin's list is the only one.
#include "tests/standin/driver/control.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/opencl/forward.hpp"

// The resolver runs while the library is being relocated: it may do nothing but name the function.
#define STANDIN_FORWARD(name)                                                    \
  namespace {                                                                    \
  struct Named##name {                                                           \
    static constexpr const char* kName = "cl" #name;                             \
    static constexpr auto kMember = &portico::opencl::Api::name;                 \
  };                                                                             \
  }                                                                              \
  extern "C" decltype(&::cl##name) standin_find_cl##name() {                     \
    return &portico::standin::Forward<Named##name, decltype(&::cl##name)>::call; \
  }                                                                              \
  STANDIN_EXPORT decltype(::cl##name) cl##name __attribute__((ifunc("standin_find_cl" #name)));

PORTICO_OPENCL_FUNCTIONS(STANDIN_FORWARD)
PORTICO_OPENCL_OPTIONAL_FUNCTIONS(STANDIN_FORWARD)

STANDIN_EXPORT int standin_lose(int device, int code) {
  if (device != 0) return 0;
  portico::standin::lost = code;
  return 1;
}
