// What the plugin uses of cuBLASLt and cuBLAS; see api.hpp for the form and for the test that checks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/cuda/api.hpp"

namespace cuda::blas {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr Status kAllocFailed = 3;
inline constexpr Status kInvalidValue = 7;
inline constexpr Status kArchMismatch = 8;
inline constexpr Status kNotSupported = 15;

using DataType = int;
inline constexpr DataType kR32F = 0;
inline constexpr DataType kR16F = 2;
inline constexpr DataType kR16BF = 14;

using ComputeType = int;
inline constexpr ComputeType kCompute32F = 68;  // f32 arithmetic for f32 operands: never TF32
inline constexpr ComputeType kCompute32FFast16BF = 75;
inline constexpr ComputeType kCompute32FFastTF32 = 77;

using Operation = int;
inline constexpr Operation kOpN = 0;
inline constexpr Operation kOpT = 1;

using GemmAlgo = int;
inline constexpr GemmAlgo kGemmDefault = -1;

using MathMode = int;
inline constexpr MathMode kDisallowReducedPrecisionReduction = 16;

using LtHandle = struct LtHandleObject*;
using LtMatmulDesc = struct LtMatmulDescObject*;
using LtMatrixLayout = struct LtMatrixLayoutObject*;
using LtPreference = struct LtPreferenceObject*;
using LtAttribute = int;

inline constexpr LtAttribute kLayoutBatchCount = 5;               // int32_t
inline constexpr LtAttribute kLayoutStridedBatchOffset = 6;       // int64_t, elements
inline constexpr LtAttribute kMatmulTransA = 3;                   // int32_t, Operation
inline constexpr LtAttribute kMatmulTransB = 4;                   // int32_t, Operation
inline constexpr LtAttribute kMatmulEpilogue = 7;                 // uint32_t
inline constexpr LtAttribute kMatmulBiasPointer = 8;              // const void*
inline constexpr LtAttribute kMatmulAuxPointer = 11;              // void*
inline constexpr LtAttribute kMatmulAuxLeading = 12;              // int64_t, elements or bits
inline constexpr LtAttribute kPreferenceMaxWorkspaceBytes = 1;    // uint64_t
inline constexpr LtAttribute kPreferenceReductionSchemeMask = 3;  // uint32_t
inline constexpr LtAttribute kPreferenceMinAlignmentABytes = 5;   // uint32_t, as are B, C, D
inline constexpr LtAttribute kPreferenceMinAlignmentBBytes = 6;
inline constexpr LtAttribute kPreferenceMinAlignmentCBytes = 7;
inline constexpr LtAttribute kPreferenceMinAlignmentDBytes = 8;

inline constexpr std::uint32_t kReductionComputeType = 2;
inline constexpr std::uint32_t kEpilogueDefault = 1;
inline constexpr std::uint32_t kEpilogueRelu = 2;
inline constexpr std::uint32_t kEpilogueBias = 4;
inline constexpr std::uint32_t kEpilogueDRelu = 8 | 128;
inline constexpr std::uint32_t kEpilogueBiasGradient = 16;  // beside the two gradients
inline constexpr std::uint32_t kEpilogueGelu = 32;
inline constexpr std::uint32_t kEpilogueDGelu = 64 | 128;
inline constexpr std::uint32_t kEpilogueAux = 128;  // beside relu and gelu
inline constexpr std::uint32_t kEpilogueSumB = 512;

struct LtAlgo {
  std::uint64_t data[8];
};

struct LtHeuristicResult {
  LtAlgo algo;
  std::size_t workspace_size;
  Status state;
  float waves_count;
  int reserved[4];
};

// clang-format off
#define PORTICO_CUBLASLT_FUNCTIONS(F)                                                                         \
  F(cublasLtGetVersion, std::size_t())                                                                        \
  F(cublasLtCreate, Status(LtHandle*))                                                                        \
  F(cublasLtDestroy, Status(LtHandle))                                                                        \
  F(cublasLtMatmulDescCreate, Status(LtMatmulDesc*, ComputeType, DataType scale))                             \
  F(cublasLtMatmulDescDestroy, Status(LtMatmulDesc))                                                          \
  F(cublasLtMatmulDescSetAttribute, Status(LtMatmulDesc, LtAttribute, const void* value, std::size_t size))   \
  F(cublasLtMatrixLayoutCreate, Status(LtMatrixLayout*, DataType, std::uint64_t rows, std::uint64_t columns,  \
                                       std::int64_t leading))                                                 \
  F(cublasLtMatrixLayoutDestroy, Status(LtMatrixLayout))                                                      \
  F(cublasLtMatrixLayoutSetAttribute, Status(LtMatrixLayout, LtAttribute, const void* value, std::size_t))    \
  F(cublasLtMatmulPreferenceCreate, Status(LtPreference*))                                                    \
  F(cublasLtMatmulPreferenceDestroy, Status(LtPreference))                                                    \
  F(cublasLtMatmulPreferenceSetAttribute, Status(LtPreference, LtAttribute, const void* value, std::size_t))  \
  F(cublasLtMatmulAlgoGetHeuristic, Status(LtHandle, LtMatmulDesc, LtMatrixLayout a, LtMatrixLayout b,        \
                                           LtMatrixLayout c, LtMatrixLayout d, LtPreference, int wanted,      \
                                           LtHeuristicResult* results, int* found))                           \
  F(cublasLtMatmul, Status(LtHandle, LtMatmulDesc, const void* alpha, const void* a, LtMatrixLayout,          \
                           const void* b, LtMatrixLayout, const void* beta, const void* c, LtMatrixLayout,    \
                           void* d, LtMatrixLayout, const LtAlgo*, void* workspace, std::size_t workspace_size, \
                           Stream))

using Handle = struct HandleObject*;

#define PORTICO_CUBLAS_FUNCTIONS(F)                                                                           \
  F(cublasCreate_v2, Status(Handle*))                                                                         \
  F(cublasDestroy_v2, Status(Handle))                                                                         \
  F(cublasSetStream_v2, Status(Handle, Stream))                                                               \
  F(cublasSetWorkspace_v2, Status(Handle, void* workspace, std::size_t size))                                 \
  F(cublasSetMathMode, Status(Handle, MathMode))                                                              \
  F(cublasGemmStridedBatchedEx, Status(Handle, Operation a, Operation b, int m, int n, int k,                 \
                                       const void* alpha, const void* a_data, DataType, int lda,              \
                                       long long stride_a, const void* b_data, DataType, int ldb,             \
                                       long long stride_b, const void* beta, void* c_data, DataType, int ldc, \
                                       long long stride_c, int batch, ComputeType, GemmAlgo))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Lt {
  PORTICO_CUBLASLT_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
struct Classic {
  PORTICO_CUBLAS_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace cuda::blas
