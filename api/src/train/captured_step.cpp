#include "captured_step.hpp"

namespace portico::train {

Tensor CapturedStep::run(bool fixed, const std::function<Tensor()>& step) {
  if (!fixed || !wants_fixed_tensors()) return step();
  if (!graph_) {
    if (eager_steps_++ < kEagerSteps) return step();
    try {
      graph_ = Graph::record([&] { loss_ = step(); });
    } catch (const Error& error) {
      // Memory of its own, or an operation that no graph can hold: the loop goes on as it would without graphs.
      const bool expected = error.code() == ErrorCode::unsupported || error.code() == ErrorCode::out_of_memory;
      if (!expected || wanted_ == Capture::on) throw;
      loss_ = {};
      note_ = error.what();
      return step();
    }
  }
  graph_.replay();
  ++replayed_;
  return loss_;
}

}  // namespace portico::train
