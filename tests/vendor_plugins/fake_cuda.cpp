// A libcuda as far as the plugin uses it, with cuBLAS beside it; see machine.hpp. cuBLASLt is in fake_lt.cpp.
#include <cstdlib>
#include <cstring>
#include <string>

#include "backends/cuda/blas_api.hpp"
#include "machine.hpp"

using namespace cuda;
using namespace portico::test;

namespace {

thread_local Context t_context = nullptr;
int g_context;  // its address is the one context

struct FakeModule {
  std::string image;
  std::vector<std::string*> functions;
};

FakeStream* real(Stream stream) { return reinterpret_cast<FakeStream*>(stream); }
FakeEvent* real(Event event) { return reinterpret_cast<FakeEvent*>(event); }
void* real(DevicePointer pointer) { return reinterpret_cast<void*>(pointer); }

// What a driver checks first, in each function that needs a context.
int enter(const char* function) {
  if (const int code = machine::fault(function)) return code;
  return t_context == reinterpret_cast<Context>(&g_context) ? kSuccess : 201;  // CUDA_ERROR_INVALID_CONTEXT
}

}  // namespace

#define ENTER \
  if (const int code = enter(__func__)) return code
#define BEFORE_CONTEXT \
  if (const int code = machine::fault(__func__)) return code

