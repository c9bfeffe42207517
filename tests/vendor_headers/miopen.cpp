// Compiled, never run: backends/hip/miopen_api.hpp against miopen.h of the installed ROCm.
#include <miopen/miopen.h>

#include "backends/hip/miopen_api.hpp"
#include "same.hpp"

using portico::test::kSameFunction;
namespace ours = hip::miopen;

#define SAME(name, ...) static_assert(kSameFunction<decltype(ours::Table::name), decltype(name)>, #name);
PORTICO_MIOPEN_FUNCTIONS(SAME)
#undef SAME

static_assert(ours::kSuccess == miopenStatusSuccess && ours::kInvalidValue == miopenStatusInvalidValue);
static_assert(ours::kBadParm == miopenStatusBadParm && ours::kAllocFailed == miopenStatusAllocFailed);
static_assert(ours::kInternalError == miopenStatusInternalError && ours::kUnsupportedOp == miopenStatusUnsupportedOp);
static_assert(ours::kNotImplemented == miopenStatusNotImplemented);
static_assert(ours::kHalf == miopenHalf && ours::kFloat == miopenFloat && ours::kBfloat16 == miopenBFloat16);
static_assert(ours::kCrossCorrelation == miopenConvolution);
static_assert(ours::kDeterministic == MIOPEN_CONVOLUTION_ATTRIB_DETERMINISTIC);
static_assert(ours::kFft == miopenConvolutionAlgoFFT);
static_assert(sizeof(ours::Solution) == sizeof(miopenConvSolution_t));
static_assert(offsetof(ours::Solution, time) == offsetof(miopenConvSolution_t, time));
static_assert(offsetof(ours::Solution, workspace_size) == offsetof(miopenConvSolution_t, workspace_size));
static_assert(offsetof(ours::Solution, solution_id) == offsetof(miopenConvSolution_t, solution_id));
static_assert(offsetof(ours::Solution, algorithm) == offsetof(miopenConvSolution_t, algorithm));
