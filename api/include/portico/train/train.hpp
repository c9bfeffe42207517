// The training loop, evaluation and prediction for classifiers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "portico/data/dataset.hpp"
#include "portico/nn/module.hpp"
#include "portico/optim/optimizer.hpp"

namespace portico::train {

struct EpochReport {
  int epoch = 0;  ///< from 1
  int epochs = 0;
  double loss = 0;            ///< mean over the epoch's examples
  double test_accuracy = -1;  ///< in [0, 1]; -1 when there is no test set
  double seconds = 0;         ///< training alone
  std::int64_t examples = 0;
};

/// Whether fit() records a step once and replays it (graph.hpp).
enum class Capture {
  off,
  automatic,  ///< where it can be recorded; else as off, and FitResult says why not
  on,         ///< an `Error{unsupported}` where it cannot
};

struct FitOptions {
  int epochs = 1;
  /// Replays give the same numbers and cost the host a fraction. They do not run the model's code: a model whose
  /// forward() decides anew each step by something on the host (not by its tensors, nor by dropout's random numbers)
  /// wants `off`. Every epoch records anew, so what the callbacks change between epochs counts; within one only the
  /// learning rate does. Batches smaller than the others are not replayed.
  Capture capture = Capture::automatic;
  /// After every epoch.
  std::function<void(const EpochReport&)> on_epoch;
  /// A few times a second within an epoch: step, steps, mean loss of the steps since the last call.
  std::function<void(int epoch, std::int64_t step, std::int64_t steps, double loss)> on_progress;
  /// Asked between steps; true ends the run cleanly after the current step.
  std::function<bool()> should_stop;
  /// For a loss that is no finite number: said once, with the epoch and the step (from 1) of its first appearance.
  /// Without it, fit throws `Error{invalid_argument}` naming both at the next look at the loss, a second later at most.
  std::function<void(int epoch, std::int64_t step)> on_nan;
  /// The learning rate as a factor of the one the optimizer came with, by the share of the run that is done, in [0, 1).
  /// The optimizer's own rate is set again at the end.
  std::function<float(double done)> lr_factor;
};

struct FitResult {
  std::vector<EpochReport> epochs;
  bool stopped = false;  ///< should_stop said so
  double seconds = 0;    ///< training alone, all epochs
  std::int64_t examples = 0;
  std::int64_t steps = 0;
  std::int64_t replayed_steps = 0;  ///< of those, by replay of a recorded one
  std::string capture_note;         ///< with Capture::automatic: why the step could not be recorded, if so
};

/// Minimises the cross-entropy. `test` may be null. The loss is read from the device only for reports, and the host
/// runs at most a few steps ahead, so that steps overlap and should_stop still acts at once. Throws
/// `Error{invalid_argument}` when an epoch has no batch.
PORTICO_API FitResult fit(nn::Module& model, optim::Optimizer& optimizer, data::Loader& train, data::Loader* test,
                          const FitOptions& options = {});

struct Evaluation {
  double loss = 0;  ///< mean over the examples
  double accuracy = 0;
  std::int64_t examples = 0;
};

/// Without gradients and with the model in eval mode, restored afterwards.
PORTICO_API Evaluation evaluate(nn::Module& model, data::Loader& data);

/// Class probabilities [n, classes] of images, without gradients and in eval mode, restored afterwards.
PORTICO_API Tensor predict(nn::Module& model, const Tensor& images);

}  // namespace portico::train
