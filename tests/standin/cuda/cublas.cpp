// cuBLAS, as far as the plugin uses it.
#include "backends/cuda/blas_api.hpp"
#include "tests/standin/blas/product.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"
#include "tests/standin/export.hpp"

namespace cublas = cuda::blas;
using namespace portico::standin;

namespace {

// cuBLAS's own codes.
enum { kSuccess = 0, kNotReadyHandle = 1, kBadValue = 7, kExecutionFailed = 13, kNotSupported = 15 };

struct Handle {
  Device* device;
  void* stream = nullptr;
};

Table<Handle>& handles() {
  static auto& table = *new Table<Handle>;
  return table;
}

bool type_of(cublas::DataType type, blas::Type& out) {
  switch (type) {
    case cublas::kR32F:
      out = blas::Type::f32;
      return true;
    case cublas::kR16F:
      out = blas::Type::f16;
      return true;
    case cublas::kR16BF:
      out = blas::Type::bf16;
      return true;
    default:
      return false;
  }
}

}  // namespace

#define ENTER_CUBLAS      \
  STANDIN_ENTER(nothing); \
  if (current_device() && current_device()->lost()) return kExecutionFailed

STANDIN_EXPORT int cublasCreate_v2(cublas::Handle* out) {
  ENTER_CUBLAS;
  if (!out) return kBadValue;
  if (!current_device()) return kNotReadyHandle;
  *out = static_cast<cublas::Handle>(handles().add(std::make_shared<Handle>(Handle{current_device()})));
  ++machine().others;
  return kSuccess;
}
static int destroy(cublas::Handle handle) {
  if (!handles().remove(handle)) return kNotReadyHandle;
  --machine().others;
  return kSuccess;
}
STANDIN_EXPORT int cublasDestroy_v2(cublas::Handle handle) { STANDIN_GIVE_BACK(nothing, destroy(handle)); }
STANDIN_EXPORT int cublasSetStream_v2(cublas::Handle handle, cuda::Stream stream) {
  ENTER_CUBLAS;
  const auto owner = handles().find(handle);
  if (!owner) return kNotReadyHandle;
  const auto found = stream ? machine().streams.find(stream) : nullptr;
  if (stream && (!found || &found->device != owner->device)) return kBadValue;
  owner->stream = stream;
  return kSuccess;
}
STANDIN_EXPORT int cublasSetWorkspace_v2(cublas::Handle handle, void* workspace, std::size_t size) {
  ENTER_CUBLAS;
  const auto owner = handles().find(handle);
  if (!owner) return kNotReadyHandle;
  if (size == 0) return kSuccess;
  const auto address = reinterpret_cast<std::uintptr_t>(workspace);
  return address % 256 == 0 && holds(*owner->device, address, size, "BLAS: workspace") ? kSuccess : kBadValue;
}
STANDIN_EXPORT int cublasSetMathMode(cublas::Handle handle, cublas::MathMode mode) {
  ENTER_CUBLAS;
  if (!handles().find(handle)) return kNotReadyHandle;
  const int plain = mode & ~cublas::kDisallowReducedPrecisionReduction;
  return plain >= 0 && plain <= 3 ? kSuccess : kBadValue;
}
STANDIN_EXPORT int cublasGemmStridedBatchedEx(cublas::Handle handle, int op_a, int op_b, int m, int n, int k,
                                              const void* alpha, const void* a, int type_a, int lda, long long stride_a,
                                              const void* b, int type_b, int ldb, long long stride_b, const void* beta,
                                              void* c, int type_c, int ldc, long long stride_c, int batch, int compute,
                                              int) {
  ENTER_CUBLAS;
  const auto owner = handles().find(handle);
  if (!owner) return kNotReadyHandle;
  for (const int op : {op_a, op_b})
    if (op < 0 || op > 2) return kBadValue;
  const bool trans_a = op_a != cublas::kOpN, trans_b = op_b != cublas::kOpN;
  if (m < 0 || n < 0 || k < 0 || batch < 0 || !alpha || !beta) return kBadValue;
  if (lda < std::max(1, trans_a ? k : m) || ldb < std::max(1, trans_b ? n : k) || ldc < std::max(1, m))
    return kBadValue;
  if (m == 0 || n == 0 || batch == 0) return kSuccess;

  blas::Product product{.trans_a = trans_a, .trans_b = trans_b, .m = m, .n = n, .k = k, .batch = batch};
  product.alpha = *static_cast<const float*>(alpha);
  product.beta = *static_cast<const float*>(beta);
  product.a = {const_cast<void*>(a), blas::Type::f32, trans_a ? k : m, trans_a ? m : k, lda, stride_a};
  product.b = {const_cast<void*>(b), blas::Type::f32, trans_b ? n : k, trans_b ? k : n, ldb, stride_b};
  product.c = {c, blas::Type::f32, m, n, ldc, stride_c};
  const bool typed =
      type_of(type_a, product.a.type) && type_of(type_b, product.b.type) && type_of(type_c, product.c.type);
  const bool fast = compute == cublas::kCompute32FFast16BF || compute == cublas::kCompute32FFastTF32;
  if (!typed || type_a != type_b || (compute != cublas::kCompute32F && !(fast && type_a == cublas::kR32F)))
    return kNotSupported;
  if (type_a != type_c && type_c != cublas::kR32F) return kNotSupported;
  product.d = product.c;

  const auto stream = api::stream_of(owner->stream);
  if (!stream || !blas::in_memory(stream->device, product)) return kBadValue;
  const int code = submit(*stream, {nullptr, [product, device = &stream->device] { return run(*device, product); }});
  return code == kOk ? kSuccess : kExecutionFailed;
}
