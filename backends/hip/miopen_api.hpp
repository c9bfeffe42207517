// What the plugin uses of MIOpen as ROCm 5 to 7 have it; see api.hpp for the form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/hip/api.hpp"

namespace hip::miopen {

using Status = int;
inline constexpr Status kSuccess = 0;
inline constexpr Status kInvalidValue = 2;
inline constexpr Status kBadParm = 3;
inline constexpr Status kAllocFailed = 4;
inline constexpr Status kInternalError = 5;
inline constexpr Status kNotImplemented = 6;
inline constexpr Status kUnsupportedOp = 8;

using DataType = int;
inline constexpr DataType kHalf = 0;
inline constexpr DataType kFloat = 1;
inline constexpr DataType kBfloat16 = 5;

inline constexpr int kCrossCorrelation = 0;  // miopenConvolution of miopenConvolutionMode_t
using ConvAttribute = int;
inline constexpr ConvAttribute kDeterministic = 1;
using Algorithm = int;
inline constexpr Algorithm kFft = 2;

using Handle = struct MiopenHandleObject*;
using Tensor = struct MiopenTensorObject*;
using Convolution = struct MiopenConvolutionObject*;

struct Solution {
  float time;  // milliseconds, an estimate or measured
  std::size_t workspace_size;
  std::uint64_t solution_id;
  Algorithm algorithm;
};

// The immediate interface: solutions are numbers that may be kept. The three passes name their operands in the order
// (weight, x, y), (dy, weight, dx), (dy, x, dw), each call with the same two at the two sides of the convolution.
// clang-format off
#define PORTICO_MIOPEN_FUNCTIONS(F)                                                                           \
  F(miopenGetVersion, Status(std::size_t* major, std::size_t* minor, std::size_t* patch))                     \
  F(miopenGetErrorString, const char*(Status))                                                                \
  F(miopenCreateWithStream, Status(Handle*, Stream))                                                          \
  F(miopenDestroy, Status(Handle))                                                                            \
  F(miopenCreateTensorDescriptor, Status(Tensor*))                                                            \
  F(miopenSetTensorDescriptor, Status(Tensor, DataType, int count, const int* extents, const int* strides))   \
  F(miopenDestroyTensorDescriptor, Status(Tensor))                                                            \
  F(miopenCreateConvolutionDescriptor, Status(Convolution*))                                                  \
  F(miopenInitConvolutionDescriptor, Status(Convolution, int mode, int pad_h, int pad_w, int stride_h,        \
                                            int stride_w, int dilation_h, int dilation_w))                    \
  F(miopenSetConvolutionGroupCount, Status(Convolution, int groups))                                          \
  F(miopenSetConvolutionAttribute, Status(Convolution, ConvAttribute, int value))                             \
  F(miopenDestroyConvolutionDescriptor, Status(Convolution))                                                  \
  F(miopenConvolutionForwardGetSolution, Status(Handle, Tensor, Tensor, Convolution, Tensor,                  \
                                                std::size_t wanted, std::size_t* found, Solution*))           \
  F(miopenConvolutionBackwardDataGetSolution, Status(Handle, Tensor, Tensor, Convolution, Tensor,             \
                                                     std::size_t wanted, std::size_t* found, Solution*))      \
  F(miopenConvolutionBackwardWeightsGetSolution, Status(Handle, Tensor, Tensor, Convolution, Tensor,          \
                                                        std::size_t wanted, std::size_t* found, Solution*))   \
  F(miopenConvolutionForwardImmediate, Status(Handle, Tensor, const void*, Tensor, const void*, Convolution,  \
                                              Tensor, void*, void* workspace, std::size_t bytes,              \
                                              std::uint64_t solution))                                        \
  F(miopenConvolutionBackwardDataImmediate, Status(Handle, Tensor, const void*, Tensor, const void*,          \
                                                   Convolution, Tensor, void*, void* workspace,               \
                                                   std::size_t bytes, std::uint64_t solution))                \
  F(miopenConvolutionBackwardWeightsImmediate, Status(Handle, Tensor, const void*, Tensor, const void*,       \
                                                      Convolution, Tensor, void*, void* workspace,            \
                                                      std::size_t bytes, std::uint64_t solution))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Table {
  PORTICO_MIOPEN_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace hip::miopen
