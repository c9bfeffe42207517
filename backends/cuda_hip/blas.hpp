// The vendor's matrix multiplication, as the two vendors' libraries have it in common: column major.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/cuda_hip/scratch.hpp"
#include "portico/backend_abi.h"

namespace portico::cuda_hip {

struct DeviceFacts;

/// For each i below batch, column major: P_i = alpha * op(A_i) op(B_i) + beta * C_i, then by `epilogue`
/// FORWARD: C_i = act(P_i + bias), bias holding m elements; ROW_SUMS: C = P, and bias receives the n sums over k of
/// op(B)'s columns; GRADIENT: C = P * act'(aux), and bias, when there, receives the m sums of C's rows. op(A) is [m,
/// k], op(B) is [k, n], C is [m, n]. bias and aux are addresses, or 0.
struct ColumnGemm {
  int32_t dtype;
  int32_t activation;
  bool trans_a, trans_b;
  int32_t m, n, k, batch;
  int32_t lda, ldb, ldc;
  int64_t stride_a, stride_b, stride_c;
  float alpha, beta;
  uint64_t a, b, c, bias;
  int32_t precision;  // of f32 operands; PORTICO_PRECISION_STRICT for other types
  int32_t epilogue;
  uint64_t aux;
  int64_t ld_aux;
};

/// A library's handle for one stream. Used by one thread at a time, with the stream's device current.
class Blas {
 public:
  virtual ~Blas() = default;

  /// Queues the multiplication. False, with nothing queued, when the library has no way to do it; throws Failure.
  virtual bool gemm(const ColumnGemm& call, const Scratch& scratch) = 0;
};

/// Whether blas_create() can be expected to succeed. Opens nothing.
bool blas_exists(const DeviceFacts& device);

/// Opens the library on first use. Null, with the reason in `reason`, where there is none for this device.
std::unique_ptr<Blas> blas_create(portico_stream& stream, std::string& reason);

}  // namespace portico::cuda_hip
