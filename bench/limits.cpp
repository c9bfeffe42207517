#include "limits.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

namespace portico::bench {
namespace {

// One text, two shapes: a CPU takes sixteen lanes a work-item, a GPU one. Twelve independent sums hide the latency of
// fma.
constexpr const char* kRoofs = R"(
#if CPU_SHAPE
typedef float16 lanes;
#define LANES 16
#define PUT(y, i, v) vstore16((v), (i), (y))
#else
typedef float lanes;
#define LANES 1
#define PUT(y, i, v) ((y)[i] = (v))
#endif

KERNEL void fma_rate(OUT(f32, y), const uint rounds, const float seed) {
  OFFSET(y);
  lanes s0 = seed, s1 = seed + 1, s2 = seed + 2, s3 = seed + 3, s4 = seed + 4, s5 = seed + 5;
  lanes s6 = seed + 6, s7 = seed + 7, s8 = seed + 8, s9 = seed + 9, sa = seed + 10, sb = seed + 11;
  const lanes m = seed * 0.5f;
  const lanes a = seed * 0.25f;
  for (uint i = 0; i < rounds; ++i) {
    s0 = fma(s0, m, a); s1 = fma(s1, m, a); s2 = fma(s2, m, a); s3 = fma(s3, m, a);
    s4 = fma(s4, m, a); s5 = fma(s5, m, a); s6 = fma(s6, m, a); s7 = fma(s7, m, a);
    s8 = fma(s8, m, a); s9 = fma(s9, m, a); sa = fma(sa, m, a); sb = fma(sb, m, a);
  }
  PUT(y, GLOBAL_ID, s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + sa + sb);
}

#if CPU_SHAPE
KERNEL void copy_block(IN(f32, x), OUT(f32, y), const uint chunk) {
  OFFSET(x);
  OFFSET(y);
  const ulong start = (ulong)GLOBAL_ID * chunk;
  for (uint i = 0; i < chunk / 16; ++i) vstore16(vload16(i, x + start), i, y + start);
}
#else
KERNEL void copy_block(IN(f32, x), OUT(f32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE4(y, 4 * (ulong)i, LOAD4(x, 4 * (ulong)i));
}
#endif
)";

template <typename Work>
double best_seconds(const Device& device, Work work) {
  double best = 1e9;
  for (int i = 0; i < 8; ++i) {
    device.synchronize();
    const auto start = std::chrono::steady_clock::now();
    work();
    device.synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

Limits measure(const Device& device) {
  const bool cpu = device.info().is_cpu();
  const Spec spec = Spec().set("CPU_SHAPE", cpu ? 1 : 0);
  const Kernel fma_rate = device.compile("bench_roofs", kRoofs, "fma_rate", spec);
  const Kernel copy = device.compile("bench_roofs", kRoofs, "copy_block", spec);
  Limits limits;

  const std::uint32_t groups = cpu ? device.info().compute_units * 8 : device.info().compute_units * 16;
  const std::uint32_t local = cpu ? 1 : 256;
  const std::uint32_t rounds = cpu ? 1u << 20 : 1u << 14;
  const Buffer out = device.allocate(std::size_t{groups} * local * 64);
  const double lanes = static_cast<double>(groups) * local * (cpu ? 16 : 1);
  const double seconds = best_seconds(device, [&] { fma_rate({{groups}, {local}}, {{out, 0, 4}, rounds, 0.9f}); });
  limits.flops = lanes * rounds * 12 * 2 / seconds;

  const std::size_t floats = std::size_t{1} << 26;  // 256 MiB each way
  const Buffer x = device.allocate(floats * 4);
  const Buffer y = device.allocate(floats * 4);
  x.fill(0, 0, floats * 4);
  y.fill(0, 0, floats * 4);
  const std::uint32_t copy_groups = cpu ? 256 : 4096;
  const double copy_seconds = best_seconds(device, [&] {
    const std::uint32_t work = static_cast<std::uint32_t>(cpu ? floats / copy_groups : floats / 4);
    copy({{copy_groups}, {local}}, {{x, 0, 4}, {y, 0, 4}, work});
  });
  limits.bytes_per_second = 2.0 * static_cast<double>(floats) * 4 / copy_seconds;
  return limits;
}

}  // namespace

const Limits& limits(const Device& device) {
  static std::map<std::string, Limits> known;
  const auto [at, fresh] = known.try_emplace(device.label());
  if (fresh) at->second = measure(device);
  return at->second;
}

double fraction_of_limit(const Limits& limits, double bytes, double flops, double seconds) {
  return std::max(bytes / limits.bytes_per_second, flops / limits.flops) / seconds;
}

}  // namespace portico::bench
