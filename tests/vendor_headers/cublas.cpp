// Compiled, never run: backends/cuda/blas_api.hpp against cublasLt.h and cublas_v2.h of the installed toolkit.
#include <cublasLt.h>
#include <cublas_v2.h>

#include "backends/cuda/blas_api.hpp"
#include "same.hpp"

using portico::test::kSameFunction;
namespace blas = cuda::blas;

#define SAME(name, ...) static_assert(kSameFunction<decltype(blas::Lt::name), decltype(name)>, #name);
PORTICO_CUBLASLT_FUNCTIONS(SAME)
#undef SAME

// cublasGemmStridedBatchedEx is overloaded in C++ by an older form: the cast takes the C function.
using CheckedType_cublasGemmStridedBatchedEx = cublasStatus_t(cublasHandle_t, cublasOperation_t, cublasOperation_t, int,
                                                              int, int, const void*, const void*, cudaDataType, int,
                                                              long long, const void*, cudaDataType, int, long long,
                                                              const void*, void*, cudaDataType, int, long long, int,
                                                              cublasComputeType_t, cublasGemmAlgo_t);
static_assert(static_cast<CheckedType_cublasGemmStridedBatchedEx*>(&cublasGemmStridedBatchedEx) != nullptr);
#define CHECKED(name) using CheckedType_##name = decltype(name);
CHECKED(cublasCreate_v2)
CHECKED(cublasDestroy_v2)
CHECKED(cublasSetStream_v2)
CHECKED(cublasSetWorkspace_v2)
CHECKED(cublasSetMathMode)
#define SAME(name, ...) static_assert(kSameFunction<decltype(blas::Classic::name), CheckedType_##name>, #name);
PORTICO_CUBLAS_FUNCTIONS(SAME)
#undef SAME

static_assert(sizeof(blas::LtAlgo) == sizeof(cublasLtMatmulAlgo_t));
static_assert(alignof(blas::LtAlgo) == alignof(cublasLtMatmulAlgo_t));
static_assert(sizeof(blas::LtHeuristicResult) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(blas::LtHeuristicResult, algo) == offsetof(cublasLtMatmulHeuristicResult_t, algo));
static_assert(offsetof(blas::LtHeuristicResult, workspace_size) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(blas::LtHeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(blas::LtHeuristicResult, waves_count) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));

static_assert(blas::kSuccess == CUBLAS_STATUS_SUCCESS);
static_assert(blas::kAllocFailed == CUBLAS_STATUS_ALLOC_FAILED);
static_assert(blas::kInvalidValue == CUBLAS_STATUS_INVALID_VALUE);
static_assert(blas::kArchMismatch == CUBLAS_STATUS_ARCH_MISMATCH);
static_assert(blas::kNotSupported == CUBLAS_STATUS_NOT_SUPPORTED);
static_assert(blas::kR32F == CUDA_R_32F && blas::kR16F == CUDA_R_16F && blas::kR16BF == CUDA_R_16BF);
static_assert(blas::kCompute32F == CUBLAS_COMPUTE_32F);
static_assert(blas::kOpN == CUBLAS_OP_N && blas::kOpT == CUBLAS_OP_T);
static_assert(blas::kGemmDefault == CUBLAS_GEMM_DEFAULT);
static_assert(blas::kDisallowReducedPrecisionReduction == CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
static_assert(blas::kLayoutBatchCount == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
static_assert(blas::kLayoutStridedBatchOffset == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
static_assert(blas::kMatmulTransA == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(blas::kMatmulTransB == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(blas::kMatmulEpilogue == CUBLASLT_MATMUL_DESC_EPILOGUE);
static_assert(blas::kMatmulBiasPointer == CUBLASLT_MATMUL_DESC_BIAS_POINTER);
static_assert(blas::kPreferenceMaxWorkspaceBytes == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(blas::kPreferenceReductionSchemeMask == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
static_assert(blas::kPreferenceMinAlignmentABytes == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
static_assert(blas::kPreferenceMinAlignmentBBytes == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
static_assert(blas::kPreferenceMinAlignmentCBytes == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
static_assert(blas::kPreferenceMinAlignmentDBytes == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(blas::kReductionComputeType == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
static_assert(blas::kEpilogueDefault == CUBLASLT_EPILOGUE_DEFAULT);
static_assert(blas::kEpilogueRelu == CUBLASLT_EPILOGUE_RELU);
static_assert(blas::kEpilogueBias == CUBLASLT_EPILOGUE_BIAS);
static_assert((blas::kEpilogueRelu | blas::kEpilogueBias) == CUBLASLT_EPILOGUE_RELU_BIAS);
static_assert(blas::kCompute32FFastTF32 == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(blas::kCompute32FFast16BF == CUBLAS_COMPUTE_32F_FAST_16BF);
static_assert(blas::kMatmulAuxPointer == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER);
static_assert(blas::kMatmulAuxLeading == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD);
static_assert((blas::kEpilogueRelu | blas::kEpilogueAux | blas::kEpilogueBias) == CUBLASLT_EPILOGUE_RELU_AUX_BIAS);
static_assert(blas::kEpilogueGelu == CUBLASLT_EPILOGUE_GELU);
static_assert((blas::kEpilogueGelu | blas::kEpilogueBias) == CUBLASLT_EPILOGUE_GELU_BIAS);
static_assert((blas::kEpilogueGelu | blas::kEpilogueAux) == CUBLASLT_EPILOGUE_GELU_AUX);
static_assert((blas::kEpilogueGelu | blas::kEpilogueAux | blas::kEpilogueBias) == CUBLASLT_EPILOGUE_GELU_AUX_BIAS);
static_assert(blas::kEpilogueDRelu == CUBLASLT_EPILOGUE_DRELU && blas::kEpilogueDGelu == CUBLASLT_EPILOGUE_DGELU);
static_assert((blas::kEpilogueDRelu | blas::kEpilogueBiasGradient) == CUBLASLT_EPILOGUE_DRELU_BGRAD);
static_assert((blas::kEpilogueDGelu | blas::kEpilogueBiasGradient) == CUBLASLT_EPILOGUE_DGELU_BGRAD);
static_assert(blas::kEpilogueSumB == CUBLASLT_EPILOGUE_BGRADB);
