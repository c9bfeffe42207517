#include "ops/conv_pool.hpp"

#include "autograd/node.hpp"
#include "ops/common.hpp"
#include "ops/conv_choice.hpp"
#include "ops/conv_launch.hpp"
#include "ops/winograd.hpp"

namespace portico::detail {
namespace {

std::int32_t i32(std::int64_t value) { return static_cast<std::int32_t>(as_u32(value, "conv2d")); }

Spec sparse_spec(const ConvShape& shape, const ConvPoolPlan& plan, std::int64_t frame) {
  return Spec()
      .set("CPU_SHAPE", 1)
      .set("R", shape.r)
      .set("S", shape.s)
      .set("CV", plan.vectors)
      .set("FRAME", frame)
      .set("WINDOWS", plan.windows);
}

// One program holds all four kernels; those that have no frame take the weight gradient's.
Kernel sparse_kernel(const KernelFamily& family, const Device& device, const ConvShape& shape, const ConvPoolPlan& plan,
                     std::int64_t frame) {
  return family.get(device, key(shape.r << 8 | shape.s, plan.vectors, frame, plan.windows),
                    [&] { return sparse_spec(shape, plan, frame); });
}

WeightGradients sparse_weight_gradients(const ConvShape& shape, const ConvPoolPlan& plan, const Tensor& x,
                                        const Tensor& dy, const Tensor& which, bool want_weight, bool want_bias) {
  static const KernelFamily kGradient("conv_pool", "conv_pool_weight");
  static const KernelFamily kSum("conv_pool", "conv_pool_weight_sum");
  const Device device = dy.device();
  WeightGradients result;
  if (want_weight) result.weight = make({shape.k, shape.c, shape.r, shape.s}, dy.dtype(), device);
  if (want_bias) result.bias = make({shape.k}, dy.dtype(), device);
  const std::int64_t filter = shape.c * shape.r * shape.s;
  const Tensor partial = make({plan.splits, shape.k * (filter + 1)}, DType::f32, device);
  sparse_kernel(kGradient, device, shape, plan, plan.frame)(
      {.groups = {as_u32(plan.splits * shape.k / 32, "conv2d")}, .local = {}},
      {x.arg(), dy.arg(), which.arg(), partial.arg(), i32(shape.n), i32(shape.h), i32(shape.w), i32(shape.c),
       i32(shape.k), i32(shape.p / 2), i32(shape.q / 2), i32(shape.padding[0]), i32(shape.padding[1]), i32(plan.band),
       i32(plan.images), as_u32(plan.splits, "conv2d")});
  sparse_kernel(kSum, device, shape, plan, plan.frame)(
      {.groups = {as_u32(shape.k, "conv2d")}, .local = {}},
      {partial.arg(), want_weight ? result.weight.arg() : partial.arg(), want_bias ? result.bias.arg() : partial.arg(),
       i32(shape.c), i32(shape.k), as_u32(plan.splits, "conv2d"), std::uint32_t{want_weight},
       std::uint32_t{want_bias}});
  return result;
}

Tensor sparse_input_gradient(const ConvShape& shape, const ConvPoolPlan& plan, const Tensor& dy, const Tensor& which,
                             const Tensor& weight) {
  static const KernelFamily kPack("conv_pool", "conv_pool_pack");
  static const KernelFamily kGradient("conv_pool", "conv_pool_input");
  const Device device = dy.device();
  const Tensor plain = row_major(weight), packed = make(weight.shape(), weight.dtype(), device);
  sparse_kernel(kPack, device, shape, plan, plan.frame)({.groups = {as_u32(shape.k, "conv2d")}, .local = {}},
                                                        {plain.arg(), packed.arg(), i32(shape.c), i32(shape.k)});
  const Tensor dx = make({shape.n, shape.c, shape.h, shape.w}, dy.dtype(), device, Layout::channels_last);
  sparse_kernel(kGradient, device, shape, plan, plan.input_frame)(
      {.groups = {as_u32(shape.n * divide_up(shape.c, 32), "conv2d")}, .local = {}},
      {dy.arg(), which.arg(), packed.arg(), dx.arg(), i32(shape.h), i32(shape.w), i32(shape.c), i32(shape.k),
       i32(shape.p / 2), i32(shape.q / 2), i32(shape.padding[0]), i32(shape.padding[1])});
  return dx;
}

}  // namespace

Tensor conv2d_relu_pool(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  const auto one_by_one = [&] {
    Conv2dOptions with_relu = options;
    with_relu.activation = Activation::relu;
    return max_pool2d(conv2d(x, weight, bias, with_relu), {});
  };
  // Whatever is wrong with the operands, conv2d says it.
  if (!x.defined() || !weight.defined() || x.rank() != 4 || x.dtype() != DType::f32 || x.count() == 0 ||
      !(weight.device() == x.device()) || weight.dtype() != x.dtype() ||
      (bias.defined() && (!(bias.device() == x.device()) || bias.dtype() != x.dtype())))
    return one_by_one();
  const ConvShape shape = conv_shape(x, weight, bias, options);
  const Device device = x.device();
  const ConvPoolPlan plan = plan_pool(shape, autograd::needed({&x}), units_of(device));
  if (!plan.possible || !takes_cpu_shape(device, x.dtype(), shape)) return one_by_one();

  const Tensor in = channels_last(x);
  const Shape pooled = {shape.n, shape.k, shape.p / 2, shape.q / 2};
  Tensor y = make(pooled, x.dtype(), device, Layout::channels_last);
  const Tensor which = make(pooled, DType::u8, device, Layout::channels_last);
  const ConvAlgorithm algorithm = options.algorithm == ConvAlgorithm::automatic ? conv_algorithm() : options.algorithm;
  if (const std::int64_t tile = chosen_winograd_tile(device, x.dtype(), shape, ConvPass::forward, algorithm, true))
    run_winograd(winograd_call(shape, tile, false), false, true, in, weight, bias, y, Activation::relu, which);
  else
    run_walk(shape, plan_pooled_walk(shape, units_of(device)), in, weight, bias, y, Activation::relu, which);
  if (!autograd::needed({&x, &weight, &bias})) return y;

  return autograd::record(
      "conv2d_relu_pool", y, {x, weight, bias},
      [shape, plan, algorithm, weight, which, input = autograd::Saved(in), filter = autograd::Saved(weight)](
          const Tensor& grad, autograd::Needs needs) mutable {
        const Tensor dy = channels_last(grad);
        WeightGradients made;
        if (needs[1] || needs[2])
          made = plan.sparse
                     ? sparse_weight_gradients(shape, plan, input.get(), dy, which, needs[1], needs[2])
                     : weight_gradients(shape, input.get(), dy, {}, needs[1], needs[2], false, algorithm, which);
        if (frees_graph()) input = {};  // its gradient is as large
        filter.get();                   // says so when the weight was changed meanwhile
        const Tensor dx = needs[0] ? sparse_input_gradient(shape, plan, dy, which, weight) : Tensor();
        return std::vector<Tensor>{dx, made.weight, made.bias};
      });
}

}  // namespace portico::detail
