// The launches of a convolution's kernels.
#include "ops/conv_launch.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "ops/common.hpp"
#include "ops/conv_choice.hpp"
#include "ops/conv_vendor.hpp"
#include "ops/copy.hpp"
#include "ops/gemm.hpp"
#include "ops/linear_grad.hpp"
#include "ops/winograd.hpp"

namespace portico::detail {
namespace {

constexpr std::int64_t kPackChunk = 32;

std::uint32_t u32(std::int64_t value) { return as_u32(value, "conv2d"); }
std::int32_t i32(std::int64_t value) {
  if (value > INT32_MAX) as_u32(-1, "conv2d");
  return static_cast<std::int32_t>(value);
}

Spec common_spec(DType dtype, bool cpu, std::int64_t block) {
  return Spec().set("REAL", word(dtype)).set("CPU_SHAPE", cpu).set("KB", block);
}

/// What conv2d keeps beside a weight: its packed form, as long as the weight's contents are these.
struct PackedWeight {
  std::uint64_t version;
  std::int64_t block;
  bool cpu;
  Tensor packed;
};

Tensor pack(const Tensor& weight, const ConvShape& shape, bool gradient, std::int64_t block, bool cpu) {
  static const KernelFamily kPack("conv_weights", "conv_pack");
  std::shared_ptr<const void> kept = weight.impl()->kept[gradient].load();
  const auto* found = static_cast<const PackedWeight*>(kept.get());
  const std::uint64_t version = weight.buffer().version();
  if (found && found->version == version && found->block == block && found->cpu == cpu) return found->packed;

  const Device device = weight.device();
  const std::int64_t taps = shape.r * shape.s, filter = shape.cg() * taps;
  const std::int64_t lanes = gradient ? shape.cg() : shape.kg(), depth = gradient ? shape.kg() : shape.cg();
  const std::int64_t blocks = divide_up(lanes, block), all_blocks = blocks * shape.groups;
  const std::int64_t zeros = depth * shape.s;  // what pixels outside the image point at
  const Tensor plain = row_major(weight);
  const Tensor packed = make({all_blocks * taps * depth * block + zeros}, weight.dtype(), device);
  const Grid grid =
      cpu ? Grid{.groups = {u32(all_blocks * taps * divide_up(depth, kPackChunk))}} : flat_grid(device, packed.count());
  kPack.get(device, key(weight.dtype(), cpu, block),
            [&] { return common_spec(weight.dtype(), cpu, block).set("CHUNK", kPackChunk); })(
      grid, {plain.arg(), packed.arg(), u32(all_blocks), u32(blocks), u32(taps), u32(depth), u32(lanes),
             u32(gradient ? taps : filter), u32(gradient ? filter : taps), u32(shape.kg() * filter), u32(zeros)});
  weight.impl()->kept[gradient].store(std::make_shared<const PackedWeight>(PackedWeight{version, block, cpu, packed}));
  return packed;
}

// A 1x1 convolution's weight gradient as the product dy' x, when the weight is too large for the sums of several splits
// to stay in a cache (1024 x 256 and more on two cores: 1.3 to 2 times faster; below, the splits are).
bool weight_gradient_is_gemm(const ConvShape& shape) {
  return shape.r == 1 && shape.s == 1 && shape.padding == Pair{0, 0} && shape.groups == 1 &&
         shape.c * shape.k >= (1 << 18);
}

// The pixels of x that a 1x1 convolution with a stride sees, side by side as rows of channels.
Tensor seen_pixels(const ConvShape& shape, const Tensor& x) {
  const Tensor rows = make({shape.pixels(), shape.c}, x.dtype(), x.device());
  const std::int64_t extents[] = {shape.n, shape.p, shape.q, shape.c};
  const std::int64_t row = shape.w * shape.c;
  copy_strided({.buffer = &rows.buffer(),
                .offset = rows.offset(),
                .dtype = rows.dtype(),
                .strides = {shape.p * shape.q * shape.c, shape.q * shape.c, shape.c, 1}},
               {.buffer = &x.buffer(),
                .offset = x.offset(),
                .dtype = x.dtype(),
                .strides = {shape.h * row, shape.stride[0] * row, shape.stride[1] * shape.c, 1}},
               extents, "conv2d");
  return rows;
}

// The same memory seen as images: rows of channels are what channels-last is.
Tensor as_images(const Tensor& rows, const Shape& shape) {
  auto impl = std::make_shared<TensorImpl>();
  impl->shape = shape;
  impl->dtype = rows.dtype();
  impl->layout = Layout::channels_last;
  impl->offset = rows.impl()->offset;
  impl->buffer = rows.buffer();
  return Tensor(std::move(impl));
}

WeightGradients gemm_weight_gradients(const ConvShape& shape, const Tensor& x, const Tensor& dy, const Tensor& y,
                                      bool want_weight, bool want_bias, bool want_masked) {
  const Shape rows = {shape.pixels(), shape.k};
  const ActivationGradient behind =
      activation_gradient(view(dy, rows), y.defined() ? view(y, rows) : Tensor(),
                          y.defined() ? Activation::relu : Activation::none, shape.k, want_bias);
  WeightGradients result;
  result.bias = behind.bias;
  if (want_masked) result.masked = as_images(behind.dz, dy.shape());
  if (want_weight) {
    result.weight = make({shape.k, shape.c, 1, 1}, dy.dtype(), dy.device());
    const Tensor seen = shape.stride == Pair{1, 1} ? x : seen_pixels(shape, x);
    gemm(dy.device(), dy.dtype(),
         {.trans_a = true,
          .m = shape.k,
          .n = shape.c,
          .k = shape.pixels(),
          .lda = shape.k,
          .ldb = shape.c,
          .ldc = shape.c},
         behind.dz.arg(), seen.arg(), result.weight.arg(), nullptr, "conv2d");
  }
  return result;
}

}  // namespace

bool takes_cpu_shape(const Device& device, DType dtype, const ConvShape& shape) {
  return dtype == DType::f32 && cpu_shape(device) && fits_cpu_shape(shape);
}

std::uint32_t units_of(const Device& device) { return std::max(device.info().compute_units, 1u); }

void run_walk(const ConvShape& shape, const ConvWalk& walk, const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Tensor& y, Activation activation, const Tensor& which) {
  static const KernelFamily kForward("conv", "conv_forward");
  if (walk.pixels == 0) return;
  const Device device = x.device();
  const Tensor packed = pack(weight, shape, walk.gradient, walk.block, walk.cpu);
  // Four elements at once, in tiles of twice the pixels where they still give every unit a group.
  const std::uint64_t starts = x.arg().first_element | packed.arg().first_element | y.arg().first_element |
                               static_cast<std::uint64_t>(shape.cg()) | static_cast<std::uint64_t>(shape.kg());
  const bool vec = !walk.cpu && x.dtype() == DType::f32 && starts % 4 == 0;
  const bool large = vec && divide_up(walk.pixels, 2 * walk.tile) * walk.blocks * shape.groups >= units_of(device);
  const std::int64_t tile = large ? 2 * walk.tile : walk.tile,
                     chunks = large ? divide_up(walk.pixels, tile) : walk.chunks;
  const std::int64_t gpu_rows = vec ? 8 : 4, gpu_columns = walk.block / 8;  // a thread's share
  const std::int64_t per_thread = walk.block / 16;
  const Kernel kernel = kForward.get(
      device,
      key(static_cast<int>(x.dtype()) << 4 | walk.cpu << 3 | walk.gradient << 2 | bias.defined() << 1 | walk.stream,
          vec << 5 | walk.pooled << 4 | static_cast<int>(activation) << 1 | walk.weights_stay, walk.block << 8 | tile,
          walk.run),
      [&] {
        Spec spec = common_spec(x.dtype(), walk.cpu, walk.block)
                        .set("GRADIENT", walk.gradient)
                        .set("ACT", static_cast<int>(activation))
                        .set("BIAS", bias.defined())
                        .set("POOL", walk.pooled);
        if (walk.cpu)
          return spec.set("T", walk.tile)
              .set("KV", per_thread)
              .set("RUN", walk.run)
              .set("WEIGHTS_STAY", walk.weights_stay)
              .set("STREAM", walk.stream);
        return spec.set("BM", tile).set("BK", 16).set("TM", gpu_rows).set("TN", gpu_columns).set("VEC", vec);
      });
  const std::int64_t in_h = walk.gradient ? shape.p : shape.h, in_w = walk.gradient ? shape.q : shape.w;
  const std::int64_t in = walk.gradient ? shape.k : shape.c, out = walk.gradient ? shape.c : shape.k;
  const std::int64_t out_h = walk.gradient ? shape.h : shape.p, out_w = walk.gradient ? shape.w : shape.q;
  const std::int64_t all_blocks = walk.blocks * shape.groups;
  // The last argument is there for a pooling walk only.
  const std::array args = std::to_array<Arg>({x.arg(),
                                              packed.arg(),
                                              bias.defined() ? bias.arg() : packed.arg(),
                                              y.arg(),
                                              u32(walk.pixels),
                                              i32(in_h),
                                              i32(in_w),
                                              i32(in),
                                              i32(in / shape.groups),
                                              i32(out),
                                              i32(out / shape.groups),
                                              i32(walk.p),
                                              i32(walk.q),
                                              i32(shape.r),
                                              i32(shape.s),
                                              i32(shape.stride[0]),
                                              i32(shape.stride[1]),
                                              i32(shape.padding[0]),
                                              i32(shape.padding[1]),
                                              i32(shape.dilation[0]),
                                              i32(shape.dilation[1]),
                                              i32(out_h),
                                              i32(out_w),
                                              i32(walk.row0),
                                              i32(walk.col0),
                                              u32(walk.blocks),
                                              u32(all_blocks),
                                              u32(chunks),
                                              u32(walk.tiles),
                                              walk.pooled ? which.arg() : y.arg()});
  kernel.launch({.groups = {u32(chunks * all_blocks)}, .local = {walk.cpu ? 1u : u32(tile / gpu_rows * 8)}},
                std::span(args).first(args.size() - (walk.pooled ? 0 : 1)));
}

void run_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y,
                 Activation activation, ConvAlgorithm algorithm) {
  if (vendor_forward(shape, x, weight, bias, y, activation, algorithm)) return;
  const bool cpu = takes_cpu_shape(x.device(), x.dtype(), shape);
  if (const std::int64_t tile = chosen_winograd_tile(x.device(), x.dtype(), shape, ConvPass::forward, algorithm, cpu))
    run_winograd(winograd_call(shape, tile, false), false, cpu, x, weight, bias, y, activation);
  else
    run_walk(shape,
             plan_walk(shape, false, cpu, units_of(x.device()), 0, 0,
                       direct_tile(x.device(), x.dtype(), shape, ConvPass::forward, algorithm)),
             x, weight, bias, y, activation);
}

