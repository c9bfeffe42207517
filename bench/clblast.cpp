#include "clblast.hpp"

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>

#include <memory>
#include <vector>

#include "portico/device.hpp"

namespace portico::bench {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::unsupported, "peer/clblast: " + why); }

void check(cl_int code, const char* call) {
  if (code != CL_SUCCESS) refuse(std::string(call) + " failed with " + std::to_string(code));
}

// The few functions that are needed, found at run time like everything of a vendor's.
struct Library {
  void* opencl = open("libOpenCL.so.1");
  void* clblast = open("libclblast.so.1");

  static void* open(const char* name) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) refuse(dlerror());
    return library;
  }
  template <typename Function>
  Function* find(void* library, const char* name) const {
    auto* function = reinterpret_cast<Function*>(dlsym(library, name));
    if (function == nullptr) refuse(std::string("no ") + name);
    return function;
  }
};
#define OPENCL(name) library().find<decltype(name)>(library().opencl, #name)

const Library& library() {
  static const Library library;
  return library;
}

cl_device_id find_device(const std::string& wanted) {
  cl_uint count = 0;
  check(OPENCL(clGetPlatformIDs)(0, nullptr, &count), "clGetPlatformIDs");
  std::vector<cl_platform_id> platforms(count);
  check(OPENCL(clGetPlatformIDs)(count, platforms.data(), nullptr), "clGetPlatformIDs");
  for (cl_platform_id platform : platforms) {
    std::vector<cl_device_id> devices(16);
    if (OPENCL(clGetDeviceIDs)(platform, CL_DEVICE_TYPE_ALL, 16, devices.data(), &count) != CL_SUCCESS) continue;
    for (cl_uint i = 0; i < count && i < devices.size(); ++i) {
      char name[256] = {};
      OPENCL(clGetDeviceInfo)(devices[i], CL_DEVICE_NAME, sizeof name - 1, name, nullptr);
      if (wanted == name) return devices[i];
    }
  }
  refuse("OpenCL has no device named " + wanted);
}

// Kept for the life of the process, as drivers like it.
struct Queue {
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;

  Queue() {
    cl_device_id device = find_device(std::string(Device::current().name()));
    cl_int code = CL_SUCCESS;
    context = OPENCL(clCreateContext)(nullptr, 1, &device, nullptr, nullptr, &code);
    check(code, "clCreateContext");
    queue = OPENCL(clCreateCommandQueue)(context, device, 0, &code);
    check(code, "clCreateCommandQueue");
  }
  std::shared_ptr<_cl_mem> upload(std::size_t count) const {
    std::vector<float> values(count, 0.5f);
    cl_int code = CL_SUCCESS;
    cl_mem memory =
        OPENCL(clCreateBuffer)(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, count * 4, values.data(), &code);
    check(code, "clCreateBuffer");
    return {memory, [](cl_mem done) { OPENCL(clReleaseMemObject)(done); }};
  }
};

// CLBlastSgemm with its enums as int.
using Sgemm = int(int layout, int trans_a, int trans_b, size_t m, size_t n, size_t k, float alpha, cl_mem a,
                  size_t a_offset, size_t lda, cl_mem b, size_t b_offset, size_t ldb, float beta, cl_mem c,
                  size_t c_offset, size_t ldc, cl_command_queue* queue, cl_event* event);

}  // namespace

std::function<void()> clblast_product(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b) {
  static const Queue where;
  const auto rows = static_cast<std::size_t>(m), cols = static_cast<std::size_t>(n),
             depth = static_cast<std::size_t>(k);
  auto* sgemm = library().find<Sgemm>(library().clblast, "CLBlastSgemm");
  return [=, a = where.upload(rows * depth), b = where.upload(depth * cols), c = where.upload(rows * cols)] {
    constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
    cl_command_queue queue = where.queue;
    const int status = sgemm(kRowMajor, trans_a ? kTransposed : kPlain, trans_b ? kTransposed : kPlain, rows, cols,
                             depth, 1.0f, a.get(), 0, trans_a ? rows : depth, b.get(), 0, trans_b ? depth : cols, 0.0f,
                             c.get(), 0, cols, &queue, nullptr);
    if (status != 0) refuse("CLBlastSgemm failed with " + std::to_string(status));
    check(OPENCL(clFinish)(queue), "clFinish");
  };
}

}  // namespace portico::bench
