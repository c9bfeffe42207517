#include "backends/cuda_hip/trials.hpp"

#include <cstdlib>
#include <limits>
#include <string_view>

#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {
namespace {

constexpr int kRounds = 3;
constexpr float kBudgetMilliseconds = 200.0f;

// Device time between two points of a stream.
class Stopwatch {
 public:
  explicit Stopwatch(vendor::Stream stream) : stream_(stream) {
    check(vendor::event_create(&start_), "creating an event");
    if (const vendor::Result code = vendor::event_create(&stop_); code != vendor::kOk) {
      vendor::event_destroy(start_);
      fail_with(code, "creating an event");
    }
  }
  ~Stopwatch() {
    vendor::event_destroy(start_);
    vendor::event_destroy(stop_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  void start() { check(vendor::event_record(start_, stream_), "timing an algorithm"); }
  float stop() {
    float milliseconds = 0;
    check(vendor::event_record(stop_, stream_), "timing an algorithm");
    check(vendor::event_synchronize(stop_), "timing an algorithm");
    check(vendor::event_elapsed(&milliseconds, start_, stop_), "timing an algorithm");
    return milliseconds;
  }

 private:
  vendor::Stream stream_;
  vendor::Event start_{}, stop_{};
};

}  // namespace

bool measuring_allowed() {
  static const bool allowed = [] {
    const char* value = std::getenv("PORTICO_MEASURE");
    return !value || std::string_view(value) != "0";
  }();
  return allowed;
}

std::size_t fastest(vendor::Stream stream, std::size_t count, const std::function<bool(std::size_t)>& run) {
  Stopwatch watch(stream);
  std::size_t best = 0;
  float best_time = std::numeric_limits<float>::infinity(), spent = 0;
  for (std::size_t i = 0; i < count && spent < kBudgetMilliseconds; ++i) {
    if (!run(i)) continue;  // and not timed: it is cold
    bool ran = true;
    watch.start();
    for (int round = 0; round < kRounds && ran; ++round) ran = run(i);
    const float time = watch.stop();
    spent += time * (kRounds + 1) / kRounds;
    // The library's own order decides between equals.
    if (ran && time < 0.98f * best_time) {
      best = i;
      best_time = time;
    }
  }
  return best;
}

}  // namespace portico::cuda_hip
