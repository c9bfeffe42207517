// The vendor's matrix multiplication, as the two vendors' libraries have it in common: column major.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "portico/backend_abi.h"

namespace portico::cuda_hip {

struct DeviceFacts;

/// For each i below batch: C_i = act(alpha * op(A_i) op(B_i) + beta * C_i + bias), column major; op(A) is [m, k],
/// op(B) is [k, n], C is [m, n]. bias, an address or 0, holds m elements, one for each row of C.
struct ColumnGemm {
  int32_t dtype;
  int32_t activation;
  bool trans_a, trans_b;
  int32_t m, n, k, batch;
  int32_t lda, ldb, ldc;
  int64_t stride_a, stride_b, stride_c;
  float alpha, beta;
  uint64_t a, b, c, bias;
};

/// A library's handle for one stream. Used by one thread at a time, with the stream's device current.
class Blas {
 public:
  virtual ~Blas() = default;

  /// Queues the multiplication. False, with nothing queued, when the library has no way to do it; throws Failure.
  virtual bool gemm(const ColumnGemm& call) = 0;
};

/// Whether blas_create() can be expected to succeed. Opens nothing.
bool blas_exists(const DeviceFacts& device);

/// Opens the library on first use. Null, with the reason in `reason`, where there is none for this device.
std::unique_ptr<Blas> blas_create(portico_stream& stream, std::string& reason);

}  // namespace portico::cuda_hip
