// Host time of a training step, recorded and replayed, beside the same step called eagerly.
//
// Host time is from the call until it returns with the device idle before it: how long the program's thread is busy
// before it can do something else. The device's work is not in it, nor what other threads do, OpenCL's replays being
// queued by one of the plugin's. So that this hides nothing, the processor time of all threads until the device is done
// is counted too: on a processor as a device that is mostly the step's own arithmetic.
//
// The two are timed alternately; each row's time is the replay's median, and the counters give the eager median, the
// ratio of the two, and the median processor times.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <vector>

#include "models.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

double processor_seconds() {
  std::timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Times {
  std::vector<double> host, processor;
};

/// Adds the times of one call; returns the host's.
template <typename Call>
double time_call(const Device& device, Times& times, Call&& call) {
  device.synchronize();
  const double before = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  call();
  times.host.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  device.synchronize();
  times.processor.push_back(processor_seconds() - before);
  return times.host.back();
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
  Times eager_times, replay_times;
  while (state.KeepRunningBatch(kPairs)) {
    double sum = 0;
    for (int i = 0; i < kPairs; ++i) {
      time_call(device, eager_times, eager);
      sum += time_call(device, replay_times, [&] { graph.replay(); });
    }
    state.SetIterationTime(sum);
  }
  const double step = median(eager_times.host), replay = median(replay_times.host);
  state.counters["eager_us"] = step * 1e6;
  state.counters["replay_us"] = replay * 1e6;
  state.counters["replay_to_eager"] = replay / step;
  state.counters["eager_processor_us"] = median(eager_times.processor) * 1e6;
  state.counters["replay_processor_us"] = median(replay_times.processor) * 1e6;
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
