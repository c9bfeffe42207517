#include "ops/winograd.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "ops/common.hpp"
#include "ops/gemm.hpp"

namespace portico::detail {
namespace {

// What transformed operands take at a time: on a CPU they are to stay in its last cache, a GPU wants work for all
// units.
constexpr std::int64_t kCpuScratch = 16 << 20, kGpuScratch = 128 << 20;
constexpr std::int64_t kRun = 16;  // tiles that a work-item transforms, and that share a sum of the bias' gradient
constexpr std::int64_t kFusedLines = 4, kSpan = 16;  // LINES and SPAN of winograd_weight.cl
constexpr std::int64_t kFewTiles = 160;              // whose transforms of 16 inputs and 32 outputs fit a second cache

std::uint32_t u32(std::int64_t value) { return as_u32(value, "conv2d"); }
std::int32_t i32(std::int64_t value) { return static_cast<std::int32_t>(value); }

Arg at(const Tensor& tensor, std::int64_t element) {
  Arg arg = tensor.arg();
  arg.first_element += static_cast<std::uint64_t>(element);
  return arg;
}

struct Variant {
  DType dtype;
  bool cpu;
  std::int64_t tile;
  std::int64_t block;  // KB
  Activation activation = Activation::none;
  bool bias = false, masked = false;
};

Kernel transform(const KernelFamily& family, const Device& device, const Variant& v) {
  return family.get(device,
                    key(static_cast<int>(v.dtype) << 4 | v.cpu << 3 | v.bias << 2 | v.masked << 1 | (v.tile == 4),
                        v.block, static_cast<int>(v.activation)),
                    [&] {
                      return Spec()
                          .set("REAL", word(v.dtype))
                          .set("CPU_SHAPE", v.cpu)
                          .set("TILE", v.tile)
                          .set("KB", v.block)
                          .set("RUN", kRun)
                          .set("ACT", static_cast<int>(v.activation))
                          .set("BIAS", v.bias)
                          .set("MASKED", v.masked)
                          .set("WG", v.cpu ? 1 : flat_grid(device, 1).local.x);
                    });
}

// One group a work-item on a CPU, `units` of work in all.
Grid grid_for(const Device& device, bool cpu, std::int64_t units) {
  return cpu ? Grid{.groups = {u32(units)}} : flat_grid(device, units);
}

std::int64_t lanes(bool cpu) { return cpu ? 16 : 1; }

// Floats of a transformed tensor of `tiles` tiles (winograd_tile.h); a register tile may read on behind the last one.
std::int64_t transformed_floats(const WinogradCall& call, bool cpu, std::int64_t channels, std::int64_t tiles) {
  if (!cpu) return call.frequencies() * tiles * channels;
  return call.frequencies() * (divide_up(channels, 16) * tiles + 1) * 16 + 16 * 16;
}

struct KeptFilters {
  std::uint64_t version;
  std::int64_t tile, block;
  bool cpu;
  Tensor filters;
};

// The transformed weight, kept with it until it changes.
Tensor transform_filters(const WinogradCall& call, bool gradient, bool cpu, std::int64_t block, const Tensor& weight) {
  static const KernelFamily kFilters("winograd", "winograd_filters");
  auto& slot = weight.impl()->kept[2 + gradient];
  const std::shared_ptr<const void> kept = slot.load();
  const auto* found = static_cast<const KeptFilters*>(kept.get());
  const std::uint64_t version = weight.buffer().version();
  if (found && found->version == version && found->tile == call.tile && found->block == block && found->cpu == cpu)
    return found->filters;

  const Device device = weight.device();
  const std::int64_t padded = cpu ? divide_up(call.k, block) * block * divide_up(call.c, 16) * 16 : call.k * call.c;
  const Tensor plain = row_major(weight), filters = make({call.frequencies() * padded}, DType::f32, device);
  const std::int64_t units = cpu ? padded / 256 : padded;
  transform(kFilters, device, {.dtype = weight.dtype(), .cpu = cpu, .tile = call.tile, .block = block})(
      grid_for(device, cpu, units),
      {plain.arg(), filters.arg(), u32(call.k), u32(call.c), u32(gradient ? 9 : call.c * 9),
       u32(gradient ? call.k * 9 : 9), std::uint32_t{gradient}});
  slot.store(std::make_shared<const KeptFilters>(KeptFilters{version, call.tile, block, cpu, filters}));
  return filters;
}

void transform_inputs(const WinogradCall& call, bool cpu, const Tensor& x, const Tensor& v, std::int64_t first,
                      std::int64_t tiles) {
  static const KernelFamily kInputs("winograd", "winograd_inputs");
  const Device device = x.device();
  const std::int64_t lines = divide_up(call.c, lanes(cpu));
  transform(kInputs, device, {.dtype = x.dtype(), .cpu = cpu, .tile = call.tile, .block = 32})(
      grid_for(device, cpu, cpu ? divide_up(tiles, kRun) * lines : tiles * lines),
      {x.arg(), v.arg(), i32(call.h), i32(call.w), i32(call.c), i32(call.padding[0]), i32(call.padding[1]),
       u32(call.tiles_p), u32(call.tiles_q), u32(first), u32(tiles), u32(lines)});
}

void run_on_cpu(const WinogradCall& call, bool gradient, const Tensor& x, const Tensor& weight, const Tensor& bias,
                const Tensor& y, Activation activation, const Tensor& which) {
  static const KernelFamily kForward("winograd_forward", "winograd_forward");
  const Device device = x.device();
  const WinogradCpuPlan plan = plan_winograd_cpu(call);
  const std::int64_t block = 16 * plan.vectors, blocks = divide_up(call.k, block), lines = divide_up(call.c, 16);
  const Tensor filters = transform_filters(call, gradient, true, block, weight);
  const Kernel kernel = kForward.get(device,
                                     key(static_cast<int>(activation) << 2 | bias.defined() << 1 | which.defined(),
                                         call.tile << 8 | plan.rows, plan.span << 4 | plan.vectors, plan.fused),
                                     [&] {
                                       return Spec()
                                           .set("REAL", "f32")
                                           .set("CPU_SHAPE", 1)
                                           .set("TILE", call.tile)
                                           .set("T", plan.rows)
                                           .set("SPAN", plan.span)
                                           .set("KV", plan.vectors)
                                           .set("FUSED", plan.fused)
                                           .set("BIAS", bias.defined())
                                           .set("ACT", static_cast<int>(activation))
                                           .set("POOL", which.defined());
                                     });
  const std::int64_t chunk =
      plan.fused != 0 ? call.tiles() : winograd_chunk(call.tiles(), call.frequencies() * lines * 16, kCpuScratch);
  Tensor v;
  if (plan.fused == 0) v = make({transformed_floats(call, true, call.c, chunk)}, DType::f32, device);
  for (std::int64_t first = 0; first < call.tiles(); first += chunk) {
    const std::int64_t tiles = std::min(chunk, call.tiles() - first), spans = divide_up(tiles, plan.span);
    if (plan.fused == 0) transform_inputs(call, true, x, v, first, tiles);
    const std::array args = std::to_array<Arg>(
        {plan.fused != 0 ? x.arg() : v.arg(), filters.arg(), bias.defined() ? bias.arg() : filters.arg(), y.arg(),
         i32(call.h), i32(call.w), i32(call.c), i32(call.k), i32(call.p), i32(call.q), i32(call.padding[0]),
         i32(call.padding[1]), u32(call.tiles_p), u32(call.tiles_q), u32(first), u32(tiles), u32(lines), u32(blocks),
         which.defined() ? which.arg() : y.arg()});
    kernel.launch({.groups = {u32(plan.fused != 0 ? spans : spans * blocks)}},
                  std::span(args).first(args.size() - (which.defined() ? 0 : 1)));
  }
}

void run_on_gpu(const WinogradCall& call, bool gradient, const Tensor& x, const Tensor& weight, const Tensor& bias,
                const Tensor& y, Activation activation) {
  static const KernelFamily kOutputs("winograd", "winograd_outputs");
  const Device device = x.device();
  const Tensor filters = transform_filters(call, gradient, false, 32, weight);
  const std::int64_t chunk = winograd_chunk(call.tiles(), call.frequencies() * (call.c + call.k), kGpuScratch);
  const Tensor v = make({transformed_floats(call, false, call.c, chunk)}, DType::f32, device);
  const Tensor m = make({transformed_floats(call, false, call.k, chunk)}, DType::f32, device);
  for (std::int64_t first = 0; first < call.tiles(); first += chunk) {
    const std::int64_t tiles = std::min(chunk, call.tiles() - first);
    transform_inputs(call, false, x, v, first, tiles);
    gemm(device, DType::f32,
         {.m = tiles,
          .n = call.k,
          .k = call.c,
          .batch = call.frequencies(),
          .lda = call.c,
          .ldb = call.k,
          .ldc = call.k,
          .stride_a = tiles * call.c,
          .stride_b = call.c * call.k,
          .stride_c = tiles * call.k},
         v.arg(), filters.arg(), m.arg(), nullptr, "conv2d");
    transform(kOutputs, device,
              {.dtype = y.dtype(),
               .cpu = false,
               .tile = call.tile,
               .block = 32,
               .activation = activation,
               .bias = bias.defined()})(
        grid_for(device, false, tiles * call.k),
        {m.arg(), bias.defined() ? bias.arg() : m.arg(), y.arg(), i32(call.p), i32(call.q), i32(call.k),
         u32(call.tiles_p), u32(call.tiles_q), u32(first), u32(tiles), u32(call.k)});
  }
}

}  // namespace

void run_winograd(const WinogradCall& call, bool gradient, bool cpu, const Tensor& x, const Tensor& weight,
                  const Tensor& bias, const Tensor& y, Activation activation, const Tensor& which) {
  if (cpu)
    run_on_cpu(call, gradient, x, weight, bias, y, activation, which);
  else
    run_on_gpu(call, gradient, x, weight, bias, y, activation);
}

namespace {

/// dweight and dbias from products [splits][frequencies][rows][columns] and sums [runs][columns], where wanted.
void finish_weight_gradients(const WinogradCall& call, bool cpu, const Tensor& products, std::int64_t splits,
                             const Tensor& sums, std::int64_t runs, const Tensor& weight, const Tensor& bias) {
  static const KernelFamily kFilterGradients("winograd", "winograd_filter_gradients");
  if (!weight.defined() && !bias.defined()) return;
  const DType dtype = weight.defined() ? weight.dtype() : bias.dtype();
  const std::int64_t width = lanes(cpu), c_lines = divide_up(call.c, width), k_lines = divide_up(call.k, width);
  transform(kFilterGradients, sums.device(), {.dtype = dtype, .cpu = cpu, .tile = call.tile, .block = 32})(
      grid_for(sums.device(), cpu, k_lines * c_lines),
      {products.arg(), sums.arg(), weight.defined() ? weight.arg() : sums.arg(),
       bias.defined() ? bias.arg() : sums.arg(), u32(call.c), u32(call.k), u32(c_lines * width), u32(k_lines * width),
       u32(runs), u32(splits), std::uint32_t{weight.defined()}, std::uint32_t{bias.defined()}});
}

Kernel weight_kernel(const KernelFamily& family, const Device& device, const WinogradCall& call, bool relu, bool masked,
                     std::int64_t span) {
  const std::int64_t vectors = call.k <= 16 ? 1 : 2;
  return family.get(device, key(call.tile, vectors, relu << 1 | masked, span), [&] {
    return Spec()
        .set("REAL", "f32")
        .set("CPU_SHAPE", 1)
        .set("TILE", call.tile)
        .set("T", 8)
        .set("KV", vectors)
        .set("LINES", kFusedLines)
        .set("SPAN", span)
        .set("ACT", relu)
        .set("MASKED", masked);
  });
}

// Tiles of a split: two splits a core.
std::int64_t fused_run(const WinogradCall& call, const Device& device) {
  return divide_up(divide_up(call.tiles(), 2 * std::int64_t{units_of(device)}), kSpan) * kSpan;
}

void fused_weight_gradients(const WinogradCall& call, const Tensor& x, const Tensor& dy, const Tensor& y,
                            const WeightGradients& result) {
  static const KernelFamily kFused("winograd_weight", "winograd_weight_fused");
  const Device device = dy.device();
  const std::int64_t c_lines = divide_up(call.c, 16), k_lines = divide_up(call.k, 16);
  const std::int64_t run = fused_run(call, device);
  const std::int64_t splits = divide_up(call.tiles(), run);
  const Tensor products = make({splits, call.frequencies() * c_lines * k_lines * 256}, DType::f32, device);
  const Tensor sums = make({splits, k_lines * 16}, DType::f32, device);
  weight_kernel(kFused, device, call, y.defined(), result.masked.defined(), kSpan)(
      {.groups = {u32(splits)}, .local = {}}, {x.arg(),
                                               dy.arg(),
                                               y.defined() ? y.arg() : dy.arg(),
                                               result.masked.defined() ? result.masked.arg() : sums.arg(),
                                               products.arg(),
                                               sums.arg(),
                                               i32(call.h),
                                               i32(call.w),
                                               i32(call.c),
                                               i32(call.k),
                                               i32(call.p),
                                               i32(call.q),
                                               i32(call.padding[0]),
                                               i32(call.padding[1]),
                                               u32(call.tiles_p),
                                               u32(call.tiles_q),
                                               u32(call.tiles()),
                                               u32(c_lines),
                                               u32(k_lines),
                                               u32(run)});
  finish_weight_gradients(call, true, products, splits, sums, splits, result.weight, result.bias);
}

}  // namespace

void winograd_weight_gradients(const WinogradCall& call, bool cpu, const Tensor& x, const Tensor& dy, const Tensor& y,
                               const WeightGradients& result) {
  static const KernelFamily kOutputGradients("winograd", "winograd_output_gradients");
  static const KernelFamily kProducts("winograd_weight", "winograd_weight");
  static const KernelFamily kFilters("winograd_weight", "winograd_weight_filters");
  const bool want_weight = result.weight.defined(), few_channels = cpu && std::max(call.c, call.k) <= 16 * kFusedLines;
  if (few_channels && want_weight) return fused_weight_gradients(call, x, dy, y, result);

  const Device device = dy.device();
  const std::int64_t width = lanes(cpu), c_lines = divide_up(call.c, width), k_lines = divide_up(call.k, width);
  const std::int64_t rows = c_lines * width, columns = k_lines * width, frequencies = call.frequencies();
  // The bias' gradient alone has the sums that it has beside the weight's.
  const std::int64_t run = few_channels ? fused_run(call, device) : kRun, runs = divide_up(call.tiles(), run);
  std::int64_t chunk = winograd_chunk(call.tiles(), frequencies * (rows + columns), cpu ? kCpuScratch : kGpuScratch);
  chunk = want_weight ? std::min(call.tiles(), divide_up(chunk, run) * run) : call.tiles();
  const bool at_once = cpu && chunk == call.tiles() && chunk <= kFewTiles && want_weight;
  const Tensor sums = make({runs * columns}, DType::f32, device);
  Tensor v = sums, d = sums, products = sums;  // a kernel's buffer argument cannot be absent
  if (want_weight) v = make({transformed_floats(call, cpu, call.c, chunk)}, DType::f32, device);
  if (want_weight) d = make({transformed_floats(call, cpu, call.k, chunk)}, DType::f32, device);
  if (want_weight && !at_once) products = make({frequencies * rows * columns}, DType::f32, device);
  const Kernel gradients = transform(kOutputGradients, device,
                                     {.dtype = dy.dtype(),
                                      .cpu = cpu,
                                      .tile = call.tile,
                                      .block = 32,
                                      .activation = y.defined() ? Activation::relu : Activation::none,
                                      .masked = result.masked.defined()});
  for (std::int64_t first = 0; first < call.tiles(); first += chunk) {
    const std::int64_t tiles = std::min(chunk, call.tiles() - first), chunk_runs = divide_up(tiles, run);
    gradients(grid_for(device, cpu, chunk_runs * k_lines),
              {dy.arg(), y.defined() ? y.arg() : dy.arg(), result.masked.defined() ? result.masked.arg() : sums.arg(),
               d.arg(), at(sums, first / run * columns), i32(call.p), i32(call.q), i32(call.k), u32(call.tiles_p),
               u32(call.tiles_q), u32(first), u32(tiles), u32(k_lines), u32(run), u32(chunk_runs),
               std::uint32_t{want_weight}});
    if (!want_weight) break;
    transform_inputs(call, cpu, x, v, first, tiles);
    const std::int64_t blocks = divide_up(call.k, call.k <= 16 ? 16 : 32);
    if (at_once) {
      weight_kernel(kFilters, device, call, false, false, kSpan)(
          {.groups = {u32(c_lines * blocks)}, .local = {}},
          {v.arg(), d.arg(), result.weight.arg(), u32(tiles), u32(c_lines), u32(k_lines), u32(call.c), u32(call.k)});
    } else if (cpu) {
      weight_kernel(kProducts, device, call, false, false, kSpan)(
          {.groups = {u32(frequencies * blocks)}, .local = {}},
          {v.arg(), d.arg(), products.arg(), u32(tiles), u32(c_lines), u32(k_lines), u32(columns),
           std::uint32_t{first != 0}});
    } else {
      gemm(device, DType::f32,
           {.trans_a = true,
            .m = call.c,
            .n = call.k,
            .k = tiles,
            .batch = frequencies,
            .lda = call.c,
            .ldb = call.k,
            .ldc = call.k,
            .stride_a = tiles * call.c,
            .stride_b = tiles * call.k,
            .stride_c = call.c * call.k,
            .beta = first != 0 ? 1.0f : 0.0f},
           v.arg(), d.arg(), products.arg(), nullptr, "conv2d");
    }
  }
  finish_weight_gradients(call, cpu, products, 1, sums, runs, at_once ? Tensor() : result.weight, result.bias);
}

}  // namespace portico::detail
