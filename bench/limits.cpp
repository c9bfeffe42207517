#include "limits.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

namespace portico::bench {
namespace {

// One text, two shapes: a CPU takes sixteen lanes a work-item, a GPU one. Twelve independent sums hide the latency of
// fma.
constexpr const char* kRoofs = R"(
#if HALF
typedef half word;
#else
typedef float word;
#endif
#if CPU_SHAPE
#if HALF
typedef half16 lanes;
#else
typedef float16 lanes;
#endif
#define PUT(y, i, v) vstore16((v), (i), (y))
#else
typedef word lanes;
#define PUT(y, i, v) ((y)[i] = (v))
#endif

KERNEL void fma_rate(OUT(word, y), const uint rounds, const float start) {
  OFFSET(y);
  const word seed = (word)start, one = (word)1.0f, half_of_it = (word)0.5f;
  lanes s0 = seed, s1 = s0 + one, s2 = s1 + one, s3 = s2 + one, s4 = s3 + one, s5 = s4 + one;
  lanes s6 = s5 + one, s7 = s6 + one, s8 = s7 + one, s9 = s8 + one, sa = s9 + one, sb = sa + one;
  const lanes m = seed * half_of_it;
  const lanes a = m * half_of_it;
  for (uint i = 0; i < rounds; ++i) {
    s0 = fma(s0, m, a); s1 = fma(s1, m, a); s2 = fma(s2, m, a); s3 = fma(s3, m, a);
    s4 = fma(s4, m, a); s5 = fma(s5, m, a); s6 = fma(s6, m, a); s7 = fma(s7, m, a);
    s8 = fma(s8, m, a); s9 = fma(s9, m, a); sa = fma(sa, m, a); sb = fma(sb, m, a);
  }
  PUT(y, GLOBAL_ID, s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + sa + sb);
}
)";

// A processor's roof is the copy that writes past its caches: an ordinary store reads the line first, a third more
// traffic.
constexpr const char* kStreams = R"(
#if CPU_SHAPE
#if defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define PUT16(v, i, y) __builtin_nontemporal_store((v), (GLOBAL float16*)(y) + (i))
#endif
#endif
#ifndef PUT16
#define PUT16(v, i, y) vstore16((v), (i), (y))
#endif
KERNEL void copy_block(IN(f32, x), OUT(f32, y), const uint chunk) {
  OFFSET(x);
  OFFSET(y);
  const ulong start = (ulong)GLOBAL_ID * chunk;
  for (uint i = 0; i < chunk / 16; ++i) PUT16(vload16(i, x + start), i, y + start);
}
KERNEL void triad_block(IN(f32, x), IN(f32, z), OUT(f32, y), const uint chunk, const float s) {
  OFFSET(x);
  OFFSET(z);
  OFFSET(y);
  const ulong start = (ulong)GLOBAL_ID * chunk;
  for (uint i = 0; i < chunk / 16; ++i)
    PUT16(fma((float16)s, vload16(i, z + start), vload16(i, x + start)), i, y + start);
}
#else
KERNEL void copy_block(IN(f32, x), OUT(f32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE4(y, 4 * (ulong)i, LOAD4(x, 4 * (ulong)i));
}
KERNEL void triad_block(IN(f32, x), IN(f32, z), OUT(f32, y), const uint count, const float s) {
  OFFSET(x);
  OFFSET(z);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < 4 * count; i += GLOBAL_SIZE) y[i] = fma(s, z[i], x[i]);
}
#endif
)";

// 256 MiB a block, less where three of them would be most of the memory.
std::size_t block_floats(const Device& device) {
  const std::uint64_t limit = device.memory().limit, total = device.info().memory_bytes;
  const std::uint64_t usable = limit > 0 ? std::min(limit, total) : total;
  std::size_t floats = std::size_t{1} << 26;
  while (floats > 1 << 16 && 3 * 4 * floats > usable / 2) floats /= 2;
  return floats;
}

Spec shape_of(const Device& device) { return Spec().set("CPU_SHAPE", device.info().is_cpu() ? 1 : 0); }

Grid stream_grid(const Device& device) {
  const bool cpu = device.info().is_cpu();
  return {.groups = {cpu ? 256u : 4096u}, .local = {cpu ? 1u : 256u}};
}
std::uint32_t stream_work(const Device& device, std::size_t floats) {
  return static_cast<std::uint32_t>(device.info().is_cpu() ? floats / 256 : floats / 4);
}

Buffer zeros(const Device& device, std::size_t bytes) {
  const Buffer made = device.allocate(bytes);
  made.fill(0, 0, bytes);
  return made;
}

