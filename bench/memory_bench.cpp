// Limits, copies and transfers.
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "portico/portico.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

constexpr std::int64_t kSizes[] = {1 << 12, 1 << 16, 1 << 20, 1 << 24, 1 << 28};

}  // namespace

void add_limits() {
  // The limits are measured once, before anything else; these rows only show them in the same table.
  benchmark::RegisterBenchmark("limit",
                               [](benchmark::State& state) {
                                 const Limits& roof = limits(Device::current());
                                 for (auto _ : state) state.SetIterationTime(1e-6);
                                 state.counters["bytes_per_second"] = roof.bytes_per_second;
                                 state.counters["flops"] = roof.flops;
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_memory() {
  for (const std::int64_t bytes : kSizes) {
    const std::string size = "bytes:" + std::to_string(bytes);
    const auto count = static_cast<std::size_t>(bytes);
    add("copy/" + size, {.bytes = 2.0 * static_cast<double>(bytes)}, [count]() -> std::function<void()> {
      const Device device = Device::current();
      return [x = device.allocate(count), y = device.allocate(count), count] { y.copy_from(0, x, 0, count); };
    });
    add("transfer/to_device/" + size, {.bytes = static_cast<double>(bytes)}, [count]() -> std::function<void()> {
      const auto host = std::make_shared<std::vector<std::byte>>(count);
      return [x = Device::current().allocate(count), host] { x.write(0, *host); };
    });
    add("transfer/to_host/" + size, {.bytes = static_cast<double>(bytes)}, [count]() -> std::function<void()> {
      const auto host = std::make_shared<std::vector<std::byte>>(count);
      return [x = Device::current().allocate(count), host] { x.read(0, *host); };
    });
  }
  // PORTICO_POOL=driver makes it the driver's pool.
  const char* const pool = std::getenv("PORTICO_POOL");
  const std::string whose = pool && std::string_view(pool) == "driver" ? "driver" : "pooled";
  add("allocate/" + whose + "/bytes:1048576", {}, []() -> std::function<void()> {
    return [device = Device::current()] { benchmark::DoNotOptimize(device.allocate(1 << 20)); };
  });
}

}  // namespace portico::bench