Tensor input_gradient(const ConvShape& shape, const Tensor& dy, const Tensor& weight, ConvAlgorithm algorithm) {
  const Device device = dy.device();
  const bool cpu = takes_cpu_shape(device, dy.dtype(), shape);
  const Tensor dx = make({shape.n, shape.c, shape.h, shape.w}, dy.dtype(), device, Layout::channels_last);
  if (vendor_input_gradient(shape, dy, weight, dx, algorithm)) return dx;
  if (const std::int64_t tile =
          chosen_winograd_tile(device, dy.dtype(), shape, ConvPass::input_gradient, algorithm, cpu)) {
    run_winograd(winograd_call(shape, tile, true), true, cpu, dy, weight, {}, dx, Activation::none);
    return dx;
  }
  const std::int64_t pixels = direct_tile(device, dy.dtype(), shape, ConvPass::input_gradient, algorithm);
  for (std::int64_t row = 0; row < std::min(shape.stride[0], shape.h); ++row)
    for (std::int64_t col = 0; col < std::min(shape.stride[1], shape.w); ++col)
      run_walk(shape, plan_walk(shape, true, cpu, units_of(device), row, col, pixels), dy, weight, {}, dx,
               Activation::none);
  return dx;
}

namespace {

WeightGradients own_weight_gradients(const ConvShape& shape, const Tensor& x, const Tensor& dy, const Tensor& y,
                                     bool want_weight, bool want_bias, bool want_masked, ConvAlgorithm algorithm,
                                     const Tensor& which) {
  static const KernelFamily kGradient("conv_weight", "conv_weight_gradient");
  static const KernelFamily kSum("conv_weights", "conv_weight_sum");
  const Device device = dy.device();
  const DType dtype = dy.dtype();
  const bool cpu = takes_cpu_shape(device, dtype, shape);
  if (cpu && !which.defined() && shape.pixels() > 0 && weight_gradient_is_gemm(shape))
    return gemm_weight_gradients(shape, x, dy, y, want_weight, want_bias, want_masked);
  WeightGradients result;
  if (want_weight) result.weight = make({shape.k, shape.cg(), shape.r, shape.s}, dtype, device);
  if (want_bias) result.bias = make({shape.k}, dtype, device);
  if (want_masked) result.masked = make(dy.shape(), dtype, device, Layout::channels_last);
  if (shape.pixels() == 0) {
    if (want_weight) fill_elements(result.weight, 0.0f);
    if (want_bias) fill_elements(result.bias, 0.0f);
    return result;
  }

  const std::int64_t tile =
      which.defined() ? 0 : chosen_winograd_tile(device, dtype, shape, ConvPass::weight_gradient, algorithm, cpu);
  if (tile != 0) {
    winograd_weight_gradients(winograd_call(shape, tile, false), cpu, x, dy, y, result);
    return result;
  }

  const ConvWeightPlan plan = plan_weight(shape, cpu, units_of(device));
  const std::int64_t taps = shape.r * shape.s, depth = taps * shape.cg(), all_blocks = plan.blocks * shape.groups;
  const std::int64_t per_thread = plan.block / 16;
  const Tensor partial = make({plan.splits, all_blocks * (depth + 1) * plan.block}, DType::f32, device);
  const Kernel gradient = kGradient.get(
      device,
      key(static_cast<int>(dtype) << 4 | cpu << 3 | y.defined() << 2 | want_masked << 1 | which.defined(), plan.block,
          plan.tile << 8 | plan.remainder, plan.run << 8 | plan.rows),
      [&] {
        Spec spec = common_spec(dtype, cpu, plan.block)
                        .set("ACT", y.defined())
                        .set("MASKED", want_masked)
                        .set("POOL", which.defined());
        if (cpu)
          return spec.set("T", plan.tile)
              .set("REM", plan.remainder)
              .set("KV", per_thread)
              .set("STAGE", plan.stage)
              .set("RUN", plan.run)
              .set("ROWS", plan.rows);
        return spec.set("BM", plan.tile).set("BK", plan.stage).set("TM", plan.tile / 16).set("TN", per_thread);
      });
  const std::uint32_t rows = cpu ? 1 : u32(divide_up(depth, plan.tile));
  // The last three arguments are there for a pooled dy only.
  const std::array args = std::to_array<Arg>({x.arg(),
                                              dy.arg(),
                                              y.defined() ? y.arg() : dy.arg(),
                                              partial.arg(),
                                              want_masked ? result.masked.arg() : partial.arg(),
                                              u32(shape.pixels()),
                                              i32(shape.h),
                                              i32(shape.w),
                                              i32(shape.c),
                                              i32(shape.cg()),
                                              i32(shape.k),
                                              i32(shape.kg()),
                                              i32(shape.p),
                                              i32(shape.q),
                                              i32(shape.r),
                                              i32(shape.s),
                                              i32(shape.stride[0]),
                                              i32(shape.stride[1]),
                                              i32(shape.padding[0]),
                                              i32(shape.padding[1]),
                                              i32(shape.dilation[0]),
                                              i32(shape.dilation[1]),
                                              u32(plan.span),
                                              u32(plan.blocks),
                                              u32(all_blocks),
                                              which.defined() ? which.arg() : dy.arg(),
                                              i32(shape.p / 2),
                                              i32(shape.q / 2)});
  gradient.launch({.groups = {u32(plan.splits * all_blocks), rows}, .local = {cpu ? 1u : 256u}},
                  std::span(args).first(args.size() - (which.defined() ? 0 : 3)));

  const Kernel sum = kSum.get(device, key(dtype, cpu, plan.block),
                              [&] { return common_spec(dtype, cpu, plan.block).set("CHUNK", kPackChunk); });
  const Grid grid = cpu ? Grid{.groups = {u32(all_blocks * (shape.cg() + 1))}}
                        : flat_grid(device, all_blocks * (depth + 1) * plan.block);
  sum(grid, {partial.arg(), want_weight ? result.weight.arg() : partial.arg(),
             want_bias ? result.bias.arg() : partial.arg(), u32(plan.splits), u32(taps), u32(shape.cg()),
             u32(shape.kg()), u32(plan.blocks), u32(all_blocks), std::uint32_t{want_weight}, std::uint32_t{want_bias}});
  return result;
}

}  // namespace

