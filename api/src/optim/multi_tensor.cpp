#include "optim/multi_tensor.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <tuple>

#include "runtime/capture.hpp"
#include "runtime/device_impl.hpp"
#include "tensor/impl.hpp"

namespace portico::detail {
namespace {

constexpr std::size_t kFewSlots = 8;
constexpr std::size_t kManySlots = 16;

// Elements a group. On a CPU a group is one work-item and should last well beyond its own cost of a microsecond; on a
// GPU small parts keep all multiprocessors busy.
constexpr std::uint32_t kChunkCpu = 8192;
constexpr std::uint32_t kChunkGpu = 2048;
constexpr std::uint32_t kGroupGpu = 256;

// The kernel's pointers are restrict: a gradient in the parameter's own memory (set_grad(parameter)) must be copied.
bool overlap(const Tensor& a, const Tensor& b) {
  if (Access::block(a.buffer()) != Access::block(b.buffer())) return false;
  const std::size_t a_begin = a.offset() * size_of(a.dtype()), b_begin = b.offset() * size_of(b.dtype());
  return a_begin < b_begin + b.bytes() && b_begin < a_begin + a.bytes();
}

// The scalars of one launch at each replay: the variant is what its parameters have come to by then.
ValueSource replayed(std::span<const Target> targets, std::size_t count, const StepRule& rule) {
  std::vector<std::size_t> indices;
  for (const Target& target : targets) indices.push_back(target.index);
  const auto fill = [=](std::span<std::uint32_t> words) {
    const std::int64_t variant = rule.variant(indices.front());
    for (const std::size_t index : indices)
      if (rule.variant(index) != variant)
        throw Error(
            ErrorCode::invalid_argument,
            std::string(rule.name) + ": parameters " + std::to_string(indices.front()) + " and " +
                std::to_string(index) +
                " were updated alike when the graph was recorded, and have different step counts now; record again");
    const std::vector<float> scalars = rule.scalars(variant);
    std::transform(scalars.begin(), scalars.end(), words.begin(), std::bit_cast<std::uint32_t, float>);
  };
  const auto advance = [=] {
    for (const std::size_t index : indices) rule.done(index);
  };
  return {.words = count, .fill = fill, .advance = advance};
}

// One launch: targets of one variant and storage, at most kManySlots of them.
void launch(const UpdateKernel& kernel, std::uint32_t flags, const std::vector<Tensor>& parameters,
            std::span<const Target> targets, const OptimizerState& state, const StepRule& rule) {
  const Tensor& first = parameters[targets.front().index];
  const Device device = first.device();
  const bool cpu = cpu_shape(device);
  const std::uint32_t chunk = cpu ? kChunkCpu : kChunkGpu;
  const std::uint32_t group = cpu ? 1 : kGroupGpu;
  const std::size_t slots = targets.size() <= kFewSlots ? kFewSlots : kManySlots;
  const DType real = first.dtype(), grad = targets.front().gradient.dtype();

  const std::vector<float> scalars = rule.scalars(targets.front().variant);
  Recorder* recorder = Recorder::current();
  std::vector<Arg> args;
  args.reserve(5 * slots + state.fields() + scalars.size());
  std::uint32_t groups = 0;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const bool used = slot < targets.size();
    const Target& target = targets[used ? slot : 0];
    const Tensor& parameter = parameters[target.index];
    const std::uint32_t count = used ? as_u32(parameter.count(), "optimizer step") : 0;
    groups += static_cast<std::uint32_t>(divide_up(count, chunk));
    args.push_back(parameter.arg());
    args.push_back(target.gradient.arg());
    args.push_back(count);
    args.push_back(state.base(target.index));
    args.push_back(groups);
  }
  const std::size_t place = state.device_index(targets.front().index);
  for (std::size_t field = 0; field < state.fields(); ++field) args.push_back(state.array(place, field).arg());
  Values values;
  if (recorder != nullptr) {
    values = recorder->values(replayed(targets, scalars.size(), rule));
    args.push_back(values.arg());
  } else {
    for (const float scalar : scalars) args.push_back(scalar);
  }

  const bool in_memory = recorder != nullptr;
  const std::uint64_t id =
      key(static_cast<int>(real) << 8 | static_cast<int>(grad), slots, flags, int(cpu) | int(in_memory) << 1);
  kernel.family
      .get(device, id,
           [&] {
             Spec spec;
             spec.set("REAL", word(real)).set("GRAD", word(grad)).set("SLOTS", static_cast<std::int64_t>(slots));
             spec.set("CHUNK", chunk).set("WG", group).set("CPU_SHAPE", cpu).set("VALUES", in_memory);
             kernel.words(spec, flags);
             return spec;
           })
      .launch({.groups = {groups}, .local = {group}}, args);
}

}  // namespace

std::vector<Target> gather_targets(const std::vector<Tensor>& parameters, const OptimizerState& state,
                                   const StepRule& rule) {
  std::vector<Target> targets;
  targets.reserve(parameters.size());
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    const Tensor& parameter = parameters[index];
    Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;
    if (!(gradient.shape() == parameter.shape()) || !(gradient.device() == parameter.device()) ||
        !is_floating(gradient.dtype()))
      throw Error(ErrorCode::invalid_argument,
                  std::string(rule.name) + ": parameter " + std::to_string(index) + " is " + parameter.describe() +
                      ", its gradient " + gradient.describe() + "; they need one shape and device, and floats");
    if (parameter.count() == 0) continue;
    gradient = in_layout(gradient, parameter.layout());
    if (overlap(gradient, parameter)) gradient = gradient.detach().clone();
    const std::uint64_t storage =
        key(state.device_index(index), static_cast<int>(parameter.dtype()), static_cast<int>(gradient.dtype()));
    targets.push_back({index, rule.variant(index), storage, std::move(gradient)});
  }
  return targets;
}

void update_all(const UpdateKernel& kernel, std::uint32_t flags, const std::vector<Tensor>& parameters,
                std::vector<Target> targets, const OptimizerState& state, const StepRule& rule) {
  const bool recording = Recorder::current() != nullptr;
  const auto order = [](const Target& target) { return std::tuple(target.variant, target.storage); };
  const auto before = [&](const Target& a, const Target& b) { return order(a) < order(b); };
  if (!std::is_sorted(targets.begin(), targets.end(), before)) std::stable_sort(targets.begin(), targets.end(), before);

  for (std::size_t begin = 0, end; begin < targets.size(); begin = end) {
    end = begin;
    while (end < targets.size() && end - begin < kManySlots && order(targets[end]) == order(targets[begin])) ++end;
    const std::span run = std::span<const Target>(targets).subspan(begin, end - begin);
    launch(kernel, flags, parameters, run, state, rule);
    for (const Target& target : run) {
      parameters[target.index].buffer().bump_version();
      if (!recording) rule.done(target.index);
    }
  }
}

}  // namespace portico::detail
