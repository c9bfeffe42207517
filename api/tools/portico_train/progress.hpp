// What a training run shows: a moving bar on a terminal, a plain line an epoch otherwise.
#pragma once

#include <chrono>
#include <cstdint>

#include "portico/train/train.hpp"

namespace portico::tools {

class Progress {
 public:
  Progress();
  bool on_terminal() const { return terminal_; }
  void step(int epoch, int epochs, std::int64_t step, std::int64_t steps, double loss, std::int64_t batch);
  void epoch(const train::EpochReport& report);
  void clear();  ///< wipes the bar, so that a message may follow

 private:
  bool terminal_;
  bool drawn_ = false;
  int epoch_ = 0;
  std::int64_t first_step_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace portico::tools
