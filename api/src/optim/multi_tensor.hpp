// One update of many parameters in a handful of launches.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ops/common.hpp"
#include "optim/state.hpp"
#include "portico/tensor.hpp"

namespace portico::detail {

/// A parameter that takes part in a step.
struct Target {
  std::size_t index;      ///< in the optimizer's list
  std::int64_t variant;   ///< what its scalars depend on (a step count): one launch has one variant
  std::uint64_t storage;  ///< device and dtypes, of which one launch has one too
  Tensor gradient;        ///< in the parameter's layout, apart from its memory
};

/// The parameters with a gradient; `variant(index)` gives each one's. Throws `Error{invalid_argument}`, starting with
/// `name`, for a gradient of another shape or device than its parameter, or that is not of a floating dtype.
std::vector<Target> gather_targets(const std::vector<Tensor>& parameters, const OptimizerState& state, const char* name,
                                   const std::function<std::int64_t(std::size_t)>& variant);

/// A kernel of kernels/multi_tensor.h. `words` sets what `flags` (below 2^8) mean for its specialisation.
struct UpdateKernel {
  const KernelFamily& family;
  void (*words)(Spec& spec, std::uint32_t flags);
};

/// Calls `scalars(variant)` for the floats that follow the state's arrays in the kernel's arguments, and launches the
/// update of those targets, for every variant. Parameters are marked as changed, and `done(index)` is called for each.
void update_all(const UpdateKernel& kernel, std::uint32_t flags, const std::vector<Tensor>& parameters,
                std::vector<Target> targets, const OptimizerState& state,
                const std::function<std::vector<float>(std::int64_t)>& scalars,
                const std::function<void(std::size_t)>& done);

}  // namespace portico::detail
