// The tuner of matrix products: tries what can be chosen for a class of shapes against what the rules choose,
// alternately.
#include <algorithm>

#include "ops/common.hpp"
#include "ops/gemm.hpp"
#include "ops/gemm_plan.hpp"
#include "ops/tune.hpp"
#include "runtime/gemm_slot.hpp"
#include "runtime/vendor_choice.hpp"

namespace portico::detail {
namespace {

struct Product {
  std::int64_t m, n, k;
  bool trans_a, trans_b;
};

// Shapes that networks have most: dense layers and their gradients at several batches, attention, thin and square ones.
std::vector<Product> products() {
  std::vector<Product> all;
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{64, 256, 1024},
                                {256, 256, 1024},
                                {64, 128, 4096},
                                {1024, 1024, 1024},
                                {128, 128, 64},
                                {1024, 64, 1024},
                                {2048, 128, 2048},
                                {32, 1024, 2048},
                                {1024, 4096, 1024},
                                {64, 16, 256},
                                {2048, 16, 2048},
                                {256, 16, 1024}})
    for (const auto& [trans_a, trans_b] : {std::pair{false, true}, {false, false}, {true, false}})
      all.push_back({m, n, k, trans_a, trans_b});
  return all;
}

Gemm call_of(const Product& p) { return {.trans_a = p.trans_a, .trans_b = p.trans_b, .m = p.m, .n = p.n, .k = p.k}; }

bool same_plan(const GemmCpuPlan& a, const GemmCpuPlan& b) {
  return a.rows == b.rows && a.vecs == b.vecs && a.pack_b == b.pack_b && a.block_depth == b.block_depth;
}

// What differs from the rules for this product: a race against itself would be decided by noise.
std::vector<GemmChoice> candidates(const Device& device, const Product& p) {
  std::vector<GemmChoice> all;
  if (has_gemm_slot(device) && vendor_allowed()) all.push_back({.vendor = 0});
  const Gemm call = call_of(p);
  if (!cpu_shape(device)) {
    const std::uint32_t by_rule = plan_gemm_gpu(call, device.info(), true).tile;
    for (const int tile : {0, 1, 2})
      if (static_cast<std::uint32_t>(tile) != by_rule) all.push_back({.vendor = 0, .tile = tile});
    return all;
  }
  for (const std::uint32_t rows : {4u, 5u, 7u, 8u}) all.push_back({.rows = rows});
  all.push_back({.rows = 16, .vecs = 1});
  all.push_back({.vecs = 1});
  all.push_back({.vecs = 2});
  all.push_back({.pack_b = 0});
  all.push_back({.pack_b = 1});
  for (const std::uint32_t depth : {256u, 512u, 1024u}) all.push_back({.depth = depth});
  const std::uint32_t cores = std::max(1u, device.info().compute_units);
  const GemmCpuPlan rule = plan_gemm_cpu(call, DType::f32, cores);
  std::erase_if(all, [&](const GemmChoice& choice) {
    return same_plan(plan_gemm_cpu(call, DType::f32, cores, &choice), rule) && choice.vendor < 0;
  });
  return all;
}

// What one change gives, then the best two together; only what holds in a second, longer race is believed.
// Past `end` it looks at nothing new.
GemmEntry best_of(const Device& device, const Product& p, TuneClock::time_point end) {
  GemmEntry best;
  best.shape = gemm_class(DType::f32, call_of(p));
  const Tensor a = Tensor::uniform(p.trans_a ? Shape{p.k, p.m} : Shape{p.m, p.k}, -1.0f, 1.0f, {.device = device});
  const Tensor b = Tensor::uniform(p.trans_b ? Shape{p.n, p.k} : Shape{p.k, p.n}, -1.0f, 1.0f, {.device = device});
  Race<GemmChoice> race(device, [&] { matmul(a, b, {.trans_a = p.trans_a, .trans_b = p.trans_b}); });
  std::vector<std::pair<double, GemmChoice>> single;
  for (const GemmChoice& choice : candidates(device, p))
    if (TuneClock::now() < end) single.emplace_back(race.gain(choice, 7), choice);
  std::sort(single.begin(), single.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
  if (single.empty() || single[0].first < kWorthTuning) return best;
  std::vector<GemmChoice> finals = {single[0].second};
  if (single.size() > 1 && single[1].first > kWorthTuning) {
    GemmChoice both = single[1].second;
    const GemmChoice& first = single[0].second;
    if (first.rows != 0) both.rows = first.rows, both.vecs = first.vecs;
    if (first.vecs != 0) both.vecs = first.vecs;
    if (first.pack_b >= 0) both.pack_b = first.pack_b;
    if (first.depth != 0) both.depth = first.depth;
    if (first.tile >= 0) both.tile = first.tile;
    if (both.rows != 16 || both.vecs == 1) finals.push_back(both);
  }
  for (const GemmChoice& choice : finals) {
    const double gain = race.gain(choice, 11);
    if (gain > kWorthTuning && gain > best.gain) {
      best.choice = choice;
      best.gain = gain;
    }
  }
  return best;
}

}  // namespace

std::vector<TuneJob> gemm_jobs(const Device& device) {
  std::vector<TuneJob> jobs;
  for (const Product& p : products())
    jobs.push_back(
        {to_string(gemm_class(DType::f32, call_of(p))), [device, p](TunedChoices& choices, TuneClock::time_point end) {
           return keep(choices.gemm, best_of(device, p, end));
         }});
  return jobs;
}

}  // namespace portico::detail
