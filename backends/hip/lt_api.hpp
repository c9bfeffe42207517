// What the plugin uses of hipBLASLt as ROCm 6 and 7 have it; see ../cuda/api.hpp for the form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/hip/api.hpp"

namespace hip::lt {

using Status = int;  // hipblasStatus_t
inline constexpr Status kSuccess = 0;
inline constexpr Status kAllocFailed = 2;
inline constexpr Status kNotSupported = 7;
inline constexpr Status kArchMismatch = 8;

using DataType = int;  // hipDataType
inline constexpr DataType kR32F = 0;
inline constexpr DataType kR16F = 2;
inline constexpr DataType kR16BF = 14;

using ComputeType = int;  // hipblasComputeType_t
inline constexpr ComputeType kCompute32F = 2;
inline constexpr ComputeType kCompute32FFast16BF = 5;
inline constexpr ComputeType kCompute32FFastTF32 = 6;

using Operation = int;  // hipblasOperation_t
inline constexpr Operation kOpN = 111;
inline constexpr Operation kOpT = 112;

using Handle = struct LtHandleObject*;
using Description = struct LtMatmulDescObject*;
using Layout = struct LtMatrixLayoutObject*;
using Preference = struct LtPreferenceObject*;
using Attribute = int;

inline constexpr Attribute kLayoutBatchCount = 0;             // int32_t
inline constexpr Attribute kLayoutStridedBatchOffset = 1;     // int64_t, elements
inline constexpr Attribute kMatmulTransA = 0;                 // int32_t, Operation
inline constexpr Attribute kMatmulTransB = 1;                 // int32_t, Operation
inline constexpr Attribute kMatmulEpilogue = 2;               // uint32_t
inline constexpr Attribute kMatmulBiasPointer = 3;            // void*
inline constexpr Attribute kMatmulAuxPointer = 10;            // void*
inline constexpr Attribute kMatmulAuxLeading = 11;            // int64_t, elements
inline constexpr Attribute kPreferenceMaxWorkspaceBytes = 1;  // uint64_t

inline constexpr std::uint32_t kEpilogueDefault = 1;
inline constexpr std::uint32_t kEpilogueRelu = 2;
inline constexpr std::uint32_t kEpilogueBias = 4;
inline constexpr std::uint32_t kEpilogueBiasGradient = 16;  // beside the gradient
inline constexpr std::uint32_t kEpilogueGelu = 32;
inline constexpr std::uint32_t kEpilogueDGelu = 64 | 128;
inline constexpr std::uint32_t kEpilogueAux = 128;  // beside gelu
inline constexpr std::uint32_t kEpilogueSumB = 512;

struct Algorithm {
  std::uint8_t data[16];
  std::size_t max_workspace_bytes;
};

struct Suggestion {
  Algorithm algo;
  std::size_t workspace_size;
  Status state;
  float waves_count;
  int reserved[4];
};

// clang-format off
#define PORTICO_HIPBLASLT_FUNCTIONS(F)                                                                      \
  F(hipblasLtCreate, Status(Handle*))                                                                       \
  F(hipblasLtDestroy, Status(Handle))                                                                       \
  F(hipblasLtGetVersion, Status(Handle, int* version))                                                      \
  F(hipblasLtMatmulDescCreate, Status(Description*, ComputeType, DataType scale))                           \
  F(hipblasLtMatmulDescDestroy, Status(Description))                                                        \
  F(hipblasLtMatmulDescSetAttribute, Status(Description, Attribute, const void* value, std::size_t size))   \
  F(hipblasLtMatrixLayoutCreate, Status(Layout*, DataType, std::uint64_t rows, std::uint64_t columns,       \
                                        std::int64_t leading))                                              \
  F(hipblasLtMatrixLayoutDestroy, Status(Layout))                                                           \
  F(hipblasLtMatrixLayoutSetAttribute, Status(Layout, Attribute, const void* value, std::size_t size))      \
  F(hipblasLtMatmulPreferenceCreate, Status(Preference*))                                                   \
  F(hipblasLtMatmulPreferenceDestroy, Status(Preference))                                                   \
  F(hipblasLtMatmulPreferenceSetAttribute, Status(Preference, Attribute, const void* value, std::size_t))   \
  F(hipblasLtMatmulAlgoGetHeuristic, Status(Handle, Description, Layout a, Layout b, Layout c, Layout d,    \
                                            Preference, int wanted, Suggestion* results, int* found))       \
  F(hipblasLtMatmul, Status(Handle, Description, const void* alpha, const void* a, Layout, const void* b,   \
                            Layout, const void* beta, const void* c, Layout, void* d, Layout,               \
                            const Algorithm*, void* workspace, std::size_t workspace_size, Stream))
// clang-format on

#define PORTICO_FUNCTION_SLOT(name, ...) std::type_identity_t<__VA_ARGS__>* name = nullptr;
struct Table {
  PORTICO_HIPBLASLT_FUNCTIONS(PORTICO_FUNCTION_SLOT)
};
#undef PORTICO_FUNCTION_SLOT

}  // namespace hip::lt
