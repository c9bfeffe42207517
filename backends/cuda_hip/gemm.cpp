// The optional gemm slot: the contract's row-major product handed to a column-major library.
#include <limits>

#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::fail;
using plugin::guarded;

namespace {

constexpr uint32_t kMostInt = std::numeric_limits<int32_t>::max();

// Both libraries' GELU is the tanh form, so the exact one is left to the core.
bool takes(const portico_gemm& call) {
  const bool type = call.dtype == PORTICO_F32 || call.dtype == PORTICO_F16 || call.dtype == PORTICO_BF16;
  bool fits = call.activation != PORTICO_ACT_GELU;
  for (const uint32_t extent : {call.m, call.n, call.k, call.batch, call.lda, call.ldb, call.ldc, call.ld_aux})
    fits &= extent <= kMostInt;
  const bool single = call.epilogue == PORTICO_EPILOGUE_FORWARD && !call.aux.value.buffer;
  return type && fits && (single || call.batch == 1);
}

// A row-major matrix is its own transpose in column-major eyes, and (A B)^T = B^T A^T: so the operands change places,
// m with n, and each keeps its flag. The n elements of bias then lie along the rows of the result, as the libraries
// want, and the rows of aux become its columns.
ColumnGemm as_columns(const portico_gemm& call) {
  return {
      .dtype = call.dtype,
      .activation = call.activation,
      .trans_a = call.trans_b != 0,
      .trans_b = call.trans_a != 0,
      .m = static_cast<int32_t>(call.n),
      .n = static_cast<int32_t>(call.m),
      .k = static_cast<int32_t>(call.k),
      .batch = static_cast<int32_t>(call.batch),
      .lda = static_cast<int32_t>(call.ldb),
      .ldb = static_cast<int32_t>(call.lda),
      .ldc = static_cast<int32_t>(call.ldc),
      .stride_a = static_cast<int64_t>(call.stride_b),
      .stride_b = static_cast<int64_t>(call.stride_a),
      .stride_c = static_cast<int64_t>(call.stride_c),
      .alpha = call.alpha,
      .beta = call.beta,
      .a = address_of(call.b),
      .b = address_of(call.a),
      .c = address_of(call.c),
      .bias = address_of(call.bias),
      .precision = call.dtype == PORTICO_F32 ? call.precision : PORTICO_PRECISION_STRICT,
      .epilogue = call.epilogue,
      .aux = address_of(call.aux),
      .ld_aux = static_cast<int64_t>(call.ld_aux),
  };
}

}  // namespace

portico_status gemm(portico_stream* stream, const portico_gemm* call) {
  if (!takes(*call)) return fail(PORTICO_UNSUPPORTED, "gemm: not offered by the vendor's library");
  bool done = false;
  std::string reason;
  const portico_status status = guarded([&] {
    const std::lock_guard lock(stream->mutex);
    stream->device->make_current();
    if (!stream->blas) stream->blas = blas_create(*stream, reason);
    done = stream->blas && stream->blas->gemm(as_columns(*call), Scratch(call->scratch, call->scratch_context));
  });
  if (status != PORTICO_OK || done) return status;
  return fail(PORTICO_UNSUPPORTED, reason.empty() ? "gemm: the vendor's library has no algorithm for this" : reason);
}

}  // namespace portico::cuda_hip
