// A libcuda as far as the plugin uses it, with cuBLASLt and cuBLAS beside it; see machine.hpp.
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
  *version = 13000;
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
  machine::drain(real(stream));
  return kSuccess;
}
int cuStreamWaitEvent(Stream stream, Event event, unsigned) {
  ENTER;
  machine::enqueue(real(stream), [copy = *real(event)] { machine::wait_for(&copy); });
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
                   unsigned, Stream, void** arguments, void**) {
  ENTER;
  if (gy > 65535 || gz > 65535 || bx * by * bz > 1024) return kErrorInvalidValue;
  const unsigned grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
  machine::launched(reinterpret_cast<std::string*>(function)->c_str(), grid, block, arguments);
  return kSuccess;
}
int cuFuncGetParamInfo(Function, std::size_t index, std::size_t* offset, std::size_t* size) {
  ENTER;
  if (index >= machine::argument_count()) return kErrorInvalidValue;
  *offset = 8 * index;
  *size = 8;
  return kSuccess;
}

}  // extern "C"

// cuBLASLt: descriptors keep what is set, and the product refuses what the real library would.
namespace {

using namespace cuda::blas;

struct FakeDesc {
  int trans_a = kOpN, trans_b = kOpN;
  std::uint32_t epilogue = kEpilogueDefault;
  const float* bias = nullptr;
};
struct FakeLayout {
  DataType type;
  std::uint64_t rows, columns;
  std::int64_t leading;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
};
struct FakePreference {
  std::uint32_t reduction = 7, alignment[4] = {256, 256, 256, 256};
};

template <typename T>
int store(T& to, const void* value, std::size_t size) {
  if (size != sizeof to) return blas::kInvalidValue;
  std::memcpy(&to, value, size);
  return blas::kSuccess;
}

bool fits(const FakeLayout& layout, const void* data) {
  const std::int64_t last = (layout.batch - 1) * layout.stride +
                            static_cast<std::int64_t>(layout.columns - 1) * layout.leading +
                            static_cast<std::int64_t>(layout.rows);
  return layout.leading >= static_cast<std::int64_t>(layout.rows) &&
         machine::inside(data, 4 * static_cast<std::size_t>(last));
}

}  // namespace

