// rocBLAS, as far as the plugin uses it.
#include <cstdint>

#include "backends/hip/blas_api.hpp"
#include "tests/standin/blas/product.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/hip/enter.hpp"

using namespace portico::standin;
namespace rocblas = hip::blas;

namespace {

// rocBLAS's own codes.
enum {
  kSuccess = 0,
  kBadHandle = 1,
  kNotImplemented = 2,
  kBadPointer = 3,
  kBadSize = 4,
  kInternalError = 6,
  kBadValue = 11
};

struct Handle {
  Device* device;
  void* stream = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

Table<Handle>& handles() {
  static auto& table = *new Table<Handle>;
  return table;
}

bool type_of(rocblas::DataType type, blas::Type& out) {
  switch (type) {
    case rocblas::kF32:
      out = blas::Type::f32;
      return true;
    case rocblas::kF16:
      out = blas::Type::f16;
      return true;
    case rocblas::kBF16:
      out = blas::Type::bf16;
      return true;
    default:
      return false;
  }
}

struct Operand {
  const void* data;
  rocblas::DataType type;
  std::int32_t leading;
  std::int64_t stride;
};

// The order of the checks is rocBLAS's: handle, sizes, then pointers.
int multiply(rocblas::Handle handle, int op_a, int op_b, std::int32_t m, std::int32_t n, std::int32_t k,
             const void* alpha, const Operand& a, const Operand& b, const void* beta, const Operand& c,
             const Operand& d, std::int32_t batch, rocblas::DataType compute) {
  const auto owner = handles().find(handle);
  if (!owner) return kBadHandle;
  for (const int op : {op_a, op_b})
    if (op != rocblas::kNone && op != rocblas::kTranspose && op != 113) return kBadValue;
  const bool trans_a = op_a != rocblas::kNone, trans_b = op_b != rocblas::kNone;
  if (m < 0 || n < 0 || k < 0 || batch < 0) return kBadSize;
  if (a.leading < std::max(1, trans_a ? k : m) || b.leading < std::max(1, trans_b ? n : k) ||
      c.leading < std::max(1, m) || d.leading < std::max(1, m))
    return kBadSize;
  if (m == 0 || n == 0 || batch == 0) return kSuccess;
  if (!alpha || !beta || !d.data || (k > 0 && (!a.data || !b.data))) return kBadPointer;
  if (c.data == d.data && (c.leading != d.leading || c.stride != d.stride)) return kBadValue;

  blas::Product product{.trans_a = trans_a, .trans_b = trans_b, .m = m, .n = n, .k = k, .batch = batch};
  product.alpha = *static_cast<const float*>(alpha);
  product.beta = *static_cast<const float*>(beta);
  const auto matrix = [](const Operand& from, std::int64_t rows, std::int64_t columns, blas::Matrix& to) {
    to = {const_cast<void*>(from.data), blas::Type::f32, rows, columns, from.leading, from.stride};
    return type_of(from.type, to.type);
  };
  const bool typed = matrix(a, trans_a ? k : m, trans_a ? m : k, product.a) &&
                     matrix(b, trans_b ? n : k, trans_b ? k : n, product.b) && matrix(c, m, n, product.c) &&
                     matrix(d, m, n, product.d);
  if (!typed || compute != rocblas::kF32 || a.type != b.type || c.type != d.type) return kNotImplemented;
  if (a.type != c.type && c.type != rocblas::kF32) return kNotImplemented;

  const auto stream = api::stream_of(owner->stream);
  if (!stream) return kBadHandle;
  // It writes there whatever it computes; memory that went back in the meantime is found out.
  if (owner->workspace && !holds(stream->device, reinterpret_cast<std::uintptr_t>(owner->workspace),
                                 owner->workspace_bytes, "BLAS: workspace"))
    return kBadPointer;
  if (!blas::in_memory(stream->device, product)) return kBadPointer;
  const int code = submit(*stream, {nullptr, [product, device = &stream->device] { return run(*device, product); }});
  return code == kOk ? kSuccess : kInternalError;
}

// A lost device shows in rocBLAS as an internal error.
#define ENTER_ROCBLAS \
  ENTER_HIP(nothing); \
  if (current_device()->lost()) return kInternalError

}  // namespace

STANDIN_EXPORT int rocblas_create_handle(rocblas::Handle* out) {
  ENTER_ROCBLAS;
  if (!out) return kBadPointer;
  auto handle = std::make_shared<Handle>();
  handle->device = current_device();
  *out = static_cast<rocblas::Handle>(handles().add(std::move(handle)));
  ++machine().others;
  return kSuccess;
}
static int destroy(rocblas::Handle handle) {
  if (!handles().remove(handle)) return kBadHandle;
  --machine().others;
  return kSuccess;
}
STANDIN_EXPORT int rocblas_destroy_handle(rocblas::Handle handle) { STANDIN_GIVE_BACK(nothing, destroy(handle)); }
STANDIN_EXPORT int rocblas_set_stream(rocblas::Handle handle, hip::Stream stream) {
  ENTER_ROCBLAS;
  const auto owner = handles().find(handle);
  if (!owner) return kBadHandle;
  const auto found = stream ? machine().streams.find(stream) : nullptr;
  if (stream && (!found || &found->device != owner->device)) return kBadValue;
  owner->stream = stream;
  return kSuccess;
}
STANDIN_EXPORT int rocblas_set_atomics_mode(rocblas::Handle handle, rocblas::AtomicsMode mode) {
  ENTER_ROCBLAS;
  if (!handles().find(handle)) return kBadHandle;
  return mode == 0 || mode == 1 ? kSuccess : kBadValue;
}
STANDIN_EXPORT int rocblas_set_math_mode(rocblas::Handle handle, rocblas::MathMode mode) {
  ENTER_ROCBLAS;
  if (!handles().find(handle)) return kBadHandle;
  return mode == rocblas::kDefaultMath || mode == rocblas::kXf32Math ? kSuccess : kBadValue;
}
STANDIN_EXPORT const char* rocblas_status_to_string(int status) {
  switch (status) {
    case kSuccess:
      return "rocblas_status_success";
    case kBadHandle:
      return "rocblas_status_invalid_handle";
    case kNotImplemented:
      return "rocblas_status_not_implemented";
    case kBadPointer:
      return "rocblas_status_invalid_pointer";
    case kBadSize:
      return "rocblas_status_invalid_size";
    case 5:
      return "rocblas_status_memory_error";
    case kInternalError:
      return "rocblas_status_internal_error";
    case kBadValue:
      return "rocblas_status_invalid_value";
    default:
      return "<undefined rocblas_status value>";
  }
}
STANDIN_EXPORT int rocblas_gemm_ex(rocblas::Handle handle, int op_a, int op_b, std::int32_t m, std::int32_t n,
                                   std::int32_t k, const void* alpha, const void* a, int type_a, std::int32_t lda,
                                   const void* b, int type_b, std::int32_t ldb, const void* beta, const void* c,
                                   int type_c, std::int32_t ldc, void* d, int type_d, std::int32_t ldd, int compute,
                                   int, std::int32_t, std::uint32_t) {
  ENTER_ROCBLAS;
  return multiply(handle, op_a, op_b, m, n, k, alpha, {a, type_a, lda, 0}, {b, type_b, ldb, 0}, beta,
                  {c, type_c, ldc, 0}, {d, type_d, ldd, 0}, 1, compute);
}
STANDIN_EXPORT int rocblas_gemm_strided_batched_ex(rocblas::Handle handle, int op_a, int op_b, std::int32_t m,
                                                   std::int32_t n, std::int32_t k, const void* alpha, const void* a,
                                                   int type_a, std::int32_t lda, std::int64_t stride_a, const void* b,
                                                   int type_b, std::int32_t ldb, std::int64_t stride_b,
                                                   const void* beta, const void* c, int type_c, std::int32_t ldc,
                                                   std::int64_t stride_c, void* d, int type_d, std::int32_t ldd,
                                                   std::int64_t stride_d, std::int32_t batch, int compute, int,
                                                   std::int32_t, std::uint32_t) {
  ENTER_ROCBLAS;
  return multiply(handle, op_a, op_b, m, n, k, alpha, {a, type_a, lda, stride_a}, {b, type_b, ldb, stride_b}, beta,
                  {c, type_c, ldc, stride_c}, {d, type_d, ldd, stride_d}, batch, compute);
}
STANDIN_EXPORT int rocblas_set_workspace(rocblas::Handle handle, void* workspace, std::size_t size) {
  ENTER_ROCBLAS;
  const auto owner = handles().find(handle);
  if (!owner) return kBadHandle;
  if (workspace && !holds(*owner->device, reinterpret_cast<std::uintptr_t>(workspace), size, "BLAS: workspace"))
    return kBadPointer;
  owner->workspace = workspace;
  owner->workspace_bytes = workspace ? size : 0;
  return kSuccess;
}
