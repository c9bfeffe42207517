// How far products of f32 tensors may be rounded for speed.
#pragma once

#include "portico/error.hpp"

namespace portico {

/// What may happen to the factors of a matrix product or a convolution of f32 tensors; sums are f32 in any case, and
/// other operations, other types and stored values are not concerned. A device without the faster units, and Portico's
/// own kernels, compute strictly whatever is allowed: today cuBLAS, cuDNN and, where the GPU has xf32, rocBLAS make use
/// of it.
///
/// The relative error of a product of two factors, against 2^-24 for `strict`: 2^-11 for `tf32`, 2^-8 for `bf16`.
enum class Precision {
  strict,  ///< f32 throughout: the default
  tf32,    ///< factors rounded to 10 bits of mantissa; PyTorch's "high"
  bf16,    ///< factors rounded to 7 bits of mantissa; PyTorch's "medium"
};

/// For all threads, from now on. Until it is called PORTICO_PRECISION=strict|tf32|bf16 decides, and `strict` without
/// it.
PORTICO_API void set_float32_precision(Precision precision);

/// What counts for the calling thread: its innermost PrecisionGuard's, else what was set for all. Throws
/// `Error{invalid_argument}` when PORTICO_PRECISION makes no sense.
PORTICO_API Precision float32_precision();

/// Another precision for the calling thread until the guard is gone. Gradients follow what counts where backward()
/// runs, so a guard that shall cover them encloses that call too.
class PORTICO_API PrecisionGuard {
 public:
  explicit PrecisionGuard(Precision precision);
  ~PrecisionGuard();
  PrecisionGuard(const PrecisionGuard&) = delete;
  PrecisionGuard& operator=(const PrecisionGuard&) = delete;

 private:
  int previous_;
};

}  // namespace portico