extern "C" {

std::size_t cublasLtGetVersion() { return 130000; }
int cublasLtCreate(LtHandle* handle) {
  BEFORE_CONTEXT;
  *handle = reinterpret_cast<LtHandle>(new int(1));
  return 0;
}
int cublasLtDestroy(LtHandle handle) {
  delete reinterpret_cast<int*>(handle);
  return 0;
}
int cublasLtMatmulDescCreate(LtMatmulDesc* desc, ComputeType compute, DataType scale) {
  if (compute != kCompute32F || scale != kR32F) return blas::kInvalidValue;
  *desc = reinterpret_cast<LtMatmulDesc>(new FakeDesc);
  return 0;
}
int cublasLtMatmulDescDestroy(LtMatmulDesc desc) {
  delete reinterpret_cast<FakeDesc*>(desc);
  return 0;
}
int cublasLtMatmulDescSetAttribute(LtMatmulDesc desc, LtAttribute attribute, const void* value, std::size_t size) {
  auto* fake = reinterpret_cast<FakeDesc*>(desc);
  switch (attribute) {
    case kMatmulTransA:
      return store(fake->trans_a, value, size);
    case kMatmulTransB:
      return store(fake->trans_b, value, size);
    case kMatmulEpilogue:
      return store(fake->epilogue, value, size);
    case kMatmulBiasPointer:
      return store(fake->bias, value, size);
    default:
      return blas::kInvalidValue;
  }
}
int cublasLtMatrixLayoutCreate(LtMatrixLayout* layout, DataType type, std::uint64_t rows, std::uint64_t columns,
                               std::int64_t leading) {
  *layout = reinterpret_cast<LtMatrixLayout>(new FakeLayout{type, rows, columns, leading});
  return 0;
}
int cublasLtMatrixLayoutDestroy(LtMatrixLayout layout) {
  delete reinterpret_cast<FakeLayout*>(layout);
  return 0;
}
int cublasLtMatrixLayoutSetAttribute(LtMatrixLayout layout, LtAttribute attribute, const void* value,
                                     std::size_t size) {
  auto* fake = reinterpret_cast<FakeLayout*>(layout);
  switch (attribute) {
    case kLayoutBatchCount:
      return store(fake->batch, value, size);
    case kLayoutStridedBatchOffset:
      return store(fake->stride, value, size);
    default:
      return blas::kInvalidValue;
  }
}
int cublasLtMatmulPreferenceCreate(LtPreference* preference) {
  *preference = reinterpret_cast<LtPreference>(new FakePreference);
  return 0;
}
int cublasLtMatmulPreferenceDestroy(LtPreference preference) {
  delete reinterpret_cast<FakePreference*>(preference);
  return 0;
}
int cublasLtMatmulPreferenceSetAttribute(LtPreference preference, LtAttribute attribute, const void* value,
                                         std::size_t size) {
  auto* fake = reinterpret_cast<FakePreference*>(preference);
  std::uint64_t workspace = 0;
  if (attribute == kPreferenceMaxWorkspaceBytes) return store(workspace, value, size);
  if (attribute == kPreferenceReductionSchemeMask) return store(fake->reduction, value, size);
  if (attribute >= kPreferenceMinAlignmentABytes && attribute <= kPreferenceMinAlignmentDBytes)
    return store(fake->alignment[attribute - kPreferenceMinAlignmentABytes], value, size);
  return blas::kInvalidValue;
}
int cublasLtMatmulAlgoGetHeuristic(LtHandle, LtMatmulDesc, LtMatrixLayout a, LtMatrixLayout, LtMatrixLayout,
                                   LtMatrixLayout, LtPreference preference, int, LtHeuristicResult* results,
                                   int* found) {
  BEFORE_CONTEXT;
  const auto* fake = reinterpret_cast<FakePreference*>(preference);
  results[0] = {};
  results[0].workspace_size = 4096;
  results[0].algo.data[0] = fake->alignment[0];  // what the product will hold the operands to
  results[0].algo.data[1] = fake->alignment[1];
  *found = fake->reduction == kReductionComputeType && reinterpret_cast<FakeLayout*>(a)->type == kR32F ? 1 : 0;
  return 0;
}
int cublasLtMatmul(LtHandle, LtMatmulDesc desc, const void* alpha, const void* a, LtMatrixLayout layout_a,
                   const void* b, LtMatrixLayout layout_b, const void* beta, const void* c, LtMatrixLayout layout_c,
                   void* d, LtMatrixLayout, const LtAlgo* algo, void* workspace, std::size_t workspace_size,
                   Stream stream) {
  ENTER;
  const FakeDesc fake = *reinterpret_cast<FakeDesc*>(desc);
  const auto& la = *reinterpret_cast<FakeLayout*>(layout_a);
  const auto& lb = *reinterpret_cast<FakeLayout*>(layout_b);
  const auto& lc = *reinterpret_cast<FakeLayout*>(layout_c);
  const auto aligned = [](const void* p, std::uint64_t to) { return reinterpret_cast<std::uintptr_t>(p) % to == 0; };
  if (!aligned(a, algo->data[0]) || !aligned(b, algo->data[1])) return blas::kNotSupported;
  if (workspace_size != 4096 || !machine::inside(workspace, workspace_size) || c != d) return blas::kInvalidValue;
  if (!fits(la, a) || !fits(lb, b) || !fits(lc, d)) return blas::kInvalidValue;
  const bool biased = fake.epilogue & kEpilogueBias;
  if (biased && !machine::inside(fake.bias, 4 * lc.rows)) return blas::kInvalidValue;
  for (std::int32_t i = 0; i < lc.batch; ++i) {
    const machine::Product product = {
        .trans_a = fake.trans_a == kOpT,
        .trans_b = fake.trans_b == kOpT,
        .m = static_cast<long>(lc.rows),
        .n = static_cast<long>(lc.columns),
        .k = static_cast<long>(fake.trans_a == kOpT ? la.rows : la.columns),
        .lda = la.leading,
        .ldb = lb.leading,
        .ldc = lc.leading,
        .a = static_cast<const float*>(a) + i * la.stride,
        .b = static_cast<const float*>(b) + i * lb.stride,
        .bias = biased ? fake.bias : nullptr,
        .c = static_cast<float*>(d) + i * lc.stride,
        .alpha = *static_cast<const float*>(alpha),
        .beta = *static_cast<const float*>(beta),
        .relu = (fake.epilogue & kEpilogueRelu) != 0,
    };
    machine::enqueue(real(stream), [product] { machine::multiply(product); });
  }
  return 0;
}

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
                               long long stride_c, int batch, ComputeType, GemmAlgo) {
  ENTER;
  const auto* fake = reinterpret_cast<FakeHandle*>(handle);
  if (!fake->workspace) return blas::kInvalidValue;
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
                                              .bias = nullptr,
                                              .c = static_cast<float*>(c) + i * stride_c,
                                              .alpha = *static_cast<const float*>(alpha),
                                              .beta = *static_cast<const float*>(beta),
                                              .relu = false,
                                          }] { machine::multiply(product); });
  return 0;
}

}  // extern "C"
