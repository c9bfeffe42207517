// A training step that is recorded once it has settled, and replayed from then on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "portico/graph.hpp"
#include "portico/train/train.hpp"

namespace portico::train {

/// Eager for its first steps, which compile kernels and find the fastest algorithms; then recorded.
class CapturedStep {
 public:
  explicit CapturedStep(Capture wanted) : wanted_(wanted) {}

  /// Whether a batch of the usual shape should come in the same tensors every time.
  bool wants_fixed_tensors() const { return wanted_ != Capture::off && note_.empty(); }

  /// Runs `step`, which returns its loss, or replays it. `fixed`: its batch lies in the tensors of the last fixed one.
  /// Throws what `step` throws; with Capture::on also why it cannot be recorded.
  Tensor run(bool fixed, const std::function<Tensor()>& step);

  /// The next step is recorded anew: somebody may have changed the model (its modes, which parameters are trained).
  void forget() { graph_ = {}; }

  std::int64_t replayed() const { return replayed_; }
  const std::string& note() const { return note_; }  ///< why the step is not recorded, when it could not be

 private:
  static constexpr int kEagerSteps = 2;

  const Capture wanted_;
  int eager_steps_ = 0;
  Graph graph_;
  Tensor loss_;  ///< the graph's
  std::int64_t replayed_ = 0;
  std::string note_;
};

}  // namespace portico::train