WeightGradients weight_gradients(const ConvShape& shape, const Tensor& x, const Tensor& dy, const Tensor& y,
                                 bool want_weight, bool want_bias, bool want_masked, ConvAlgorithm algorithm,
                                 const Tensor& which) {
  if (!want_weight || which.defined() ||
      !vendor_takes(dy.device(), dy.dtype(), shape, ConvPass::weight_gradient, algorithm))
    return own_weight_gradients(shape, x, dy, y, want_weight, want_bias, want_masked, algorithm, which);
  // No library masks dy or sums it on the way.
  const Shape rows = {shape.pixels(), shape.k};
  const ActivationGradient behind =
      activation_gradient(view(dy, rows), y.defined() ? view(y, rows) : Tensor(),
                          y.defined() ? Activation::relu : Activation::none, shape.k, want_bias);
  const Tensor dz = as_images(behind.dz, dy.shape());
  WeightGradients result;
  result.weight = vendor_weight_gradient(shape, x, dz);
  if (!result.weight.defined()) result = own_weight_gradients(shape, x, dz, {}, true, false, false, algorithm, {});
  result.bias = behind.bias;
  if (want_masked) result.masked = dz;
  return result;
}

Tensor mask(const Tensor& dy, const Tensor& y) {
  static const KernelFamily kMask("conv_mask", "conv_mask");
  const Tensor masked = Tensor::empty_like(dy);
  if (dy.count() == 0) return masked;
  const Device device = dy.device();
  kMask.get(device, key(dy.dtype()), [&] { return Spec().set("REAL", word(dy.dtype())); })(
      flat_grid(device, dy.count()), {dy.arg(), y.arg(), masked.arg(), u32(dy.count())});
  return masked;
}

}  // namespace portico::detail
