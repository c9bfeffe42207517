// The hipBLASLt spelling of what backends/cuda_hip/lt_blas.cpp needs; ../cuda/lt.hpp spells the same names with
// cuBLASLt.
#pragma once

#include <string>

#include "backends/hip/lt_api.hpp"
#include "portico/backend_abi.h"

#define PORTICO_LT(name) hipblasLt##name

namespace vendor::lt {

using namespace hip::lt;
using StreamHandle = hip::Stream;

inline constexpr const char* kTitle = "hipBLASLt";
inline constexpr bool kReluMasks = false;
inline constexpr std::uint32_t kEpilogueDRelu = 0;  // never asked for without masks

inline DataType data_type(int32_t dtype) {
  return dtype == PORTICO_F32 ? kR32F : dtype == PORTICO_F16 ? kR16F : kR16BF;
}
inline ComputeType compute_type(int32_t precision) {
  return precision == PORTICO_PRECISION_TF32   ? kCompute32FFastTF32
         : precision == PORTICO_PRECISION_BF16 ? kCompute32FFast16BF
                                               : kCompute32F;
}
inline std::string version(const Table& table, Handle handle) {
  int number = 0;
  table.hipblasLtGetVersion(handle, &number);
  return std::to_string(number);
}

/// It knows no preference for alignments, and sums in f32 as the compute type says.
template <typename Prefer>
void prefer(const Prefer&, std::uint32_t, std::uint32_t, std::uint32_t) {}

}  // namespace vendor::lt
