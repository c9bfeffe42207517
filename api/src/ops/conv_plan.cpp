#include "ops/conv_plan.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "ops/common.hpp"

namespace portico::detail {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::invalid_argument, "conv2d: " + what); }

std::string text(const Pair& pair) { return "[" + std::to_string(pair[0]) + "," + std::to_string(pair[1]) + "]"; }

void require_at_least(const Pair& pair, std::int64_t least, const char* name) {
  if (pair[0] < least || pair[1] < least)
    refuse(std::string(name) + " " + text(pair) + " must be at least " + std::to_string(least));
}

// A filter row's inputs when they are few and lie side by side in x: then the kernels' inner loops run along the row
// instead of over a handful of channels.
std::int64_t run_of(const ConvShape& shape) {
  const std::int64_t run = shape.s * shape.c;
  return shape.groups == 1 && shape.dilation[1] == 1 && shape.c < 16 && run <= 64 ? run : 0;
}

}  // namespace

ConvShape conv_shape(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  const Shape &xs = x.shape(), &ws = weight.shape();
  if (xs.rank() != 4) refuse("x " + xs.to_string() + " needs four axes [n, c, h, w]");
  if (ws.rank() != 4) refuse("weight " + ws.to_string() + " needs four axes [k, c / groups, r, s]");
  require_at_least(options.stride, 1, "stride");
  require_at_least(options.padding, 0, "padding");
  require_at_least(options.dilation, 1, "dilation");
  if (options.groups < 1) refuse("groups " + std::to_string(options.groups) + " must be at least 1");
  if (ws.count() == 0) refuse("weight " + ws.to_string() + " is empty");
  const std::string groups = options.groups == 1 ? "" : " in each of " + std::to_string(options.groups) + " groups";
  if (xs[1] != ws[1] * options.groups)
    refuse("weight " + ws.to_string() + " needs " + std::to_string(ws[1]) + " input channels" + groups + ", x " +
           xs.to_string() + " has " + std::to_string(xs[1]));
  if (ws[0] % options.groups != 0)
    refuse("weight " + ws.to_string() + " has " + std::to_string(ws[0]) + " outputs, which " +
           std::to_string(options.groups) + " groups do not divide");
  if (bias.defined() && (bias.rank() != 1 || bias.dim(0) != ws[0]))
    refuse("bias " + bias.shape().to_string() + " needs [" + std::to_string(ws[0]) +
           "], one for each output of weight " + ws.to_string());

  ConvShape shape{.n = xs[0],
                  .c = xs[1],
                  .h = xs[2],
                  .w = xs[3],
                  .k = ws[0],
                  .r = ws[2],
                  .s = ws[3],
                  .p = 0,
                  .q = 0,
                  .groups = options.groups,
                  .stride = options.stride,
                  .padding = options.padding,
                  .dilation = options.dilation};
  const std::int64_t high = shape.dilation[0] * (shape.r - 1) + 1, wide = shape.dilation[1] * (shape.s - 1) + 1;
  const std::int64_t down = shape.h + 2 * shape.padding[0] - high, right = shape.w + 2 * shape.padding[1] - wide;
  if (down < 0 || right < 0)
    refuse("weight " + ws.to_string() + " with dilation " + text(shape.dilation) + " covers " + text({high, wide}) +
           ", more than x " + xs.to_string() + " with padding " + text(shape.padding) + " has");
  shape.p = down / shape.stride[0] + 1;
  shape.q = right / shape.stride[1] + 1;
  return shape;
}

std::int64_t conv_block(std::int64_t lanes, bool cpu) {
  if (cpu) return lanes <= 16 ? 16 : 32;
  return lanes <= 32 ? 32 : 64;
}

ConvWalk plan_walk(const ConvShape& shape, bool gradient, bool cpu, std::uint32_t units, std::int64_t row0,
                   std::int64_t col0, std::int64_t tile) {
  ConvWalk walk{};
  walk.gradient = gradient;
  walk.cpu = cpu;
  walk.row0 = row0;
  walk.col0 = col0;
  walk.p = gradient ? divide_up(shape.h - row0, shape.stride[0]) : shape.p;
  walk.q = gradient ? divide_up(shape.w - col0, shape.stride[1]) : shape.q;
  walk.pixels = shape.n * walk.p * walk.q;
  const std::int64_t lanes = gradient ? shape.cg() : shape.kg(), all_lanes = lanes * shape.groups;
  walk.block = conv_block(lanes, cpu);
  walk.blocks = divide_up(lanes, walk.block);
  if (!cpu) {
    walk.tile = 64;
    walk.tiles = 1;
    walk.chunks = divide_up(walk.pixels, walk.tile);
    return walk;
  }
  const std::int64_t all_blocks = walk.blocks * shape.groups;
  walk.run = gradient ? 0 : run_of(shape);
  // 14 pixels fill the registers. With few of them smaller tiles keep every core busy; a short depth is bound by memory
  // and takes no harm; where x's pixels lie a multiple of 4 KiB apart they share one set of the L1 cache (12 ways).
  const std::int64_t x_stride = (gradient ? shape.k : shape.c) * 4;
  walk.tile = x_stride % 4096 == 0 ? 10 : walk.run != 0 && walk.run * shape.r < 32 ? 8 : 14;
  if (divide_up(walk.pixels, walk.tile) * all_blocks < 2 * std::int64_t{units}) walk.tile = 7;
  if (tile != 0) walk.tile = tile;
  for (const std::int64_t small : {4, 2, 1})
    if (walk.pixels <= small) walk.tile = small;
  // About sixteen pieces a core even out what the cores do beside this.
  const std::int64_t tiles = divide_up(walk.pixels, walk.tile);
  walk.tiles = std::clamp<std::int64_t>(tiles * all_blocks / (16 * std::int64_t{units}), 1, 64);
  walk.chunks = divide_up(tiles, walk.tiles);
  walk.weights_stay = shape.k * shape.cg() * shape.r * shape.s * 4 > (1 << 19);
  walk.stream = lanes % 16 == 0 && walk.pixels * all_lanes * 4 > (4 << 20);
  return walk;
}

