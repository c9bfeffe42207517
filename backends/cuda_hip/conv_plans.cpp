#include "backends/cuda_hip/conv_plans.hpp"

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "backends/cuda_hip/findings.hpp"
#include "backends/cuda_hip/state.hpp"
#include "backends/cuda_hip/trials.hpp"

namespace portico::cuda_hip {
namespace {

static_assert(std::has_unique_object_representations_v<ConvKey>);

constexpr std::size_t kMostPlans = 512;

std::string_view bytes_of(const ConvKey& key) { return {reinterpret_cast<const char*>(&key), sizeof key}; }

Findings<ConvWay>& findings() {
  static Findings<ConvWay>& shared = *new Findings<ConvWay>;
  return shared;
}

bool bring_forward(ConvPlan& plan, const ConvWay& wanted) {
  const auto at =
      std::find_if(plan.ways.begin(), plan.ways.end(), [&](const ConvPlan::Way& one) { return one.id == wanted; });
  if (at == plan.ways.end()) return false;
  std::rotate(plan.ways.begin(), at, at + 1);
  return true;
}

}  // namespace

std::string conv_prefix(const portico_stream& stream, const std::string& library) {
  const DeviceFacts& facts = stream.device->facts;
  return "conv algorithm 1|" + library + "|" + facts.name + "|" + facts.arch + "|" + facts.toolchain + "|";
}

PlannedConv::PlannedConv(portico_stream& stream, std::string prefix, uint32_t most_alignment)
    : stream_(stream.stream), prefix_(std::move(prefix)), most_alignment_(most_alignment) {}

std::size_t PlannedConv::Hash::operator()(const ConvKey& key) const {
  return std::hash<std::string_view>()(bytes_of(key));
}

ConvPlan& PlannedConv::plan_for(const ConvCall& call, bool has_scratch) {
  const auto aligned = [&](uint64_t address) { return std::min(alignment(address), most_alignment_); };
  const ConvKey key = {.shape = call.shape,
                       .has_bias = call.bias != 0,
                       .has_scratch = has_scratch,
                       .align_x = aligned(call.x),
                       .align_weight = aligned(call.weight),
                       .align_y = aligned(call.y),
                       .align_bias = aligned(call.bias)};
  const auto found = plans_.find(key);
  if (found != plans_.end()) return *found->second;
  // A graph uses what its plans own (kernels compiled for them) as long as the stream that it was captured on lives.
  if (plans_.size() >= kMostPlans && !captured_) plans_.clear();
  std::unique_ptr<ConvPlan> plan = make_plan(key);
  plan->finding = prefix_ + std::string(bytes_of(key));
  return *plans_.emplace(key, std::move(plan)).first->second;
}

bool PlannedConv::run(const ConvCall& call, const Scratch& scratch) {
  captured_ = captured_ || vendor::is_capturing(stream_);
  ConvPlan& plan = plan_for(call, bool(scratch));
  if (plan.ways.empty()) return false;
  if (!plan.settled) settle(plan, call, scratch);
  // A way may still be refused when it is to run; then the next has its turn.
  for (; !plan.ways.empty(); plan.ways.erase(plan.ways.begin())) {
    const ConvPlan::Way& chosen = plan.ways.front();
    if (plan.run(chosen.number, call, scratch.borrow(chosen.workspace))) return true;
  }
  return false;
}

// As for products (lt_blas.cpp): the way found earlier while the library still offers it, else the one that the
// device's clock prefers. Every trial writes the whole result anew.
void PlannedConv::settle(ConvPlan& plan, const ConvCall& call, const Scratch& scratch) {
  plan.settled = true;
  if (plan.ways.size() == 1) return;
  if (const auto known = findings().find(plan.finding); known && bring_forward(plan, *known)) return;
  const bool measurable = measuring_allowed() && !vendor::is_capturing(stream_);
  if (measurable) {
    std::size_t largest = 0;
    for (const ConvPlan::Way& one : plan.ways) largest = std::max(largest, one.workspace);
    const uint64_t workspace = scratch.borrow(largest);
    const std::size_t best = fastest(stream_, plan.ways.size(),
                                     [&](std::size_t i) { return plan.run(plan.ways[i].number, call, workspace); });
    bring_forward(plan, ConvWay(plan.ways[best].id));
  }
  bring_forward(plan, findings().keep(plan.finding, plan.ways.front().id, measurable));
}

}  // namespace portico::cuda_hip
