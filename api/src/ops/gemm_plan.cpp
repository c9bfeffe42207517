// Measured on PoCL 3.1 with two AVX-512 cores; what a figure rests on stands beside it.
#include "ops/gemm_plan.hpp"

#include <algorithm>
#include <iterator>

#include "ops/common.hpp"

namespace portico::detail {
namespace {

// Cycles for one step of k over `m` rows in tiles of `rows`: two multiply-adds a cycle, four cycles of latency to hide,
// and something for the loads. Chooses 7 for 35 rows and 5 for 10, and 8 wherever there are many.
double cost_of_rows(std::int64_t m, std::uint32_t rows, std::uint32_t vecs) {
  const double tile = std::max(0.5 * rows * vecs, 4.0) + 0.6;
  return static_cast<double>(divide_up(m, rows)) * tile;
}

// Few heights to choose from: each is a kernel to compile.
std::uint32_t choose_rows(std::int64_t m, std::uint32_t vecs) {
  std::uint32_t best = 1;
  for (const std::uint32_t rows : {2u, 4u, 5u, 7u, 8u, 16u}) {
    if (rows > m || (rows == 16 && vecs == 2)) break;
    if (cost_of_rows(m, rows, vecs) <= cost_of_rows(m, best, vecs)) best = rows;
  }
  return best;
}

// PoCL hands its first thread groups / cores + 1 groups: with an even division one too many, which is up to half of a
// small product's time. An idle first group restores the balance; other implementations do not notice it.
std::uint32_t idle_groups(std::uint32_t groups, std::uint32_t cores) {
  return groups % cores == 0 && groups < 64 * cores ? 1 : 0;
}

// A transposed A in place costs a page and a line for every step of k, and where its rows lie a multiple of 256 bytes
// apart these lines share few sets of the caches (4096x128x4096 TN: 235 in place, 328 GFLOPS packed; 1760x128x1760:
// 366, 327).
bool packs_a(const Gemm& call, DType dtype, std::uint32_t rows, std::uint32_t vecs) {
  return call.trans_a && dtype == DType::f32 && rows == 8 && vecs == 2 && call.n > 32 && call.lda >= 1024 &&
         call.lda % 64 == 0;
}

// Groups of up to 1024 rows and 16 panels, and four a core where the product has them: the more panels, the seldomer A
// is packed, the more rows, the seldomer B.
void plan_packed(const Gemm& call, std::uint32_t cores, GemmCpuPlan& plan) {
  const std::int64_t panels = divide_up(call.n, 32), spans = divide_up(panels, plan.panels());
  const std::int64_t depth = divide_up(call.k, std::max<std::int64_t>(1, divide_up(call.k, plan.kc())));
  const std::int64_t parts = std::max(divide_up(call.m, 1024), divide_up(4 * std::int64_t{cores}, spans * call.batch));
  const std::int64_t rows = divide_up(divide_up(call.m, parts), 8) * 8;
  const std::int64_t strips = divide_up(rows, GemmCpuPlan::kStripRows);
  plan.block_depth = static_cast<std::uint32_t>(std::max<std::int64_t>(1, depth));
  plan.group_panels = static_cast<std::uint32_t>(divide_up(panels, spans));
  plan.group_rows = static_cast<std::uint32_t>(rows);
  plan.strip_rows = static_cast<std::uint32_t>(divide_up(divide_up(rows, strips), 8) * 8);
  plan.groups = as_u32(divide_up(panels, plan.group_panels) * divide_up(call.m, rows) * call.batch, "gemm");
  plan.idle_groups = idle_groups(plan.groups, cores);
}

}  // namespace

bool turns_a(const Gemm& call, DType dtype) {
  constexpr std::int64_t kMostScratch = std::int64_t{256} << 20;
  return packs_a(call, dtype, 8, 2) && call.m >= 64 && call.n >= 2048 &&
         4 * call.batch * call.m * call.k <= kMostScratch;
}

GemmCpuPlan plan_gemm_cpu(const Gemm& call, DType dtype, std::uint32_t cores, const GemmChoice* choice) {
  const std::int64_t m = call.m, n = call.n, k = call.k;
  GemmCpuPlan plan{};
  const GemmChoice tuned = choice != nullptr ? *choice : GemmChoice{};
  plan.vecs = tuned.vecs != 0 ? tuned.vecs : n <= 16 ? 1 : 2;
  // A class holds products of other heights than the one it was measured with: no tile may be higher than the product.
  const bool rows_fit = tuned.rows != 0 && tuned.rows <= m && (tuned.rows < 16 || plan.vecs == 1);
  plan.rows = rows_fit ? tuned.rows : choose_rows(m, plan.vecs);
  const std::int64_t cols = 16 * plan.vecs, panels = divide_up(n, cols);
  // Up to 64 rows a panel of B is used too seldom to repay its copy (64x128x3136 NN: 393 against 366 GFLOPS).
  plan.pack_a = packs_a(call, dtype, plan.rows, plan.vecs) ? 1 : 0;
  const bool must_pack = call.trans_b || n < cols || plan.pack_a,
             packs = tuned.pack_b >= 0 ? tuned.pack_b == 1 : m > 64;
  plan.pack_b = must_pack || packs ? 1 : 0;

  // A deep block saves passes over C; one that is read in strides (A or B in place) wants to stay in the second cache.
  if (plan.pack_a) {
    plan_packed(call, cores, plan);
    return plan;
  }
  const std::int64_t by_rule = call.trans_a || !plan.pack_b ? GemmCpuPlan::kDepth / 2 : GemmCpuPlan::kDepth;
  const std::int64_t deepest = tuned.depth != 0 ? std::min(tuned.depth, GemmCpuPlan::kDepth) : by_rule;
  const std::int64_t blocks = std::max<std::int64_t>(1, divide_up(k, deepest));
  plan.block_depth = static_cast<std::uint32_t>(std::max<std::int64_t>(1, divide_up(k, blocks)));

  // Each group copies its panel of B, so few row groups; but at least four groups a core, or failing that one, and no
  // group above 1024 rows, so that a core that falls behind does not keep the others waiting.
  const std::int64_t others = panels * call.batch, wanted = 4 * std::int64_t{cores};
  std::int64_t parts = divide_up(m, 1024);
  if (others < wanted) {
    const std::int64_t smallest = others < cores ? 16 : 64;
    parts = std::max(parts, std::min(divide_up(wanted, others), std::max<std::int64_t>(1, m / smallest)));
  }
  std::int64_t group_rows = divide_up(divide_up(m, parts), plan.rows) * plan.rows;
  if (dtype != DType::f32 && blocks > 1)
    group_rows = std::min<std::int64_t>(group_rows, GemmCpuPlan::kPartialRows / plan.rows * plan.rows);
  plan.group_rows = static_cast<std::uint32_t>(group_rows);
  plan.group_panels = 1;
  plan.strip_rows = plan.group_rows;
  plan.groups = as_u32(panels * divide_up(m, group_rows) * call.batch, "gemm");
  plan.idle_groups = idle_groups(plan.groups, cores);
  return plan;
}

GemmGpuPlan plan_gemm_gpu(const Gemm& call, const DeviceInfo& info, bool vec, const GemmChoice* choice) {
  // Largest first. A tile is taken when it still gives every compute unit a group, and its padding is not most of it.
  static constexpr GemmGpuPlan kTiles[] = {
      {.tile = 0, .bm = 128, .bn = 128, .bk = 8, .tm = 8, .tn = 8, .groups = 0},
      {.tile = 1, .bm = 64, .bn = 64, .bk = 16, .tm = 8, .tn = 8, .groups = 0},
      {.tile = 2, .bm = 32, .bn = 32, .bk = 16, .tm = 4, .tn = 4, .groups = 0},
  };
  for (const GemmGpuPlan& tile : kTiles) {
    GemmGpuPlan plan = tile;
    // Addresses of 32 single elements a slice beside 64 sums are more than a thread's registers.
    if (!vec && plan.threads() < 128) plan.tm = plan.tn = 4;
    plan.groups = static_cast<std::uint64_t>(divide_up(call.m, plan.bm) * divide_up(call.n, plan.bn) * call.batch);
    const bool smallest = &tile == std::end(kTiles) - 1;
    const bool fits =
        plan.threads() <= info.max_group_size && 2 * plan.bk * (plan.bm + plan.bn) * sizeof(float) <= info.local_bytes;
    const bool filled = 2 * call.m > plan.bm && 2 * call.n > plan.bn && plan.groups >= info.compute_units;
    const bool chosen =
        choice != nullptr && choice->tile >= 0 ? plan.tile == static_cast<std::uint32_t>(choice->tile) : filled;
    if (smallest || (fits && chosen)) return plan;
  }
  return {};  // not reached: the smallest is always taken
}

}  // namespace portico::detail
