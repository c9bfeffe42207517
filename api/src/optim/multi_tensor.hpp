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

/// What an optimizer knows of a step. While a graph is recorded these are kept and asked again before each replay, so
/// they must hold on to what they use.
struct StepRule {
  const char* name;                                         ///< begins error messages
  std::function<std::int64_t(std::size_t)> variant;         ///< of a parameter
  std::function<std::vector<float>(std::int64_t)> scalars;  ///< of a variant, in the order of the kernel's arguments
  std::function<void(std::size_t)> done;                    ///< the parameter's update is queued
};

/// The parameters with a gradient. Throws `Error{invalid_argument}` for a gradient of another shape or device than its
/// parameter, or that is not of a floating dtype.
std::vector<Target> gather_targets(const std::vector<Tensor>& parameters, const OptimizerState& state,
                                   const StepRule& rule);

/// A kernel of kernels/multi_tensor.h. `words` sets what `flags` (below 2^8) mean for its specialisation.
struct UpdateKernel {
  const KernelFamily& family;
  void (*words)(Spec& spec, std::uint32_t flags);
};

/// Launches the update of the targets, each variant apart. Parameters are marked as changed.
void update_all(const UpdateKernel& kernel, std::uint32_t flags, const std::vector<Tensor>& parameters,
                std::vector<Target> targets, const OptimizerState& state, const StepRule& rule);

}  // namespace portico::detail
