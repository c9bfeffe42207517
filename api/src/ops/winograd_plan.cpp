#include "ops/winograd_plan.hpp"

#include <algorithm>

#include "ops/common.hpp"

namespace portico::detail {
namespace {

// Vector operations that a convolution takes for a pair of 16 inputs and 16 outputs, measured on two AVX-512 cores: a
// tile's transforms cost about `kTransform` each a line of 16 channels, a filter's `kFilter`, its reading included.
double winograd_work(const WinogradCall& call) {
  const double f = static_cast<double>(call.frequencies()), lines = static_cast<double>(divide_up(call.c, 16));
  const double outputs = static_cast<double>(divide_up(call.k, 16)), tiles = static_cast<double>(call.tiles());
  return f * (16 * tiles * lines * outputs + 10 * tiles * (lines + outputs) + 160 * lines * outputs);
}

double direct_work(const ConvShape& shape) {
  const double lines = static_cast<double>(divide_up(shape.c, 16)),
               outputs = static_cast<double>(divide_up(shape.k, 16));
  return 9.0 * 16 * static_cast<double>(shape.pixels()) * lines * outputs;
}

}  // namespace

WinogradCall winograd_call(const ConvShape& shape, std::int64_t tile, bool gradient) {
  WinogradCall call{.tile = tile,
                    .n = shape.n,
                    .c = gradient ? shape.k : shape.c,
                    .h = gradient ? shape.p : shape.h,
                    .w = gradient ? shape.q : shape.w,
                    .k = gradient ? shape.c : shape.k,
                    .p = gradient ? shape.h : shape.p,
                    .q = gradient ? shape.w : shape.q,
                    .padding = shape.padding,
                    .tiles_p = 0,
                    .tiles_q = 0};
  if (gradient) call.padding = {2 - shape.padding[0], 2 - shape.padding[1]};
  call.tiles_p = divide_up(call.p, tile);
  call.tiles_q = divide_up(call.q, tile);
  return call;
}

std::int64_t winograd_tile(const ConvShape& shape, ConvPass pass, ConvAlgorithm algorithm, bool cpu) {
  const bool possible = shape.r == 3 && shape.s == 3 && shape.stride == Pair{1, 1} && shape.dilation == Pair{1, 1} &&
                        shape.groups == 1 && shape.pixels() > 0;
  if (!possible || algorithm == ConvAlgorithm::direct) return 0;
  if (algorithm == ConvAlgorithm::winograd_2x2) return 2;
  if (algorithm == ConvAlgorithm::winograd_4x4) return 4;
  if (!cpu || shape.c < 32 || shape.k < 32) return 0;
  const bool gradient = pass == ConvPass::input_gradient;
  const double small = winograd_work(winograd_call(shape, 2, gradient));
  const double large = winograd_work(winograd_call(shape, 4, gradient));
  if (std::min(small, large) > 0.9 * direct_work(shape)) return 0;
  return small < large ? 2 : 4;
}

WinogradCpuPlan plan_winograd_cpu(const WinogradCall& call) {
  WinogradCpuPlan plan{};
  const std::int64_t lines = divide_up(call.c, 16);
  plan.vectors = call.k <= 16 ? 1 : 2;
  plan.rows = 8;
  // The private input stays in the second cache; with more lines than that the filters are too large to be read once a
  // span, and the transformed input is shared instead.
  plan.fused = lines <= 4 ? 4 : lines <= 8 ? 8 : 0;
  plan.span = plan.fused == 8 ? 16 : 32;
  return plan;
}

std::int64_t winograd_chunk(std::int64_t tiles, std::int64_t floats, std::int64_t bytes) {
  const std::int64_t most = std::max<std::int64_t>(64, bytes / 4 / floats);
  return divide_up(tiles, divide_up(tiles, most));
}

}  // namespace portico::detail
