// Matrix products, alone and against OpenBLAS and CLBlast. `versus/openblas/...` times both sides alternately in one
// loop and prints the ratio of the medians: that row is the one to quote.
#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "blas.hpp"
#include "clblast.hpp"
#include "portico/portico.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

struct Product {
  std::int64_t m, n, k;
  bool trans_a, trans_b;

  std::string name() const {
    return std::string(trans_a ? "T" : "N") + (trans_b ? "T" : "N") + "/m:" + std::to_string(m) +
           "/n:" + std::to_string(n) + "/k:" + std::to_string(k);
  }
  Work work() const {
    const double md = static_cast<double>(m), nd = static_cast<double>(n), kd = static_cast<double>(k);
    return {.bytes = 4 * (md * kd + kd * nd + md * nd), .flops = 2 * md * nd * kd};
  }
};

struct Host {
  explicit Host(const Product& p)
      : a(static_cast<std::size_t>(p.m * p.k), 0.5f),
        b(static_cast<std::size_t>(p.k * p.n), 0.25f),
        c(static_cast<std::size_t>(p.m * p.n)) {}
  std::vector<float> a, b, c;
};

void blas_product(Sgemm sgemm, const Product& p, Host& host) {
  const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  sgemm(kRowMajor, p.trans_a ? kTransposed : kPlain, p.trans_b ? kTransposed : kPlain, m, n, k, 1.0f, host.a.data(),
        p.trans_a ? m : k, host.b.data(), p.trans_b ? k : n, 0.0f, host.c.data(), n);
}

std::function<void()> portico_product(const Product& p) {
  const Tensor a = Tensor::uniform(p.trans_a ? Shape{p.k, p.m} : Shape{p.m, p.k}, -1.0f, 1.0f);
  const Tensor b = Tensor::uniform(p.trans_b ? Shape{p.n, p.k} : Shape{p.k, p.n}, -1.0f, 1.0f);
  return [a, b, p] { matmul(a, b, {.trans_a = p.trans_a, .trans_b = p.trans_b}); };
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void versus(benchmark::State& state, const Product& p) {
  std::string reason;
  const Sgemm sgemm = open_blas(reason);
  if (sgemm == nullptr) return state.SkipWithError(reason.c_str());
  const Device device = Device::current();
  Host host(p);
  const auto ours = portico_product(p);
  const auto theirs = [&] { blas_product(sgemm, p, host); };
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
  state.counters["fraction_of_limit"] = fraction_of_limit(limits(device), p.work().bytes, p.work().flops, ours_median);
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
      add("peer/openblas/gemm/f32/" + p.name(), p.work(), [p]() -> std::function<void()> {
        std::string reason;
        const Sgemm sgemm = open_blas(reason);
        if (sgemm == nullptr) throw Error(ErrorCode::unsupported, reason);
        return [sgemm, p, host = std::make_shared<Host>(p)] { blas_product(sgemm, p, *host); };
      });
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
