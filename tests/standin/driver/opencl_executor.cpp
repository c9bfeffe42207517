#include "tests/standin/driver/opencl_executor.hpp"

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "tests/standin/driver/device.hpp"

namespace portico::standin::opencl {
namespace {

// The OpenCL plugin's own options on PoCL: where the texts agree too, PoCL's cache on disk serves both.
constexpr const char* kOptions = "-cl-std=CL1.2 -cl-kernel-arg-info -w";

void must(cl_int code, const char* call) {
  if (code != CL_SUCCESS) throw std::runtime_error(std::string(call) + ": error " + std::to_string(code));
}

struct Implementation {
  cl_context context = nullptr;
  cl_device_id device = nullptr;
};

// PoCL takes any host address as a shared pointer; the other CPU implementation does not.
const Implementation& implementation() {
  static const Implementation found = [] {
    cl_platform_id platforms[16];
    cl_uint count = 0;
    must(clGetPlatformIDs(16, platforms, &count), "clGetPlatformIDs");
    for (cl_uint i = 0; i < std::min(count, 16u); ++i) {
      char name[256] = {};
      clGetPlatformInfo(platforms[i], CL_PLATFORM_NAME, sizeof name - 1, name, nullptr);
      Implementation made;
      if (std::string(name) != "Portable Computing Language") continue;
      must(clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_CPU, 1, &made.device, nullptr), "clGetDeviceIDs");
      cl_int code = CL_SUCCESS;
      made.context = clCreateContext(nullptr, 1, &made.device, nullptr, nullptr, &code);
      must(code, "clCreateContext");
      return made;
    }
    throw std::runtime_error("the OpenCL implementation PoCL is not installed, which runs the stand-in's kernels");
  }();
  return found;
}

class Queue final : public Lane {
 public:
  Queue() {
    cl_int code = CL_SUCCESS;
    queue_ = clCreateCommandQueueWithProperties(implementation().context, implementation().device, nullptr, &code);
    must(code, "clCreateCommandQueue");
  }
  ~Queue() override { clReleaseCommandQueue(queue_); }
  void finish() override { clFinish(queue_); }
  cl_command_queue get() const { return queue_; }

 private:
  cl_command_queue queue_ = nullptr;
};

std::size_t bytes_of_type(const std::string& type) {
  static const std::map<std::string, std::size_t> sizes = {
      {"char", 1}, {"uchar", 1}, {"unsigned char", 1}, {"short", 2},  {"ushort", 2},       {"unsigned short", 2},
      {"int", 4},  {"uint", 4},  {"unsigned int", 4},  {"float", 4},  {"i32", 4},          {"f32", 4},
      {"u8", 1},   {"long", 8},  {"ulong", 8},         {"double", 8}, {"unsigned long", 8}};
  const auto found = sizes.find(type);
  if (found == sizes.end()) throw std::runtime_error("a kernel argument of type " + type + " is not known");
  return found->second;
}

// One parameter of the vendor's spelling. A pointer is two of OpenCL's: IN and OUT carry an offset there, which stays 0
// because the vendor's pointers come with it added.
struct Slot {
  cl_uint at;
  bool pointer, with_offset;
};

class ClKernel final : public Kernel {
 public:
  ClKernel(std::shared_ptr<void> program, cl_kernel handle) : program_(std::move(program)), handle_(handle) {
    char text[256] = {};
    clGetKernelInfo(handle_, CL_KERNEL_FUNCTION_NAME, sizeof text - 1, text, nullptr);
    name = text;
    std::size_t size[3] = {};
    cl_ulong local = 0;
    const cl_device_id device = implementation().device;
    clGetKernelWorkGroupInfo(handle_, device, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof size, size, nullptr);
    clGetKernelWorkGroupInfo(handle_, device, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, nullptr);
    max_threads = static_cast<unsigned>(size[0] * size[1] * size[2]);
    exact_threads = max_threads > 0;
    static_shared = local;
    read_parameters();
  }
  ~ClKernel() override { clReleaseKernel(handle_); }

  int run(const Call& call, Device& device, std::unique_ptr<Lane>& lane) const override {
    if (!lane) lane = std::make_unique<Queue>();
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (const int code = set(i, call, device)) return code;
    std::size_t global[3], local[3];
    for (int d = 0; d < 3; ++d) {
      local[d] = call.block[d];
      global[d] = local[d] * call.grid[d];
    }
    const cl_uint dimensions = global[2] > 1 ? 3 : global[1] > 1 ? 2 : 1;
    cl_command_queue queue = static_cast<Queue&>(*lane).get();
    const cl_int code = clEnqueueNDRangeKernel(queue, handle_, dimensions, nullptr, global, local, 0, nullptr, nullptr);
    if (code == CL_SUCCESS) {
      clFlush(queue);
      return kOk;
    }
    std::fprintf(stderr, "stand-in: kernel %s: clEnqueueNDRangeKernel: error %d\n", name.c_str(), code);
    return kLaunchFailed;
  }

 private:
  void read_parameters() {
    cl_uint count = 0;
    clGetKernelInfo(handle_, CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr);
    const auto text_of = [&](cl_uint i, cl_kernel_arg_info what) {
      char text[256] = {};
      must(clGetKernelArgInfo(handle_, i, what, sizeof text - 1, text, nullptr), "clGetKernelArgInfo");
      return std::string(text);
    };
    for (cl_uint i = 0; i < count; ++i) {
      cl_kernel_arg_address_qualifier where = 0;
      clGetKernelArgInfo(handle_, i, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof where, &where, nullptr);
      const bool pointer = where == CL_KERNEL_ARG_ADDRESS_GLOBAL;
      const bool offset =
          pointer && i + 1 < count && text_of(i + 1, CL_KERNEL_ARG_NAME) == text_of(i, CL_KERNEL_ARG_NAME) + "_offset";
      slots_.push_back({i, pointer, offset});
      parameters.push_back(pointer ? sizeof(void*) : bytes_of_type(text_of(i, CL_KERNEL_ARG_TYPE_NAME)));
      if (offset) ++i;
    }
  }

