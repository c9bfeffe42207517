// How the own gemm kernel is specialised and divided among groups: rules only, no device is touched.
#pragma once

#include <cstdint>

#include "ops/gemm.hpp"
#include "runtime/tuning/gemm_class.hpp"

namespace portico::detail {

/// For kernels/gemm_cpu.h; the words stand there.
struct GemmCpuPlan {
  std::uint32_t rows, vecs, pack_b, pack_a;  ///< specialisation
  std::uint32_t group_rows, group_panels, strip_rows, block_depth, groups, idle_groups;

  // Where A is packed, the blocks of both operands must leave room in the second cache.
  std::uint32_t kc() const { return pack_a ? kDepth / 2 : kDepth; }  ///< KC
  std::uint32_t panels() const { return pack_a ? 16 : 1; }           ///< PANELS
  static constexpr std::uint32_t kDepth = 1024;
  static constexpr std::uint32_t kStripRows = 192;    ///< STRIP_ROWS
  static constexpr std::uint32_t kPartialRows = 128;  ///< PARTIAL_ROWS
};
/// True where a transposed f32 A is better turned beforehand: its rows lie so that it would be packed, and there are
/// enough columns to repay a pass over it (1024x24000x2048 TN: 375 packed, NN: 420 GFLOPS).
bool turns_a(const Gemm& call, DType dtype);

/// `choice` (may be null) is followed where it fits the product.
GemmCpuPlan plan_gemm_cpu(const Gemm& call, DType dtype, std::uint32_t cores, const GemmChoice* choice = nullptr);

/// For kernels/gemm_gpu.h.
struct GemmGpuPlan {
  std::uint32_t tile;  ///< number of the tile, part of the kernel's key
  std::uint32_t bm, bn, bk, tm, tn;
  std::uint64_t groups;

  std::uint32_t threads() const { return bm / tm * (bn / tn); }
};
/// `vec`: four elements move at once.
GemmGpuPlan plan_gemm_gpu(const Gemm& call, const DeviceInfo& info, bool vec, const GemmChoice* choice = nullptr);

}  // namespace portico::detail
