// The tuner of convolutions: the library's, the direct sum's tiles and Winograd's, each pass by itself.
#include "ops/common.hpp"
#include "ops/conv_choice.hpp"
#include "ops/conv_launch.hpp"
#include "ops/tune.hpp"
#include "runtime/conv_slot.hpp"
#include "runtime/vendor_choice.hpp"

namespace portico::detail {
namespace {

struct Problem {
  std::int64_t n, c, size, k, filter, stride;
};

// A network's layers from wide and shallow to narrow and deep (ResNet's shapes), and those of small images.
constexpr Problem kProblems[] = {{8, 64, 56, 64, 3, 1},    {8, 128, 28, 128, 3, 1}, {8, 256, 14, 256, 3, 1},
                                 {8, 512, 7, 512, 3, 1},   {64, 32, 14, 64, 3, 1},  {8, 64, 56, 256, 1, 1},
                                 {8, 256, 14, 1024, 1, 1}, {8, 128, 56, 128, 3, 2}, {64, 1, 28, 32, 3, 1},
                                 {8, 3, 112, 64, 7, 2}};

ConvShape shape_of(const Problem& p) {
  const std::int64_t padding = p.filter / 2, out = (p.size + 2 * padding - p.filter) / p.stride + 1;
  return {.n = p.n,
          .c = p.c,
          .h = p.size,
          .w = p.size,
          .k = p.k,
          .r = p.filter,
          .s = p.filter,
          .p = out,
          .q = out,
          .groups = 1,
          .stride = {p.stride, p.stride},
          .padding = {padding, padding},
          .dilation = {1, 1}};
}

// What differs from the rules for this convolution: a race against itself would be decided by noise.
std::vector<ConvChoice> candidates(const Device& device, const ConvShape& shape, ConvPass pass) {
  std::vector<ConvChoice> all;
  const bool cpu = takes_cpu_shape(device, DType::f32, shape), library = has_conv_slot(device) && vendor_allowed();
  const int own = library ? 0 : -1;
  if (library) all.push_back({.vendor = 0});
  const bool plain = shape.r == 3 && shape.stride == Pair{1, 1};
  const std::int64_t rule = winograd_tile(shape, pass, ConvAlgorithm::automatic, cpu);
  if (plain)
    for (const int tile : {0, 2, 4})
      if (tile != rule) all.push_back({.vendor = own, .winograd = tile});
  if (cpu && rule == 0 && pass != ConvPass::weight_gradient) {
    const bool gradient = pass == ConvPass::input_gradient;
    const std::int64_t by_rule = plan_walk(shape, gradient, cpu, units_of(device)).tile;
    for (const std::uint32_t tile : {4u, 7u, 8u, 10u, 12u, 14u})
      if (tile != by_rule) all.push_back({.vendor = own, .tile = tile});
  }
  return all;
}

// One pass, as conv2d and its gradient call it.
std::function<void()> call_of(const Device& device, const ConvShape& shape, ConvPass pass) {
  const auto image = [&](Shape extents) {
    return channels_last(Tensor::uniform(extents, -1.0f, 1.0f, {.device = device}));
  };
  const Tensor x = image({shape.n, shape.c, shape.h, shape.w}), y = image({shape.n, shape.k, shape.p, shape.q});
  const Tensor weight = Tensor::uniform({shape.k, shape.c, shape.r, shape.s}, -1.0f, 1.0f, {.device = device});
  switch (pass) {
    case ConvPass::forward:
      return [=] { run_forward(shape, x, weight, {}, y, Activation::none, ConvAlgorithm::automatic); };
    case ConvPass::input_gradient:
      return [=] { input_gradient(shape, y, weight, ConvAlgorithm::automatic); };
    case ConvPass::weight_gradient:
      break;
  }
  return [=] { weight_gradients(shape, x, y, {}, true, false, false, ConvAlgorithm::automatic); };
}

// Only what holds in a second, longer race is believed. Past `end` it looks at nothing new.
ConvEntry best_of(const Device& device, const ConvShape& shape, ConvPass pass, TuneClock::time_point end) {
  ConvEntry best{.shape = conv_class(DType::f32, shape, pass), .choice = {}};
  Race<ConvChoice> race(device, call_of(device, shape, pass));
  ConvEntry first = best;
  for (const ConvChoice& choice : candidates(device, shape, pass)) {
    if (TuneClock::now() >= end) break;
    if (const double gain = race.gain(choice, 5); gain > kWorthTuning && gain > first.gain)
      first = {.shape = best.shape, .choice = choice, .gain = gain};
  }
  if (first.choice.by_rule()) return best;
  first.gain = race.gain(first.choice, 9);
  return first.gain > kWorthTuning ? first : best;
}

}  // namespace

std::vector<TuneJob> conv_jobs(const Device& device) {
  std::vector<TuneJob> jobs;
  for (const Problem& p : kProblems)
    for (const ConvPass pass : {ConvPass::forward, ConvPass::input_gradient, ConvPass::weight_gradient}) {
      const ConvShape shape = shape_of(p);
      if (candidates(device, shape, pass).empty()) continue;
      jobs.push_back({to_string(conv_class(DType::f32, shape, pass)),
                      [device, shape, pass](TunedChoices& choices, TuneClock::time_point end) {
                        return keep(choices.conv, best_of(device, shape, pass, end));
                      }});
    }
  return jobs;
}

}  // namespace portico::detail
