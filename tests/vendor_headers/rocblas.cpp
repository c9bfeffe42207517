// Compiled, never run: backends/hip/blas_api.hpp against rocBLAS's header where it is installed.
#define __HIP_PLATFORM_AMD__ 1
#include <rocblas/rocblas.h>

#include "backends/hip/blas_api.hpp"
#include "same.hpp"

using portico::test::kSameFunction;
namespace blas = hip::blas;

#define SAME(name, ...) static_assert(kSameFunction<decltype(blas::RocBlas::name), decltype(name)>, #name);
PORTICO_ROCBLAS_FUNCTIONS(SAME)
#undef SAME

static_assert(blas::kSuccess == rocblas_status_success);
static_assert(blas::kNotImplemented == rocblas_status_not_implemented);
static_assert(blas::kMemoryError == rocblas_status_memory_error);
static_assert(blas::kPerfDegraded == rocblas_status_perf_degraded);
static_assert(blas::kF16 == rocblas_datatype_f16_r && blas::kF32 == rocblas_datatype_f32_r);
static_assert(blas::kBF16 == rocblas_datatype_bf16_r);
static_assert(blas::kNone == rocblas_operation_none && blas::kTranspose == rocblas_operation_transpose);
static_assert(blas::kStandard == rocblas_gemm_algo_standard);
static_assert(blas::kAtomicsNotAllowed == rocblas_atomics_not_allowed);
