// What the plugin uses of rocBLAS; see api.hpp for the form and for the test that checks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/hip/api.hpp"

namespace hip::blas {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr Status kNotImplemented = 2;
inline constexpr Status kMemoryError = 5;
inline constexpr Status kPerfDegraded = 7;  // computed, but with less device memory than it wanted

using DataType = int;
inline constexpr DataType kF16 = 150;
inline constexpr DataType kF32 = 151;
inline constexpr DataType kBF16 = 168;

using Operation = int;
inline constexpr Operation kNone = 111;
inline constexpr Operation kTranspose = 112;

using GemmAlgo = int;
inline constexpr GemmAlgo kStandard = 0;

using AtomicsMode = int;
inline constexpr AtomicsMode kAtomicsNotAllowed = 0;

using MathMode = int;
inline constexpr MathMode kDefaultMath = 0;
inline constexpr MathMode kXf32Math = 1;

using Handle = struct HandleObject*;

// clang-format off
#define PORTICO_ROCBLAS_FUNCTIONS(F)                                                                            \
  F(rocblas_create_handle, Status(Handle*))                                                                     \
  F(rocblas_destroy_handle, Status(Handle))                                                                     \
  F(rocblas_set_stream, Status(Handle, Stream))                                                                 \
  F(rocblas_set_atomics_mode, Status(Handle, AtomicsMode))                                                      \
  F(rocblas_status_to_string, const char*(Status))                                                              \
  F(rocblas_gemm_ex, Status(Handle, Operation a, Operation b, std::int32_t m, std::int32_t n, std::int32_t k,   \
                            const void* alpha, const void* a_data, DataType, std::int32_t lda,                  \
                            const void* b_data, DataType, std::int32_t ldb, const void* beta,                   \
                            const void* c_data, DataType, std::int32_t ldc, void* d_data, DataType,             \
                            std::int32_t ldd, DataType compute, GemmAlgo, std::int32_t solution,                \
                            std::uint32_t flags))                                                               \
  F(rocblas_gemm_strided_batched_ex, Status(Handle, Operation a, Operation b, std::int32_t m, std::int32_t n,   \
                                            std::int32_t k, const void* alpha, const void* a_data, DataType,    \
                                            std::int32_t lda, std::int64_t stride_a, const void* b_data,        \
                                            DataType, std::int32_t ldb, std::int64_t stride_b,                  \
                                            const void* beta, const void* c_data, DataType, std::int32_t ldc,   \
                                            std::int64_t stride_c, void* d_data, DataType, std::int32_t ldd,    \
                                            std::int64_t stride_d, std::int32_t batch, DataType compute,        \
                                            GemmAlgo, std::int32_t solution, std::uint32_t flags))

// The first is absent before ROCm 5.7.
#define PORTICO_ROCBLAS_OPTIONAL_FUNCTIONS(F) \
  F(rocblas_set_math_mode, Status(Handle, MathMode)) \
  F(rocblas_set_workspace, Status(Handle, void* workspace, std::size_t size))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct RocBlas {
  PORTICO_ROCBLAS_FUNCTIONS(PORTICO_FUNCTION_SLOT)
  PORTICO_ROCBLAS_OPTIONAL_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace hip::blas
