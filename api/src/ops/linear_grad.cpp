#include "ops/linear_grad.hpp"

#include <algorithm>

namespace portico::detail {
namespace {

// One pass over dy: dz and, a row a group, sums.
void launch(const Tensor& dy, const Tensor& saved, const Tensor& dz, const Tensor& sums, std::int64_t rows,
            std::int64_t cols, std::int64_t group_rows, Activation activation) {
  static const KernelFamily kLinearGrad("linear_grad", "linear_grad");
  const Device device = dy.device();
  const bool cpu = cpu_shape(device), writes = dz.defined();
  const std::uint32_t group = cpu ? 1 : std::min<std::uint32_t>(256, device.info().max_group_size / 32 * 32);
  const std::uint32_t group_cols = cpu ? 64 : 32;
  const auto types = static_cast<std::uint32_t>(dy.dtype()) | static_cast<std::uint32_t>(sums.dtype()) << 4 |
                     static_cast<std::uint32_t>(activation) << 8 | (writes ? 1u << 12 : 0u);
  const Kernel kernel = kLinearGrad.get(device, key(types, group), [&] {
    return Spec()
        .set("REAL", word(dy.dtype()))
        .set("SUM", word(sums.dtype()))
        .set("ACT", static_cast<std::int64_t>(activation))
        .set("DZ", writes)
        .set("CPU_SHAPE", cpu)
        .set("WG", group);
  });
  const Tensor& second = saved.defined() ? saved : dy;
  kernel({.groups = {as_u32(divide_up(cols, group_cols), "linear"), as_u32(divide_up(rows, group_rows), "linear"), 1},
          .local = {group, 1, 1}},
         {dy.arg(), second.arg(), writes ? dz.arg() : sums.arg(), sums.arg(), as_u32(rows, "linear"),
          as_u32(cols, "linear"), as_u32(group_rows, "linear")});
}

}  // namespace

ActivationGradient activation_gradient(const Tensor& gradient, const Tensor& saved, Activation activation,
                                       std::int64_t cols, bool with_bias) {
  const Tensor dy = row_major(gradient);
  const bool pass_through = activation == Activation::none;
  if (pass_through && !with_bias) return {dy, {}};
  const Device device = dy.device();
  ActivationGradient result;
  result.dz = pass_through ? dy : make(dy.shape(), dy.dtype(), device);
  if (cols == 0 || dy.count() == 0) {
    if (with_bias) result.bias = Tensor::zeros({cols}, {.dtype = dy.dtype(), .device = device});
    return result;
  }
  // Enough groups for the device, but no second pass where the first is short anyway.
  const std::int64_t rows = dy.count() / cols, across = divide_up(cols, cpu_shape(device) ? 64 : 32);
  const std::int64_t wanted = divide_up(4 * std::int64_t{std::max(1u, device.info().compute_units)}, across);
  const std::int64_t parts = rows * cols < 65536 ? 1 : std::clamp<std::int64_t>(rows / 64, 1, wanted);
  const std::int64_t group_rows = divide_up(rows, parts), partial_rows = divide_up(rows, group_rows);
  const Tensor dz = pass_through ? Tensor() : result.dz;
  result.bias = make({cols}, dy.dtype(), device);
  if (partial_rows == 1) {
    launch(dy, saved, dz, result.bias, rows, cols, rows, activation);
    return result;
  }
  const Tensor partial = make({partial_rows, cols}, DType::f32, device);
  launch(dy, saved, dz, partial, rows, cols, group_rows, activation);
  if (with_bias) launch(partial, {}, {}, result.bias, partial_rows, cols, partial_rows, Activation::none);
  return result;
}

}  // namespace portico::detail
