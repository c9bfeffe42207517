// Matrix products, alone and against OpenBLAS and CLBlast. `versus/openblas/...` times both sides alternately in one
// loop and prints the ratio of the medians: that row is the one to quote.
#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "clblast.hpp"
#include "product.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void versus(benchmark::State& state, const Product& p) {
  std::function<void()> theirs;
  try {
    theirs = openblas_product(p);
  } catch (const Error& error) {
    return state.SkipWithError(error.what());
  }
  const Device device = Device::current();
  const auto ours = portico_product(p);
  const int our_calls = calls_for(device, 0.05, ours), their_calls = calls_for(device, 0.05, theirs);

  std::vector<double> our_times, their_times;
  for (auto _ : state) {
    for (int round = 0; round < 9; ++round) {
      our_times.push_back(seconds_of(device, our_calls, ours) / our_calls);
      their_times.push_back(seconds_of(device, their_calls, theirs) / their_calls);
      // OpenBLAS's threads spin for some 30 ms after a call and would take a core from the next round.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    state.SetIterationTime(median(our_times));
  }
  const double ours_median = median(our_times), theirs_median = median(their_times);
  state.counters["portico_gflops"] = p.work().flops / ours_median / 1e9;
  state.counters["openblas_gflops"] = p.work().flops / theirs_median / 1e9;
  state.counters["ratio"] = theirs_median / ours_median;
  state.counters["fraction_of_limit"] = fraction_of_limit(limits(device), p.work(), ours_median);
}

constexpr std::array<std::array<std::int64_t, 3>, 8> kShapes = {{{1024, 1024, 1024},
                                                                 {2048, 2048, 2048},
                                                                 {512, 4096, 1024},
                                                                 {1760, 64, 1760},
                                                                 {5124, 700, 2048},
                                                                 {35, 700, 2048},
                                                                 {64, 128, 3136},
                                                                 {128, 10, 784}}};

}  // namespace

void add_gemm() {
  for (const auto& [m, n, k] : kShapes)
    for (const auto& [trans_a, trans_b] : {std::pair{false, false}, {false, true}, {true, false}}) {
      const Product p{m, n, k, trans_a, trans_b};
      add("gemm/f32/" + p.name(), p.work(), [p]() -> std::function<void()> { return portico_product(p); });
      add("peer/openblas/gemm/f32/" + p.name(), p.work(),
          [p]() -> std::function<void()> { return openblas_product(p); });
      add("peer/clblast/gemm/f32/" + p.name(), p.work(),
          [p]() -> std::function<void()> { return clblast_product(p.m, p.n, p.k, p.trans_a, p.trans_b); });
      benchmark::RegisterBenchmark(("versus/openblas/gemm/f32/" + p.name()).c_str(),
                                   [p](benchmark::State& state) { versus(state, p); })
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kMicrosecond);
    }
}

}  // namespace portico::bench