ConvWalk plan_pooled_walk(const ConvShape& shape, std::uint32_t units) {
  ConvWalk walk = plan_walk(shape, false, true, units);
  walk.pooled = true;
  walk.p = shape.p / 2;
  walk.q = shape.q / 2;
  walk.pixels = shape.n * walk.p * walk.q;
  walk.tile = 12;  // three windows
  const std::int64_t tiles = divide_up(walk.pixels, walk.tile / 4);
  walk.tiles = std::clamp<std::int64_t>(tiles * walk.blocks / (16 * std::int64_t{units}), 1, 64);
  walk.chunks = divide_up(tiles, walk.tiles);
  walk.stream = false;
  return walk;
}

ConvPoolPlan plan_pool(const ConvShape& shape, bool input_wanted, std::uint32_t units) {
  constexpr std::int64_t kSums = 28, kLargestFrame = 2048, kLargestImage = 8192;  // 28 sums fit the registers
  ConvPoolPlan plan{};
  const std::int64_t p = shape.p / 2, q = shape.q / 2, taps = shape.r * shape.s, wide = shape.w + 2 * shape.padding[1];
  const bool one = shape.groups == 1 && shape.stride == Pair{1, 1} && shape.dilation == Pair{1, 1};
  if (!one || p < 1 || q < 1 || shape.k % 32 != 0) return plan;
  if (shape.c < 16) {
    plan.possible = !input_wanted;
    return plan;
  }
  plan.sparse = true;
  if (shape.c % 16 != 0 || taps > kSums || (shape.r + 1) * (shape.s + 1) > kSums || q > 256) return plan;
  plan.vectors = shape.c % 32 == 0 && 2 * taps <= kSums ? 2 : 1;
  plan.windows = 64;
  while (plan.windows < q) plan.windows *= 2;
  // The smallest frame, the L1 cache's size first, that holds two rows of windows.
  for (plan.frame = 512; plan.frame <= kLargestFrame; plan.frame *= 2) {
    const std::int64_t rows = plan.frame / (plan.vectors * wide) - (shape.r - 1);
    plan.band = std::min({p, rows / 2, plan.windows / q});
    if (plan.band >= std::min<std::int64_t>({p, 2, plan.windows / q})) break;
  }
  const std::int64_t image = std::min<std::int64_t>(2, shape.c / 16) * (2 * p + shape.r - 1) * (2 * q + shape.s - 1);
  plan.input_frame = divide_up(image, 256) * 256;
  plan.possible = plan.frame <= kLargestFrame && (!input_wanted || plan.input_frame <= kLargestImage);
  const std::int64_t wanted = divide_up(8 * std::int64_t{units}, shape.k / 32);
  plan.images = divide_up(std::max<std::int64_t>(shape.n, 1), wanted);
  plan.splits = divide_up(shape.n, plan.images);
  return plan;
}

ConvWeightPlan plan_weight(const ConvShape& shape, bool cpu, std::uint32_t units) {
  ConvWeightPlan plan{};
  plan.cpu = cpu;
  plan.block = conv_block(shape.kg(), cpu);
  plan.blocks = divide_up(shape.kg(), plan.block);
  const std::int64_t depth = shape.r * shape.s * shape.cg();
  std::int64_t pieces = plan.blocks * shape.groups;
  if (cpu) {
    plan.stage = 128;
    plan.run = run_of(shape);
    plan.rows = plan.run != 0 && shape.r * plan.run <= 14 ? shape.r : 1;
    const std::int64_t inner = plan.run != 0 ? plan.rows * plan.run : shape.cg();
    // Eight inputs hide the latency of an fma; a tile that divides the depth wastes nothing.
    plan.tile = inner <= 14 ? inner : divide_up(inner, divide_up(inner, 12));
    if (inner > 14)
      for (const std::int64_t tile : {8, 7, 9, 10, 12, 6, 11, 13, 14})
        if (inner % tile == 0) {
          plan.tile = tile;
          break;
        }
    plan.remainder = inner % plan.tile;
  } else {
    plan.stage = 16;
    plan.tile = depth <= 16 ? 16 : 64;
    pieces *= divide_up(depth, plan.tile);
  }
  const std::int64_t wanted = divide_up(8 * std::int64_t{std::max(units, 1u)}, pieces);
  plan.span = divide_up(divide_up(std::max<std::int64_t>(shape.pixels(), 1), wanted), plan.stage) * plan.stage;
  plan.splits = divide_up(shape.pixels(), plan.span);
  return plan;
}

bool fits_cpu_shape(const ConvShape& shape) {
  // A tile of 14 pixels touches two images, or 14 of one pixel each.
  const std::int64_t image = std::max(shape.h * shape.w * shape.c, shape.p * shape.q * shape.k);
  return image <= std::numeric_limits<std::int32_t>::max() / 16 &&
         shape.pixels() <= std::numeric_limits<std::int32_t>::max() - 64 &&
         shape.n * shape.h * shape.w <= std::numeric_limits<std::int32_t>::max() - 64;
}

}  // namespace portico::detail
