// What the tuners of products and convolutions share: a race of choices against the rules.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "portico/autograd.hpp"
#include "portico/device.hpp"
#include "runtime/tuning/table.hpp"

namespace portico::detail {

using TuneClock = std::chrono::steady_clock;

/// `call` by the rules and by a choice, alternately.
template <typename Choice>
class Race {
 public:
  Race(const Device& device, std::function<void()> call) : device_(device), call_(std::move(call)) {
    run({}, 1);
    const double once = run({}, 1);
    calls_ = static_cast<int>(std::clamp(0.004 / std::max(once, 1e-7), 1.0, 2000.0));
  }

  /// Time of the rules over that of `choice`: the lower quartile of alternating samples, so that luck is no gain.
  double gain(const Choice& choice, int samples) {
    run(choice, 1);  // compiles
    std::vector<double> ratios;
    for (int i = 0; i < samples; ++i) {
      const double rules = run({}, calls_), tried = run(choice, calls_);
      ratios.push_back(rules / tried);
    }
    std::nth_element(ratios.begin(), ratios.begin() + samples / 4, ratios.end());
    return ratios[static_cast<std::size_t>(samples / 4)];
  }

 private:
  double run(const Choice& choice, int calls) {
    const ForcedChoice<Choice> forced(choice);
    const NoGrad guard;
    device_.synchronize();
    const auto start = TuneClock::now();
    for (int i = 0; i < calls; ++i) call_();
    device_.synchronize();
    return std::chrono::duration<double>(TuneClock::now() - start).count();
  }

  Device device_;
  std::function<void()> call_;
  int calls_ = 1;
};

constexpr double kWorthTuning = 1.03;

/// One class of shapes that is measured: its name, and what does it and keeps the result. Past `end` it looks at
/// nothing new; true when something beats the rules.
struct TuneJob {
  std::string name;
  std::function<bool(TunedChoices& choices, TuneClock::time_point end)> measure;
};
std::vector<TuneJob> gemm_jobs(const Device& device);
std::vector<TuneJob> conv_jobs(const Device& device);

/// Replaces what is known of the entry's class.
template <typename Entry>
bool keep(std::vector<Entry>& entries, const Entry& entry) {
  std::erase_if(entries, [&](const Entry& old) { return old.shape == entry.shape; });
  entries.push_back(entry);
  return !entry.choice.by_rule();
}

}  // namespace portico::detail
