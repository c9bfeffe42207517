// The Generator, and tensors of random numbers. kernels/philox.h says which counter makes which element.
#include "ops/random.hpp"

#include <algorithm>

#include "portico/random.hpp"

namespace portico {
namespace detail {
namespace {

const KernelFamily kRandom("random", "random");

std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }

// The same function as in kernels/philox.h, for the host's own needs.
std::uint32_t philox_word(std::uint64_t seed, std::uint64_t counter) {
  std::uint32_t c[4] = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
  std::uint32_t key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    const std::uint32_t next[4] = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key0, static_cast<std::uint32_t>(p1),
                                   static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key1, static_cast<std::uint32_t>(p0)};
    std::copy(next, next + 4, c);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c[0];
}

}  // namespace

Stretch take_stretch(std::int64_t count) {
  const auto counters = static_cast<std::uint64_t>(divide_up(count, 64) * 16);
  Recorder* recorder = Recorder::current();
  if (recorder == nullptr) {
    const std::uint64_t first = default_generator().take(counters);
    return {.seed = default_generator().seed(), .first = first, .replayed = nullptr};
  }
  const auto fill = [counters](std::span<std::uint32_t> words) {
    const std::uint64_t first = default_generator().take(counters), seed = default_generator().seed();
    words[0] = low(seed);
    words[1] = high(seed);
    words[2] = low(first);
    words[3] = high(first);
  };
  Stretch stretch;
  stretch.replayed = std::make_shared<const Values>(recorder->values({.words = 4, .fill = fill, .advance = {}}));
  return stretch;
}

void launch_random(Random kind, const Tensor* x, const Tensor& y, float a, float b, std::uint32_t threshold,
                   const Stretch& stretch) {
  const std::uint32_t count = as_u32(y.count(), kind == Random::dropout ? "dropout" : "random");
  if (count == 0) return;
  const Device device = y.device();
  const bool cpu = cpu_shape(device);
  const bool in_memory = stretch.replayed != nullptr;
  const Kernel kernel = kRandom.get(device, key(int(y.dtype()), int(kind), int(cpu), int(in_memory)), [&] {
    return Spec().set("T", word(y.dtype())).set("KIND", int(kind)).set("CPU_SHAPE", cpu).set("VALUES", in_memory);
  });
  Grid grid = flat_grid(device, divide_up(count, 4));
  if (cpu) {
    grid = {};
    grid.groups.x = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
        divide_up(count, 4096), 1, std::int64_t{std::max(device.info().compute_units, 1u)} * 8));
  }
  if (in_memory) {
    const Arg values = stretch.replayed->arg();
    if (x != nullptr)
      kernel(grid, {x->arg(), y.arg(), count, a, b, threshold, values});
    else
      kernel(grid, {y.arg(), count, a, b, threshold, values});
  } else if (x != nullptr) {
    kernel(grid, {x->arg(), y.arg(), count, a, b, threshold, low(stretch.seed), high(stretch.seed), low(stretch.first),
                  high(stretch.first)});
  } else {
    kernel(grid, {y.arg(), count, a, b, threshold, low(stretch.seed), high(stretch.seed), low(stretch.first),
                  high(stretch.first)});
  }
}

}  // namespace detail

void Generator::reset(std::uint64_t seed, std::uint64_t position) noexcept {
  seed_ = seed;
  position_ = position;
}

std::uint64_t Generator::take(std::uint64_t count) noexcept { return position_.fetch_add(count); }
std::uint32_t Generator::next() noexcept { return detail::philox_word(seed_, take(1)); }

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void seed(std::uint64_t seed) { default_generator().reset(seed); }

Tensor Tensor::uniform(const Shape& shape, float low, float high, const TensorOptions& options) {
  if (!(low <= high))
    throw Error(ErrorCode::invalid_argument,
                "uniform: low " + std::to_string(low) + " is not at most high " + std::to_string(high));
  Tensor tensor = empty(shape, options);
  if (!is_floating(options.dtype)) detail::require_floating(tensor, "uniform");
  detail::launch_random(detail::Random::uniform, nullptr, tensor, low, high - low, 0,
                        detail::take_stretch(tensor.count()));
  return tensor;
}

Tensor Tensor::normal(const Shape& shape, float mean, float deviation, const TensorOptions& options) {
  if (!(deviation >= 0.0f))
    throw Error(ErrorCode::invalid_argument, "normal: deviation " + std::to_string(deviation) + " is negative");
  Tensor tensor = empty(shape, options);
  if (!is_floating(options.dtype)) detail::require_floating(tensor, "normal");
  detail::launch_random(detail::Random::normal, nullptr, tensor, mean, deviation, 0,
                        detail::take_stretch(tensor.count()));
  return tensor;
}

}  // namespace portico