  int set(std::size_t i, const Call& call, Device& device) const {
    const Slot& slot = slots_[i];
    cl_int code = CL_SUCCESS;
    if (slot.pointer) {
      std::uintptr_t address = 0;
      std::memcpy(&address, call.argument(i), sizeof address);
      if (!usable(address, i, device)) return kIllegalAddress;
      code = clSetKernelArgSVMPointer(handle_, slot.at, reinterpret_cast<const void*>(address));
      const cl_ulong none = 0;
      if (code == CL_SUCCESS && slot.with_offset) code = clSetKernelArg(handle_, slot.at + 1, sizeof none, &none);
    } else {
      code = clSetKernelArg(handle_, slot.at, parameters[i], call.argument(i));
    }
    if (code == CL_SUCCESS) return kOk;
    std::fprintf(stderr, "stand-in: kernel %s: argument %zu: error %d\n", name.c_str(), i, code);
    return kLaunchFailed;
  }

  // Single accesses cannot be seen here, but a pointer that leads nowhere can. One behind the last byte of a block is
  // an empty tensor's.
  bool usable(std::uintptr_t address, std::size_t i, Device& device) const {
    Block block{};
    if (address == 0 || device.memory.find(address, block) || device.memory.find(address - 1, block)) return true;
    const std::string what = "kernel " + name + ": argument " + std::to_string(i);
    return holds(device, address, 1, what.c_str());
  }

  std::shared_ptr<void> program_;
  cl_kernel handle_;
  std::vector<Slot> slots_;
  mutable std::mutex mutex_;  // arguments belong to the kernel until it is enqueued
};

std::string log_of(cl_program program) {
  std::size_t size = 0;
  clGetProgramBuildInfo(program, implementation().device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  clGetProgramBuildInfo(program, implementation().device, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
  return log.empty() ? "the compiler left no log" : log;
}

struct Built {
  std::shared_ptr<void> program;  // a cl_program, released with the last kernel
  std::string log;
};

Built build(const std::string& text) {
  const char* source = text.c_str();
  cl_int code = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(implementation().context, 1, &source, nullptr, &code);
  must(code, "clCreateProgramWithSource");
  std::shared_ptr<void> owned(program, [](void* p) { clReleaseProgram(static_cast<cl_program>(p)); });
  code = clBuildProgram(program, 1, &implementation().device, kOptions, nullptr, nullptr);
  if (code != CL_SUCCESS) return {nullptr, log_of(program)};
  return {std::move(owned), {}};
}

class ClImage final : public Image {
 public:
  explicit ClImage(std::shared_ptr<void> program) : program_(std::move(program)) {
    const auto handle = static_cast<cl_program>(program_.get());
    cl_uint count = 0;
    must(clCreateKernelsInProgram(handle, 0, nullptr, &count), "clCreateKernelsInProgram");
    std::vector<cl_kernel> kernels(count);
    must(clCreateKernelsInProgram(handle, count, kernels.data(), nullptr), "clCreateKernelsInProgram");
    for (cl_kernel kernel : kernels) {
      auto made = std::make_shared<ClKernel>(program_, kernel);
      kernels_[made->name] = made;
    }
  }

  std::shared_ptr<const Kernel> find(const std::string& name) override {
    const auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : found->second;
  }

  std::string describe() const {
    std::string lines;
    for (const auto& [name, kernel] : kernels_) {
      lines += name + " " + std::to_string(kernel->static_shared);
      for (const std::size_t size : kernel->parameters) lines += " " + std::to_string(size);
      lines += "\n";
    }
    return lines;
  }

  std::size_t most_shared() const {
    std::size_t most = 0;
    for (const auto& [name, kernel] : kernels_) most = std::max(most, kernel->static_shared);
    return most;
  }

 private:
  std::shared_ptr<void> program_;
  std::unordered_map<std::string, std::shared_ptr<ClKernel>> kernels_;
};

// Compiling comes first and loading right after: the image that was compiled last is kept for that.
std::mutex g_last_mutex;
std::string& last_text() {
  static auto& text = *new std::string;
  return text;
}
std::shared_ptr<Image>& last_image() {
  static auto& image = *new std::shared_ptr<Image>;
  return image;
}

}  // namespace

std::string try_build(const std::string& text, std::size_t shared_limit, std::string& kernels) {
  const Built built = build(text);
  if (!built.program) return built.log;
  auto image = std::make_shared<ClImage>(built.program);
  if (image->most_shared() > shared_limit)
    return "error: a kernel uses " + std::to_string(image->most_shared()) + " bytes of shared memory, the limit is " +
           std::to_string(shared_limit);
  kernels = image->describe();
  const std::lock_guard lock(g_last_mutex);
  last_text() = text;
  last_image() = std::move(image);
  return {};
}

std::shared_ptr<Image> load(const std::string& text) {
  {
    const std::lock_guard lock(g_last_mutex);
    if (last_image() && last_text() == text) return std::exchange(last_image(), nullptr);
  }
  const Built built = build(text);
  return built.program ? std::make_shared<ClImage>(built.program) : nullptr;
}

}  // namespace portico::standin::opencl