Roof fma_roof(const Device& device, bool half) {
  const bool cpu = device.info().is_cpu();
  const std::uint32_t groups = device.info().compute_units * (cpu ? 8 : 16), local = cpu ? 1 : 256;
  const std::uint32_t rounds = cpu ? 1u << 18 : 1u << 14;
  const double flops = static_cast<double>(groups) * local * (cpu ? 16 : 1) * rounds * 12 * 2;
  return {.name = half ? "fma_f16" : "fma_f32",
          .work = {.flops = half ? 0 : flops},
          .make = [=](const Device& on) -> std::function<void()> {
            // The dialect's own word for half arithmetic is not needed: only OpenCL devices say that they have fp16.
            const std::string text =
                std::string(half ? "#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n" : "") + kRoofs;
            const Kernel kernel = on.compile("bench_roofs", text, "fma_rate", shape_of(on).set("HALF", half ? 1 : 0));
            return [kernel, out = on.allocate(std::size_t{groups} * local * 64), groups, local, rounds, half] {
              kernel({{groups}, {local}}, {{out, 0, half ? 2u : 4u}, rounds, 0.9f});
            };
          },
          .limit = half ? &Limits::flops_f16 : &Limits::flops,
          .amount = flops};
}

Roof stream_roof(const Device& device, bool triad) {
  const std::size_t floats = block_floats(device);
  const double bytes = (triad ? 3.0 : 2.0) * static_cast<double>(floats) * 4;
  return {.name = triad ? "triad" : "copy",
          .work = {.bytes = bytes},
          .make = [=](const Device& on) -> std::function<void()> {
            const Kernel kernel =
                on.compile("bench_streams", kStreams, triad ? "triad_block" : "copy_block", shape_of(on));
            const Buffer x = zeros(on, floats * 4), y = zeros(on, floats * 4);
            const Grid grid = stream_grid(on);
            const std::uint32_t work = stream_work(on, floats);
            if (!triad) return [=] { kernel(grid, {{x, 0, 4}, {y, 0, 4}, work}); };
            return [=, z = zeros(on, floats * 4)] { kernel(grid, {{x, 0, 4}, {z, 0, 4}, {y, 0, 4}, work, 0.5f}); };
          },
          .limit = triad ? &Limits::triad : &Limits::bytes_per_second,
          .amount = bytes};
}

Roof transfer_roof(const Device& device, bool to_device) {
  const std::size_t bytes = block_floats(device);  // a quarter of a block
  return {.name = to_device ? "to_device" : "to_host",
          .work = {.host_bytes = static_cast<double>(bytes)},
          .make = [=](const Device& on) -> std::function<void()> {
            const auto host = std::make_shared<std::vector<std::byte>>(bytes);
            const Buffer block = zeros(on, bytes);
            if (to_device) return [=] { block.write(0, *host); };
            return [=] { block.read(0, *host); };
          },
          .limit = to_device ? &Limits::to_device : &Limits::to_host,
          .amount = static_cast<double>(bytes)};
}

Roof launch_roof() {
  return {.name = "launch",
          .work = {.bytes = 4},
          .waits = false,
          .make = [](const Device& on) -> std::function<void()> {
            const Kernel kernel =
                on.compile("bench_empty", "KERNEL void empty(OUT(f32, y)) { OFFSET(y); y[0] = 1.0f; }", "empty", {});
            return [kernel, y = on.allocate(256)] { kernel({}, {{y, 0, 4}}); };
          },
          .limit = &Limits::launch_seconds,
          .amount = 0};
}

double best_seconds(const Device& device, const Roof& roof) {
  const std::function<void()> call = roof.make(device);
  const int calls = roof.waits ? 1 : 1000;
  double best = 1e9;
  for (int i = 0; i < 6; ++i) {
    device.synchronize();
    const auto start = std::chrono::steady_clock::now();
    for (int j = 0; j < calls; ++j) call();
    device.synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls);
  }
  return best;
}

Limits measure(const Device& device) {
  Limits limits;
  for (const Roof& roof : roofs(device)) {
    const double seconds = best_seconds(device, roof);
    limits.*roof.limit = roof.amount > 0 ? roof.amount / seconds : seconds;
  }
  device.empty_cache();
  return limits;
}

}  // namespace

std::vector<Roof> roofs(const Device& device) {
  std::vector<Roof> all = {stream_roof(device, false),  stream_roof(device, true),    fma_roof(device, false),
                           transfer_roof(device, true), transfer_roof(device, false), launch_roof()};
  const auto features = device.info().features();
  const bool half = std::find(features.begin(), features.end(), "fp16") != features.end();
  if (half && device.backend() == "opencl") all.push_back(fma_roof(device, true));
  return all;
}

const Limits& limits(const Device& device) {
  static std::map<std::string, Limits> known;
  const auto [at, fresh] = known.try_emplace(device.label());
  if (fresh) at->second = measure(device);
  return at->second;
}

double fraction_of_limit(const Limits& limits, const Work& work, double seconds) {
  const double slower_way = std::min(limits.to_device, limits.to_host);
  return std::max({work.bytes / limits.bytes_per_second, work.flops / limits.flops, work.host_bytes / slower_way}) /
         seconds;
}

}  // namespace portico::bench