extern "C" {

int cuInit(unsigned) {
  BEFORE_CONTEXT;
  return kSuccess;
}
int cuDriverGetVersion(int* version) {
  BEFORE_CONTEXT;
  const char* asked = std::getenv("FAKE_DRIVER_VERSION");
  *version = asked ? std::atoi(asked) : 13000;
  return kSuccess;
}
int cuGetErrorName(Result code, const char** text) {
  *text = code == kErrorOutOfMemory      ? "CUDA_ERROR_OUT_OF_MEMORY"
          : code == kErrorIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                         : "CUDA_ERROR_OTHER";
  return kSuccess;
}
int cuGetErrorString(Result code, const char** text) {
  *text = code == kErrorOutOfMemory ? "out of memory" : "something else";
  return kSuccess;
}
int cuDeviceGetCount(int* count) {
  BEFORE_CONTEXT;
  *count = 1;
  return kSuccess;
}
int cuDeviceGet(Device* device, int ordinal) {
  BEFORE_CONTEXT;
  *device = 40 + ordinal;  // a handle is not an index
  return ordinal == 0 ? kSuccess : 101;
}
int cuDeviceGetName(char* name, int size, Device) {
  std::strncpy(name, "Stand-in", static_cast<std::size_t>(size));
  return kSuccess;
}
int cuDeviceGetAttribute(int* value, Attribute attribute, Device device) {
  if (device != 40) return 101;
  switch (attribute) {
    case kMaxThreadsPerBlock:
      *value = 1024;
      break;
    case kMaxSharedMemoryPerBlock:
      *value = 49152;
      break;
    case kWarpSize:
      *value = 32;
      break;
    case kMultiprocessorCount:
      *value = 132;
      break;
    case kIntegrated:
      *value = 0;
      break;
    // NVRTC knows no sm_99: the plugin must then ask for the newest PTX below it.
    case kComputeCapabilityMajor:
      *value = 9;
      break;
    case kComputeCapabilityMinor:
      *value = std::getenv("FAKE_UNKNOWN_ARCH") ? 9 : 0;
      break;
    default:
      return kErrorInvalidValue;
  }
  return kSuccess;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, Device) {
  *bytes = std::size_t{1} << 30;
  return kSuccess;
}
int cuDevicePrimaryCtxRetain(Context* context, Device) {
  BEFORE_CONTEXT;
  *context = reinterpret_cast<Context>(&g_context);
  return kSuccess;
}
int cuDevicePrimaryCtxRelease_v2(Device) { return kSuccess; }
int cuCtxGetCurrent(Context* context) {
  *context = t_context;
  return kSuccess;
}
int cuCtxSetCurrent(Context context) {
  BEFORE_CONTEXT;
  t_context = context;
  return kSuccess;
}
int cuCtxSynchronize() {
  ENTER;
  if (machine::some_stream_captures()) return 900;  // the operation is not permitted during a capture
  machine::drain_all();
  return kSuccess;
}
int cuMemAlloc_v2(DevicePointer* pointer, std::size_t bytes) {
  ENTER;
  if (bytes == 0) return kErrorInvalidValue;
  void* memory = machine::allocate(bytes);
  if (!memory) return kErrorOutOfMemory;
  *pointer = reinterpret_cast<DevicePointer>(memory);
  return kSuccess;
}
int cuMemFree_v2(DevicePointer pointer) {
  ENTER;
  return machine::release(real(pointer)) ? kSuccess : kErrorInvalidValue;
}
int cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total) {
  ENTER;
  *free_bytes = 1000;
  *total = 2000;
  return kSuccess;
}
int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  ENTER;
  if (flags != kHostAllocPortable) return kErrorInvalidValue;
  *memory = machine::allocate_pinned(bytes);
  return kSuccess;
}
int cuMemFreeHost(void* memory) {
  ENTER;
  return machine::release_pinned(memory) ? kSuccess : kErrorInvalidValue;
}
int cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(real(to), bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(real(to), from, bytes); });  // reads the source as late as it may
  return kSuccess;
}
int cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(real(from), bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(to, real(from), bytes); });
  return kSuccess;
}
int cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(real(to), bytes) || !machine::inside(real(from), bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(real(to), real(from), bytes); });
  return kSuccess;
}
int cuMemsetD32Async(DevicePointer to, unsigned pattern, std::size_t words, Stream stream) {
  ENTER;
  if (!machine::inside(real(to), 4 * words)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] {
    for (std::size_t i = 0; i < words; ++i) static_cast<unsigned*>(real(to))[i] = pattern;
  });
  return kSuccess;
}
int cuStreamCreate(Stream* stream, unsigned flags) {
  ENTER;
  if (flags != kStreamNonBlocking) return kErrorInvalidValue;
  *stream = reinterpret_cast<Stream>(machine::stream());
  return kSuccess;
}
int cuStreamDestroy_v2(Stream stream) {
  ENTER;
  machine::destroy(real(stream));
  return kSuccess;
}
int cuStreamSynchronize(Stream stream) {
  ENTER;
  if (real(stream)->capturing) return 900;
  machine::drain(real(stream));
  return kSuccess;
}
int cuStreamWaitEvent(Stream stream, Event event, unsigned) {
  ENTER;
  machine::enqueue(real(stream), [copy = *real(event)] { machine::wait_for(&copy); });
  return kSuccess;
}
int cuStreamIsCapturing(Stream stream, CaptureStatus* status) {
  ENTER;
  *status = machine::capturing() || real(stream)->capturing ? 1 : kNotCapturing;
  return kSuccess;
}
int cuStreamBeginCapture_v2(Stream stream, CaptureMode mode) {
  ENTER;
  if (mode != kCaptureRelaxed) return kErrorInvalidValue;
  return machine::begin_capture(real(stream)) ? kSuccess : kErrorInvalidValue;
}
int cuStreamEndCapture(Stream stream, Graph* graph) {
  FakeGraph* captured = nullptr;
  if (!machine::end_capture(real(stream), &captured)) return kErrorInvalidValue;
  *graph = reinterpret_cast<Graph>(captured);
  ENTER;  // a failing end has ended the capture all the same
  return kSuccess;
}
int cuGraphInstantiateWithFlags(GraphExec* exec, Graph graph, unsigned long long flags) {
  ENTER;
  if (flags != 0) return kErrorInvalidValue;
  *exec = reinterpret_cast<GraphExec>(machine::copy_graph(reinterpret_cast<FakeGraph*>(graph)));
  return kSuccess;
}
int cuGraphLaunch(GraphExec graph, Stream stream) {
  ENTER;
  machine::enqueue_graph(real(stream), reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int cuGraphExecDestroy(GraphExec graph) {
  ENTER;
  machine::destroy(reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int cuGraphDestroy(Graph graph) {
  ENTER;
  machine::destroy(reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int cuEventCreate(Event* event, unsigned) {
  ENTER;
  *event = reinterpret_cast<Event>(new FakeEvent);
  return kSuccess;
}
int cuEventDestroy_v2(Event event) {
  ENTER;
  delete real(event);
  return kSuccess;
}
int cuEventRecord(Event event, Stream stream) {
  ENTER;
  machine::record(real(event), real(stream));
  return kSuccess;
}
int cuEventSynchronize(Event event) {
  ENTER;
  machine::wait_for(real(event));
  return kSuccess;
}
int cuEventElapsedTime(float* milliseconds, Event start, Event stop) {
  ENTER;
  *milliseconds = static_cast<float>(real(stop)->milliseconds - real(start)->milliseconds);
  return kSuccess;
}
int cuModuleLoadData(Module* module, const void* image) {
  ENTER;
  const char* text = static_cast<const char*>(image);
  // Machine code is an ELF file; PTX a text, which must end in a zero.
  const bool elf = std::memcmp(text, "\177ELF", 4) == 0;
  if (!elf && !std::strstr(text, ".version")) return 200;  // CUDA_ERROR_INVALID_IMAGE
  *module = reinterpret_cast<Module>(new FakeModule{elf ? std::string() : std::string(text), {}});
  return kSuccess;
}
int cuModuleUnload(Module module) {
  ENTER;
  auto* fake = reinterpret_cast<FakeModule*>(module);
  for (std::string* function : fake->functions) delete function;
  delete fake;
  return kSuccess;
}
int cuModuleGetFunction(Function* function, Module module, const char* name) {
  ENTER;
  auto* fake = reinterpret_cast<FakeModule*>(module);
  if (std::strcmp(name, "missing") == 0) return kErrorNotFound;
  if (!fake->image.empty() && fake->image.find(name) == std::string::npos) return kErrorNotFound;
  *function = reinterpret_cast<Function>(fake->functions.emplace_back(new std::string(name)));
  return kSuccess;
}
int cuLaunchKernel(Function function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned, Stream stream, void** arguments, void**) {
  ENTER;
  if (gy > 65535 || gz > 65535 || bx * by * bz > 1024) return kErrorInvalidValue;
  const unsigned grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
  machine::launched(real(stream), reinterpret_cast<std::string*>(function)->c_str(), grid, block, arguments);
  return kSuccess;
}
int cuFuncGetParamInfo(Function, std::size_t index, std::size_t* offset, std::size_t* size) {
  ENTER;
  if (std::getenv("FAKE_ANY_ARGUMENTS")) return 801;  // CUDA_ERROR_NOT_SUPPORTED: it cannot tell
  if (index >= machine::argument_count()) return kErrorInvalidValue;
  *offset = 8 * index;
  *size = 8;
  return kSuccess;
}

}  // extern "C"

using namespace cuda::blas;

extern "C" {

struct FakeHandle {
  Stream stream = nullptr;
  void* workspace = nullptr;
};
int cublasCreate_v2(Handle* handle) {
  ENTER;
  *handle = reinterpret_cast<Handle>(new FakeHandle);
  return 0;
}
int cublasDestroy_v2(Handle handle) {
  delete reinterpret_cast<FakeHandle*>(handle);
  return 0;
}
int cublasSetStream_v2(Handle handle, Stream stream) {
  *reinterpret_cast<FakeHandle*>(handle) = {stream, nullptr};  // as the real one: the workspace is forgotten
  return 0;
}
int cublasSetWorkspace_v2(Handle handle, void* workspace, std::size_t size) {
  if (!machine::inside(workspace, size)) return blas::kInvalidValue;
  reinterpret_cast<FakeHandle*>(handle)->workspace = workspace;
  return 0;
}
int cublasSetMathMode(Handle, MathMode mode) {
  return mode == kDisallowReducedPrecisionReduction ? 0 : blas::kInvalidValue;
}
int cublasGemmStridedBatchedEx(Handle handle, Operation op_a, Operation op_b, int m, int n, int k, const void* alpha,
                               const void* a, DataType type, int lda, long long stride_a, const void* b, DataType,
                               int ldb, long long stride_b, const void* beta, void* c, DataType, int ldc,
                               long long stride_c, int batch, ComputeType compute, GemmAlgo) {
  ENTER;
  const auto* fake = reinterpret_cast<FakeHandle*>(handle);
  if (!fake->workspace || compute != kCompute32F) return blas::kInvalidValue;
  if (type != kR32F) return blas::kNotSupported;
  for (int i = 0; i < batch; ++i)
    machine::enqueue(real(fake->stream), [product = machine::Product{
                                              .trans_a = op_a == kOpT,
                                              .trans_b = op_b == kOpT,
                                              .m = m,
                                              .n = n,
                                              .k = k,
                                              .lda = lda,
                                              .ldb = ldb,
                                              .ldc = ldc,
                                              .a = static_cast<const float*>(a) + i * stride_a,
                                              .b = static_cast<const float*>(b) + i * stride_b,
                                              .c = static_cast<float*>(c) + i * stride_c,
                                              .d = static_cast<float*>(c) + i * stride_c,
                                              .alpha = *static_cast<const float*>(alpha),
                                              .beta = *static_cast<const float*>(beta),
                                          }] { machine::multiply(product); });
  return 0;
}

}  // extern "C"
