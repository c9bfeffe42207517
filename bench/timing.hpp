// How a benchmark times device work: batches long enough that the wait at their end does not count.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <functional>
#include <string>

#include "limits.hpp"
#include "portico/device.hpp"

namespace portico::bench {

/// Seconds that `calls` calls take, the wait for the device included.
template <typename Call>
double seconds_of(const Device& device, int calls, Call&& call) {
  device.synchronize();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call();
  device.synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// As many calls as take about `target` seconds; warms up on the way.
template <typename Call>
int calls_for(const Device& device, double target, Call&& call) {
  seconds_of(device, 1, call);
  int calls = 1;
  for (;;) {
    const double seconds = seconds_of(device, calls, call);
    if (seconds >= target / 2 || calls >= 1 << 20) return calls;
    calls = seconds <= target / 64 ? calls * 8 : calls * 2;
  }
}

/// Runs `call` in batches and reports its time, `flops`, `bytes_per_second` and `fraction_of_limit`.
inline void time_on_device(benchmark::State& state, const Work& work, const std::function<void()>& call) {
  const Device device = Device::current();
  const int batch = calls_for(device, 0.02, call);
  double total = 0;
  while (state.KeepRunningBatch(batch)) {
    const double seconds = seconds_of(device, batch, call);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  using benchmark::Counter;
  if (work.flops > 0) state.counters["flops"] = Counter(work.flops, Counter::kIsIterationInvariantRate);
  if (work.bytes > 0) state.counters["bytes_per_second"] = Counter(work.bytes, Counter::kIsIterationInvariantRate);
  state.counters["fraction_of_limit"] =
      fraction_of_limit(limits(device), work, total / static_cast<double>(state.iterations()));
}

/// Registers a benchmark whose set-up runs only when it is chosen: `make` returns the call to time.
template <typename Make>
void add(const std::string& name, const Work& work, Make make) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [work, make](benchmark::State& state) {
                                 try {
                                   const std::function<void()> call = make();
                                   time_on_device(state, work, call);
                                 } catch (const Error& error) {
                                   state.SkipWithError(error.what());
                                 }
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace portico::bench
