#include "tests/standin/opencl/loader.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "backends/common/library.hpp"
#include "tests/standin/driver/report.hpp"

namespace portico::standin {
namespace {

opencl::Api g_real;

cl_int CL_API_CALL device_ids_as_gpu(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id* ids,
                                     cl_uint* count) {
  if (type == CL_DEVICE_TYPE_CPU) return CL_DEVICE_NOT_FOUND;
  return g_real.GetDeviceIDs(platform, type == CL_DEVICE_TYPE_GPU ? CL_DEVICE_TYPE_CPU : type, room, ids, count);
}

cl_int CL_API_CALL device_info_as_gpu(cl_device_id id, cl_device_info what, std::size_t room, void* to,
                                      std::size_t* bytes) {
  const cl_int code = g_real.GetDeviceInfo(id, what, room, to, bytes);
  if (code == CL_SUCCESS && what == CL_DEVICE_TYPE && to) {
    auto& type = *static_cast<cl_device_type*>(to);
    if (type & CL_DEVICE_TYPE_CPU) type = CL_DEVICE_TYPE_GPU;
  }
  return code;
}

void* CL_API_CALL extension_behind_the_layer(cl_platform_id platform, const char* name) {
  return extension(platform, name);
}

opencl::Api open_loader() {
  const plugin::Library library("PORTICO_STANDIN_OPENCL", {"libOpenCL.so.1"});
  if (!library) std::fprintf(stderr, "stand-in: no OpenCL loader: %s\n", library.tried().c_str());
#define STANDIN_FIND(name) g_real.name = library.find<std::remove_pointer_t<decltype(opencl::Api::name)>>("cl" #name);
  PORTICO_OPENCL_FUNCTIONS(STANDIN_FIND)
  PORTICO_OPENCL_OPTIONAL_FUNCTIONS(STANDIN_FIND)
#undef STANDIN_FIND
  report_at_exit();
  opencl::Api shown = g_real;
  if (shown.GetExtensionFunctionAddressForPlatform)
    shown.GetExtensionFunctionAddressForPlatform = extension_behind_the_layer;
  const char* device = std::getenv("PORTICO_STANDIN_OPENCL_DEVICE");
  if (library && device && std::string_view(device) == "gpu") {
    shown.GetDeviceIDs = device_ids_as_gpu;
    shown.GetDeviceInfo = device_info_as_gpu;
  }
  return shown;
}

}  // namespace

decltype(opencl::Api::GetExtensionFunctionAddressForPlatform) loader_of_extensions() {
  return g_real.GetExtensionFunctionAddressForPlatform;
}

const opencl::Api& loader() {
  static const opencl::Api functions = open_loader();
  return functions;
}

}  // namespace portico::standin
