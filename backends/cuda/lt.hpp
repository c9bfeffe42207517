// The cuBLASLt spelling of what backends/cuda_hip/lt_blas.cpp needs; ../hip/lt.hpp spells the same names with
// hipBLASLt.
#pragma once

#include <string>

#include "backends/cuda/blas_api.hpp"
#include "portico/backend_abi.h"

#define PORTICO_LT(name) cublasLt##name

namespace vendor::lt {

namespace blas = cuda::blas;

inline constexpr const char* kTitle = "cuBLASLt";
inline constexpr bool kReluMasks = true;  // relu's auxiliary output and its gradient

using Table = blas::Lt;
using Status = blas::Status;
using Handle = blas::LtHandle;
using Description = blas::LtMatmulDesc;
using Layout = blas::LtMatrixLayout;
using Preference = blas::LtPreference;
using Attribute = blas::LtAttribute;
using Algorithm = blas::LtAlgo;
using Suggestion = blas::LtHeuristicResult;
using StreamHandle = cuda::Stream;

using blas::kAllocFailed;
using blas::kArchMismatch;
using blas::kNotSupported;
using blas::kSuccess;

using blas::kLayoutBatchCount;
using blas::kLayoutStridedBatchOffset;
using blas::kMatmulAuxLeading;
using blas::kMatmulAuxPointer;
using blas::kMatmulBiasPointer;
using blas::kMatmulEpilogue;
using blas::kMatmulTransA;
using blas::kMatmulTransB;
using blas::kOpN;
using blas::kOpT;
using blas::kPreferenceMaxWorkspaceBytes;
using blas::kR32F;

using blas::kEpilogueAux;
using blas::kEpilogueBias;
using blas::kEpilogueBiasGradient;
using blas::kEpilogueDefault;
using blas::kEpilogueDGelu;
using blas::kEpilogueDRelu;
using blas::kEpilogueGelu;
using blas::kEpilogueRelu;
using blas::kEpilogueSumB;

inline blas::DataType data_type(int32_t dtype) {
  return dtype == PORTICO_F32 ? blas::kR32F : dtype == PORTICO_F16 ? blas::kR16F : blas::kR16BF;
}
inline blas::ComputeType compute_type(int32_t precision) {
  return precision == PORTICO_PRECISION_TF32   ? blas::kCompute32FFastTF32
         : precision == PORTICO_PRECISION_BF16 ? blas::kCompute32FFast16BF
                                               : blas::kCompute32F;
}
inline std::string version(const Table& table, Handle) { return std::to_string(table.cublasLtGetVersion()); }

/// Partial sums stay in f32, and the operands' addresses divide by this much.
template <typename Prefer>
void prefer(const Prefer& set, std::uint32_t align_a, std::uint32_t align_b, std::uint32_t align_c) {
  set(blas::kPreferenceReductionSchemeMask, blas::kReductionComputeType);
  set(blas::kPreferenceMinAlignmentABytes, align_a);
  set(blas::kPreferenceMinAlignmentBBytes, align_b);
  set(blas::kPreferenceMinAlignmentCBytes, align_c);
  set(blas::kPreferenceMinAlignmentDBytes, align_c);
}

}  // namespace vendor::lt
