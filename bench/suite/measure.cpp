#include "suite/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <thread>

#include "sensors/sensors.hpp"

namespace portico::bench {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One contestant that is set up: how a sample of it is taken.
class Runner {
 public:
  Runner(const Workload& workload, const Contestant& contestant, bool flush)
      : device_(contestant.device),
        column_(contestant.column),
        each_call_(workload.timing == Timing::each_call || flush),
        sensor_(open_sensor(device_.info())) {
    const DeviceInfo& info = device_.info();
    const auto features = info.features();
    // On a processor peers are timed by the host's clock, so all are; on a GPU the device's own times are the honest
    // ones.
    events_ = !workload.on_host && !info.is_cpu() && column_.settle == 0 &&
              std::find(features.begin(), features.end(), "timing") != features.end();
    within([&] {
      call_ = column_.make();
      if (flush) flush_ = device_.allocate(kFlushBytes);
    });
  }

  // Seconds of one call, from a sample of `calls`.
  double sample(int calls) {
    double seconds = 0;
    within([&] {
      if (flush_) flush_.fill(0, 0, kFlushBytes);
      device_.synchronize();
      seconds = events_ ? by_events(calls) : by_clock(calls);
    });
    if (column_.settle > 0) std::this_thread::sleep_for(std::chrono::duration<double>(column_.settle));
    return seconds / calls;
  }

  // Until three times in a row lie within 3 %, and as many calls as fill a sample; no longer than a second, but for the
  // first call, which may compile.
  void warm_up(double sample_seconds, Measurement& result) {
    sample(1);
    const double end = now() + 1.0;
    std::vector<double> last;
    calls = 1;
    while (now() < end) {
      const double seconds = sample(calls);
      const double wanted = each_call_ ? 1 : std::clamp(sample_seconds / std::max(seconds, 1e-9), 1.0, 1e5);
      if (wanted > 1.5 * calls) {
        calls = static_cast<int>(std::min(wanted, 16.0 * calls));
        last.clear();
        continue;
      }
      last.push_back(seconds);
      if (last.size() > 3) last.erase(last.begin());
      const auto [low, high] = std::minmax_element(last.begin(), last.end());
      if (last.size() == 3 && *high < 1.03 * *low) {
        result.warm = true;
        break;
      }
    }
    result.calls = calls;
    result.events = events_;
  }

  std::optional<double> joules() const { return sensor_->joules(); }
  std::optional<double> megahertz() const { return sensor_->megahertz(); }

  int calls = 1;

 private:
  static constexpr std::size_t kFlushBytes = std::size_t{1} << 28;

  template <typename Work>
  void within(Work work) {
    const DeviceGuard on(device_);
    const VendorGuard libraries(column_.vendor);
    work();
  }
  double by_clock(int count) {
    const double start = now();
    for (int i = 0; i < count; ++i) {
      call_();
      if (each_call_) device_.synchronize();
    }
    if (!each_call_) device_.synchronize();
    return now() - start;
  }
  double by_events(int count) {
    const Event start(device_.stream());
    for (int i = 0; i < count; ++i) call_();
    const Event end(device_.stream());
    return end.milliseconds_since(start) / 1e3;
  }

  Device device_;
  Column column_;
  bool each_call_, events_ = false;
  Call call_;
  Buffer flush_;
  std::shared_ptr<Sensor> sensor_;
};

// Runs `step`; what it throws becomes the measurement's error. False when it did.
template <typename Step>
bool guarded(Measurement& result, Step step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    result.error = error.what();
    result.device_lost = error.code() == ErrorCode::device_lost;
  } catch (const std::bad_alloc&) {
    result.error = "out of memory: the host has none left";
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return false;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {.q1 = at(0.25), .median = at(0.5), .q3 = at(0.75)};
}

std::vector<Measurement> measure(const Workload& workload, const std::vector<Contestant>& contestants,
                                 const MeasureOptions& options) {
  const std::size_t count = contestants.size();
  std::vector<Measurement> results(count);
  std::vector<std::unique_ptr<Runner>> runners(count);
  for (std::size_t i = 0; i < count && !options.stop(); ++i) {
    const bool ready = guarded(results[i], [&] {
      runners[i] = std::make_unique<Runner>(workload, contestants[i], options.flush_caches);
      runners[i]->warm_up(options.sample, results[i]);
    });
    if (!ready) runners[i].reset();
  }

  std::vector<std::vector<double>> times(count);
  std::vector<double> energy(count), calls(count);
  const double end = now() + options.seconds * static_cast<double>(count);
  for (int round = 0; round < options.most_samples; ++round) {
    if (options.stop() || (round >= options.least_samples && now() > end)) break;
    for (std::size_t i = 0; i < count; ++i) {
      if (runners[i] == nullptr) continue;
      const bool taken = guarded(results[i], [&] {
        const auto before = runners[i]->joules();
        times[i].push_back(runners[i]->sample(runners[i]->calls));
        const auto after = runners[i]->joules();
        if (before && after && *after >= *before) {
          energy[i] += *after - *before;
          calls[i] += runners[i]->calls;
        }
      });
      if (!taken) {
        runners[i].reset();
        times[i].clear();
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    results[i].seconds = spread_of(times[i]);
    results[i].samples = static_cast<int>(times[i].size());
    if (calls[i] > 0) results[i].joules = energy[i] / calls[i];
    if (runners[i] != nullptr) results[i].megahertz = runners[i]->megahertz().value_or(0);
  }
  return results;
}

}  // namespace portico::bench
