// A libamdhip64 as far as the plugin uses it, with rocBLAS beside it; hipRTC is the real one where there is one. The
// struct of device properties is ROCm 5's, or with FAKE_R0600 that of ROCm 6: each library exports one of the two
// names. See machine.hpp.
#include <cstdlib>
#include <cstring>
#include <string>

#include "backends/hip/blas_api.hpp"
#include "machine.hpp"

using namespace hip;
using namespace portico::test;

namespace {

thread_local int t_device = 0;

struct FakeModule {
  std::vector<std::string*> functions;
};

FakeStream* real(Stream stream) { return reinterpret_cast<FakeStream*>(stream); }
FakeEvent* real(Event event) { return reinterpret_cast<FakeEvent*>(event); }

}  // namespace

#define ENTER \
  if (const int code = machine::fault(__func__)) return code

extern "C" {

int hipDriverGetVersion(int* version) {
  *version = 50221153;
  return kSuccess;
}
int hipRuntimeGetVersion(int* version) {
  const char* asked = std::getenv("FAKE_RUNTIME_VERSION");
  *version = asked ? std::atoi(asked) : 50221153;
  return kSuccess;
}
const char* hipGetErrorName(Result code) {
  return code == kErrorOutOfMemory      ? "hipErrorOutOfMemory"
         : code == kErrorIllegalAddress ? "hipErrorIllegalAddress"
                                        : "hipErrorOther";
}
const char* hipGetErrorString(Result code) { return hipGetErrorName(code); }
int hipGetDeviceCount(int* count) {
  ENTER;
  *count = 1;
  return kSuccess;
}
int hipGetDevice(int* device) {
  *device = t_device;
  return kSuccess;
}
int hipSetDevice(int device) {
  ENTER;
  t_device = device;
  return device == 0 ? kSuccess : 101;
}
#if FAKE_R0600
int hipGetDevicePropertiesR0600(PropertiesR0600* properties, int) {
#else
int hipGetDeviceProperties(PropertiesR0000* properties, int) {
#endif
  ENTER;
  std::strcpy(properties->name, "Stand-in");
  std::strcpy(properties->gcnArchName, "gfx90a:sramecc+:xnack-");
  properties->totalGlobalMem = std::size_t{1} << 30;
  properties->sharedMemPerBlock = 65536;
  properties->warpSize = 64;
  properties->maxThreadsPerBlock = 1024;
  properties->multiProcessorCount = 104;
  properties->integrated = 0;
  return kSuccess;
}
int hipDeviceSynchronize() {
  ENTER;
  if (machine::some_stream_captures()) return 900;  // the operation is not permitted during a capture
  machine::drain_all();
  return kSuccess;
}
int hipMalloc(void** pointer, std::size_t bytes) {
  ENTER;
  *pointer = machine::allocate(bytes);
  return *pointer ? kSuccess : kErrorOutOfMemory;
}
int hipFree(void* pointer) {
  ENTER;
  return machine::release(pointer) ? kSuccess : kErrorInvalidValue;
}
int hipMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  ENTER;
  *free_bytes = 1000;
  *total = 2000;
  return kSuccess;
}
int hipHostMalloc(void** memory, std::size_t bytes, unsigned flags) {
  ENTER;
  if (flags != kHostMallocPortable) return kErrorInvalidValue;
  *memory = machine::allocate_pinned(bytes);
  return kSuccess;
}
int hipHostFree(void* memory) {
  ENTER;
  return machine::release_pinned(memory) ? kSuccess : kErrorInvalidValue;
}
int hipMemcpyHtoDAsync(DevicePointer to, void* from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(to, bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(to, from, bytes); });
  return kSuccess;
}
int hipMemcpyDtoHAsync(void* to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(from, bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(to, from, bytes); });
  return kSuccess;
}
int hipMemcpyDtoDAsync(DevicePointer to, DevicePointer from, std::size_t bytes, Stream stream) {
  ENTER;
  if (!machine::inside(to, bytes) || !machine::inside(from, bytes)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] { std::memcpy(to, from, bytes); });
  return kSuccess;
}
int hipMemsetD32Async(DevicePointer to, int pattern, std::size_t words, Stream stream) {
  ENTER;
  if (!machine::inside(to, 4 * words)) return kErrorInvalidValue;
  machine::enqueue(real(stream), [=] {
    for (std::size_t i = 0; i < words; ++i) static_cast<int*>(to)[i] = pattern;
  });
  return kSuccess;
}
int hipStreamCreateWithFlags(Stream* stream, unsigned flags) {
  ENTER;
  if (flags != kStreamNonBlocking) return kErrorInvalidValue;
  *stream = reinterpret_cast<Stream>(machine::stream());
  return kSuccess;
}
int hipStreamDestroy(Stream stream) {
  ENTER;
  machine::destroy(real(stream));
  return kSuccess;
}
int hipStreamSynchronize(Stream stream) {
  ENTER;
  if (real(stream)->capturing) return 900;
  machine::drain(real(stream));
  return kSuccess;
}
int hipStreamWaitEvent(Stream stream, Event event, unsigned) {
  ENTER;
  machine::enqueue(real(stream), [copy = *real(event)] { machine::wait_for(&copy); });
  return kSuccess;
}
int hipStreamIsCapturing(Stream stream, CaptureStatus* status) {
  ENTER;
  *status = machine::capturing() || real(stream)->capturing ? 1 : kNotCapturing;
  return kSuccess;
}
int hipStreamBeginCapture(Stream stream, CaptureMode mode) {
  ENTER;
  if (mode != kCaptureRelaxed) return kErrorInvalidValue;
  return machine::begin_capture(real(stream)) ? kSuccess : kErrorInvalidValue;
}
int hipStreamEndCapture(Stream stream, Graph* graph) {
  FakeGraph* captured = nullptr;
  if (!machine::end_capture(real(stream), &captured)) return kErrorInvalidValue;
  *graph = reinterpret_cast<Graph>(captured);
  ENTER;  // a failing end has ended the capture all the same
  return kSuccess;
}
int hipGraphInstantiateWithFlags(GraphExec* exec, Graph graph, unsigned long long flags) {
  ENTER;
  if (flags != 0) return kErrorInvalidValue;
  *exec = reinterpret_cast<GraphExec>(machine::copy_graph(reinterpret_cast<FakeGraph*>(graph)));
  return kSuccess;
}
int hipGraphLaunch(GraphExec graph, Stream stream) {
  ENTER;
  machine::enqueue_graph(real(stream), reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int hipGraphExecDestroy(GraphExec graph) {
  ENTER;
  machine::destroy(reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int hipGraphDestroy(Graph graph) {
  ENTER;
  machine::destroy(reinterpret_cast<FakeGraph*>(graph));
  return kSuccess;
}
int hipEventCreateWithFlags(Event* event, unsigned) {
  ENTER;
  *event = reinterpret_cast<Event>(new FakeEvent);
  return kSuccess;
}
int hipEventDestroy(Event event) {
  ENTER;
  delete real(event);
  return kSuccess;
}
int hipEventRecord(Event event, Stream stream) {
  ENTER;
  machine::record(real(event), real(stream));
  return kSuccess;
}
int hipEventSynchronize(Event event) {
  ENTER;
  machine::wait_for(real(event));
  return kSuccess;
}
int hipEventElapsedTime(float* milliseconds, Event start, Event stop) {
  ENTER;
  *milliseconds = static_cast<float>(real(stop)->milliseconds - real(start)->milliseconds);
  return kSuccess;
}
int hipModuleLoadData(Module* module, const void* image) {
  ENTER;
  if (std::memcmp(image, "\177ELF", 4) != 0) return 200;  // hipErrorInvalidImage
  *module = reinterpret_cast<Module>(new FakeModule);
  return kSuccess;
}
int hipModuleUnload(Module module) {
  ENTER;
  auto* fake = reinterpret_cast<FakeModule*>(module);
  for (std::string* function : fake->functions) delete function;
  delete fake;
  return kSuccess;
}
int hipModuleGetFunction(Function* function, Module module, const char* name) {
  ENTER;
  if (std::strcmp(name, "missing") == 0) return kErrorNotFound;
  auto* fake = reinterpret_cast<FakeModule*>(module);
  *function = reinterpret_cast<Function>(fake->functions.emplace_back(new std::string(name)));
  return kSuccess;
}
int hipModuleLaunchKernel(Function function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                          unsigned bz, unsigned, Stream stream, void** arguments, void**) {
  ENTER;
  if (bx * by * bz > 1024) return kErrorInvalidValue;
  const unsigned grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
  machine::launched(real(stream), reinterpret_cast<std::string*>(function)->c_str(), grid, block, arguments);
  return kSuccess;
}

}  // extern "C"

namespace {

using namespace hip::blas;

int multiply(Stream stream, Operation op_a, Operation op_b, int m, int n, int k, const void* alpha, const void* a,
             DataType type, int lda, const void* b, int ldb, const void* beta, void* c, int ldc) {
  if (type != kF32) return kNotImplemented;
  const machine::Product product = {.trans_a = op_a == kTranspose,
                                    .trans_b = op_b == kTranspose,
                                    .m = m,
                                    .n = n,
                                    .k = k,
                                    .lda = lda,
                                    .ldb = ldb,
                                    .ldc = ldc,
                                    .a = static_cast<const float*>(a),
                                    .b = static_cast<const float*>(b),
                                    .c = static_cast<float*>(c),
                                    .d = static_cast<float*>(c),
                                    .alpha = *static_cast<const float*>(alpha),
                                    .beta = *static_cast<const float*>(beta)};
  machine::enqueue(real(stream), [product] { machine::multiply(product); });
  return 0;
}

Stream stream_of(Handle handle) { return *reinterpret_cast<Stream*>(handle); }

}  // namespace

extern "C" {

int rocblas_create_handle(Handle* handle) {
  ENTER;
  *handle = reinterpret_cast<Handle>(new Stream{});
  return 0;
}
int rocblas_destroy_handle(Handle handle) {
  delete reinterpret_cast<Stream*>(handle);
  return 0;
}
int rocblas_set_stream(Handle handle, Stream stream) {
  *reinterpret_cast<Stream*>(handle) = stream;
  return 0;
}
int rocblas_set_atomics_mode(Handle, AtomicsMode mode) { return mode == kAtomicsNotAllowed ? 0 : 11; }
const char* rocblas_status_to_string(Status) { return "rocblas_status_other"; }
int rocblas_gemm_ex(Handle handle, Operation op_a, Operation op_b, std::int32_t m, std::int32_t n, std::int32_t k,
                    const void* alpha, const void* a, DataType type, std::int32_t lda, const void* b, DataType,
                    std::int32_t ldb, const void* beta, const void* c, DataType, std::int32_t, void* d, DataType,
                    std::int32_t ldd, DataType, GemmAlgo, std::int32_t, std::uint32_t) {
  ENTER;
  if (c != d) return 11;
  return multiply(stream_of(handle), op_a, op_b, m, n, k, alpha, a, type, lda, b, ldb, beta, d, ldd);
}
int rocblas_gemm_strided_batched_ex(Handle handle, Operation op_a, Operation op_b, std::int32_t m, std::int32_t n,
                                    std::int32_t k, const void* alpha, const void* a, DataType type, std::int32_t lda,
                                    std::int64_t stride_a, const void* b, DataType, std::int32_t ldb,
                                    std::int64_t stride_b, const void* beta, const void* c, DataType, std::int32_t,
                                    std::int64_t, void* d, DataType, std::int32_t ldd, std::int64_t stride_d,
                                    std::int32_t batch, DataType, GemmAlgo, std::int32_t, std::uint32_t) {
  ENTER;
  if (c != d) return 11;
  for (int i = 0; i < batch; ++i)
    if (const int code = multiply(
            stream_of(handle), op_a, op_b, m, n, k, alpha, static_cast<const float*>(a) + i * stride_a, type, lda,
            static_cast<const float*>(b) + i * stride_b, ldb, beta, static_cast<float*>(d) + i * stride_d, ldd))
      return code;
  return 0;
}

}  // extern "C"
