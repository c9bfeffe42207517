// Host time of a training step, recorded and replayed, beside the same step called eagerly.
//
// Host time is from the call until it returns with the device idle before it: how long the program's thread is busy
// before it can do something else. The device's work is not in it, nor what other threads do. The two are timed
// alternately; each row's time is the replay's median, and the counters give the eager median and the ratio of the two.
#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "models.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

template <typename Call>
double host_seconds(const Device& device, Call&& call) {
  device.synchronize();
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void compare(benchmark::State& state, const char* model, std::int64_t batch) {
  constexpr int kPairs = 200;
  const Device device = Device::current();
  TrainStep eager(model, batch), recorded(model, batch);
  eager();  // compiles
  recorded();
  const Graph graph = Graph::record([&] { recorded(); });
  graph.replay();
  std::vector<double> eager_times, replay_times;
  while (state.KeepRunningBatch(kPairs)) {
    double sum = 0;
    for (int i = 0; i < kPairs; ++i) {
      eager_times.push_back(host_seconds(device, eager));
      replay_times.push_back(host_seconds(device, [&] { graph.replay(); }));
      sum += replay_times.back();
    }
    state.SetIterationTime(sum);
  }
  const double step = median(eager_times), replay = median(replay_times);
  state.counters["eager_us"] = step * 1e6;
  state.counters["replay_us"] = replay * 1e6;
  state.counters["replay_to_eager"] = replay / step;
  state.counters["launches"] = static_cast<double>(graph.info().launches);
}

}  // namespace

void add_capture() {
  const auto add_row = [](const char* model, std::int64_t batch) {
    const std::string name = std::string("capture/") + model + "/batch:" + std::to_string(batch);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) {
                                   try {
                                     compare(state, model, batch);
                                   } catch (const Error& error) {
                                     state.SkipWithError(error.what());
                                   }
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  add_row("mlp", 16);
  add_row("cnn", 64);
}

}  // namespace portico::bench
