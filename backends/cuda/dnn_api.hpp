// What the plugin uses of cuDNN 9, which is its graph interface ("backend" in the names); see api.hpp for the form and for
// the test that checks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/cuda/api.hpp"

namespace cuda::dnn {

using Status = int;  // thousands are the category
inline constexpr Status kSuccess = 0;
inline constexpr Status kNotInitialized = 1001;
inline constexpr Status kBadParam = 2000;
inline constexpr Status kBadParamNullPointer = 2002;
inline constexpr Status kBadParamMisaligned = 2003;
inline constexpr Status kBadParamNotFinalized = 2004;
inline constexpr Status kBadParamSizeInsufficient = 2006;
inline constexpr Status kBadParamShapeMismatch = 2008;
inline constexpr Status kBadParamDuplicated = 2009;
inline constexpr Status kBadParamAttributeType = 2010;
inline constexpr Status kNotSupported = 3000;
inline constexpr Status kInternalError = 4000;
inline constexpr Status kHostAllocationFailed = 4003;
inline constexpr Status kDeviceAllocationFailed = 4004;
inline constexpr Status kExecutionFailed = 5000;
constexpr int category(Status status) { return status / 1000; }

using DataType = int;
inline constexpr DataType kFloat = 0;
inline constexpr DataType kHalf = 2;
inline constexpr DataType kBfloat16 = 9;

using Kind = int;  // of descriptors
inline constexpr Kind kPointwise = 0;
inline constexpr Kind kConvolution = 1;
inline constexpr Kind kEngine = 2;
inline constexpr Kind kEngineConfig = 3;
inline constexpr Kind kEngineHeuristics = 4;
inline constexpr Kind kExecutionPlan = 5;
inline constexpr Kind kConvolutionForward = 10;
inline constexpr Kind kConvolutionBackwardFilter = 11;
inline constexpr Kind kConvolutionBackwardData = 12;
inline constexpr Kind kPointwiseOperation = 13;
inline constexpr Kind kOperationGraph = 15;
inline constexpr Kind kVariantPack = 16;
inline constexpr Kind kTensor = 17;

using Type = int;  // of attributes' elements
inline constexpr Type kTypeHandle = 0;
inline constexpr Type kTypeDataType = 1;
inline constexpr Type kTypeBoolean = 2;
inline constexpr Type kTypeInt64 = 3;
inline constexpr Type kTypeFloat = 4;
inline constexpr Type kTypeVoidPointer = 6;
inline constexpr Type kTypeConvolutionMode = 7;
inline constexpr Type kTypeHeuristicMode = 8;
inline constexpr Type kTypeNumericalNote = 11;
inline constexpr Type kTypePointwiseMode = 14;
inline constexpr Type kTypeDescriptor = 15;

using Attribute = int;
inline constexpr Attribute kPointwiseMode = 0;
inline constexpr Attribute kPointwiseMathType = 1;
inline constexpr Attribute kConvolutionComputeType = 100;
inline constexpr Attribute kConvolutionMode = 101;
inline constexpr Attribute kConvolutionDilations = 102;
inline constexpr Attribute kConvolutionStrides = 103;
inline constexpr Attribute kConvolutionPostPaddings = 104;
inline constexpr Attribute kConvolutionPrePaddings = 105;
inline constexpr Attribute kConvolutionSpatialDims = 106;
inline constexpr Attribute kHeuristicsMode = 200;
inline constexpr Attribute kHeuristicsGraph = 201;
inline constexpr Attribute kHeuristicsResults = 202;
inline constexpr Attribute kEngineConfigEngine = 300;
inline constexpr Attribute kPlanHandle = 400;
inline constexpr Attribute kPlanEngineConfig = 401;
inline constexpr Attribute kPlanWorkspaceSize = 402;
inline constexpr Attribute kForwardAlpha = 700;  // the six of an operation stand in one order
inline constexpr Attribute kForwardBeta = 701;
inline constexpr Attribute kForwardConvolution = 702;
inline constexpr Attribute kForwardW = 703;
inline constexpr Attribute kForwardX = 704;
inline constexpr Attribute kForwardY = 705;
inline constexpr Attribute kBackwardDataAlpha = 706;
inline constexpr Attribute kBackwardDataBeta = 707;
inline constexpr Attribute kBackwardDataConvolution = 708;
inline constexpr Attribute kBackwardDataW = 709;
inline constexpr Attribute kBackwardDataDx = 710;
inline constexpr Attribute kBackwardDataDy = 711;
inline constexpr Attribute kBackwardFilterAlpha = 712;
inline constexpr Attribute kBackwardFilterBeta = 713;
inline constexpr Attribute kBackwardFilterConvolution = 714;
inline constexpr Attribute kBackwardFilterDw = 715;
inline constexpr Attribute kBackwardFilterX = 716;
inline constexpr Attribute kBackwardFilterDy = 717;
inline constexpr Attribute kPointwiseDescriptor = 750;
inline constexpr Attribute kPointwiseX = 751;
inline constexpr Attribute kPointwiseB = 752;
inline constexpr Attribute kPointwiseY = 753;
inline constexpr Attribute kGraphHandle = 800;
inline constexpr Attribute kGraphOperations = 801;
inline constexpr Attribute kTensorAlignment = 900;
inline constexpr Attribute kTensorDataType = 901;
inline constexpr Attribute kTensorDimensions = 902;
inline constexpr Attribute kTensorStrides = 903;
inline constexpr Attribute kTensorUniqueId = 906;
inline constexpr Attribute kTensorIsVirtual = 907;
inline constexpr Attribute kPackUniqueIds = 1000;
inline constexpr Attribute kPackPointers = 1001;
inline constexpr Attribute kPackWorkspace = 1003;
inline constexpr Attribute kEngineGlobalIndex = 1301;
inline constexpr Attribute kEngineNumericalNotes = 1303;

inline constexpr int kCrossCorrelation = 1;  // cudnnConvolutionMode_t
inline constexpr int kAdd = 0;               // cudnnPointwiseMode_t
inline constexpr int kReluForward = 100;
inline constexpr int kHeuristicsFallback = 2;  // cudnnBackendHeurMode_t
inline constexpr int kHeuristicsA = 3;

using Note = int;  // cudnnBackendNumericalNote_t
inline constexpr Note kNoteTensorCore = 0;
inline constexpr Note kNoteDownConvertInputs = 1;
inline constexpr Note kNoteReducedPrecisionReduction = 2;
inline constexpr Note kNoteFft = 3;
inline constexpr Note kNoteNondeterministic = 4;
inline constexpr Note kNoteWinogradTile13x13 = 8;

using Handle = struct DnnHandleObject*;
using Descriptor = void*;

// clang-format off
#define PORTICO_CUDNN_FUNCTIONS(F)                                                                          \
  F(cudnnGetVersion, std::size_t())                                                                         \
  F(cudnnGetErrorString, const char*(Status))                                                               \
  F(cudnnCreate, Status(Handle*))                                                                           \
  F(cudnnDestroy, Status(Handle))                                                                           \
  F(cudnnSetStream, Status(Handle, Stream))                                                                 \
  F(cudnnBackendCreateDescriptor, Status(Kind, Descriptor*))                                                \
  F(cudnnBackendDestroyDescriptor, Status(Descriptor))                                                      \
  F(cudnnBackendSetAttribute, Status(Descriptor, Attribute, Type, std::int64_t count, const void* elements)) \
  F(cudnnBackendGetAttribute, Status(Descriptor, Attribute, Type, std::int64_t wanted, std::int64_t* count, \
                                     void* elements))                                                       \
  F(cudnnBackendFinalize, Status(Descriptor))                                                               \
  F(cudnnBackendExecute, Status(Handle, Descriptor plan, Descriptor variant_pack))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Table {
  PORTICO_CUDNN_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace cuda::dnn
