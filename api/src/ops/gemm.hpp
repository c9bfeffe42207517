// The matrix product behind matmul, linear and whatever else is one (1x1 convolutions, attention).
#pragma once

#include <cstdint>

#include "portico/device.hpp"
#include "portico/dtype.hpp"
#include "portico/ops.hpp"
#include "runtime/tuning/gemm_class.hpp"

namespace portico::detail {

/// C_i = act(alpha * op(A_i) op(B_i) + beta * C_i + bias) for each i below batch, row major: op(A) is [m, k], op(B) [k,
/// n], C [m, n]; bias has n elements. A stride of 0 repeats an operand; C's items must not overlap. Everything has one
/// dtype, f32, f16 or bf16; sums are f32. All dimensions may be 0; with k = 0 the product is zero.
struct Gemm {
  bool trans_a = false;  ///< A is stored [k, m], its rows lda apart
  bool trans_b = false;  ///< B is stored [n, k], its rows ldb apart
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  std::int64_t lda = 0, ldb = 0, ldc = 0;                 ///< elements
  std::int64_t stride_a = 0, stride_b = 0, stride_c = 0;  ///< elements
  float alpha = 1.0f, beta = 0.0f;
  Activation activation = Activation::none;
};

/// The class that the product is tuned in.
GemmClass gemm_class(DType dtype, const Gemm& call);

/// Queues the product: the backend's gemm slot where it has one (PORTICO_VENDOR=0 forbids it), else the own kernel. A
/// library that has the product but not what follows it is followed by kernels/gemm_finish.cl; a half type is then
/// rounded once more. The operands are kernel arguments, so an offset of any size is fine. `subject` begins error
/// messages.
void gemm(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
          const Arg* bias = nullptr, const char* subject = "gemm");

/// gemm() that also stores what the activation was given: z = alpha * op(A) op(B) + beta * C + bias in rows of ldc
/// elements, C = act(z). Batch 1. False, with nothing queued, where no library does both at once.
bool gemm_keeping_input(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                        const Arg& z, const Arg* bias, const char* subject);

/// gemm() that also sums the rows of op(A) over k into `sums` [m]: a layer's bias gradient beside its weights'. Batch
/// 1, no activation. False, with nothing queued, where no library does both at once.
bool gemm_with_row_sums(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                        const Arg& sums, const char* subject);

/// What follows a product that a library made without it: C_i = act(C_i + bias) for call's m, n, batch and strides.
void finish_product(const Device& device, DType dtype, const Gemm& call, const Arg& c, const Arg* bias,
                    const char* subject);

}  // namespace portico::detail
