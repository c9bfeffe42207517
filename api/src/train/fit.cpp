#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include "captured_step.hpp"
#include "modes.hpp"
#include "portico/ops.hpp"
#include "portico/train/train.hpp"

namespace portico::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The losses of an epoch, one place a step, on the device until somebody looks.
class LossLog {
 public:
  LossLog(std::int64_t steps, const Device& device) : losses_(Tensor::empty({steps}, {.device = device})) {}

  void add(const Tensor& loss) {
    losses_.rows(added_, added_ + 1).copy_from(loss.detach().reshape({1}));
    ++added_;
  }

  /// The losses added since the last look; waits for them.
  std::vector<float> look() {
    if (seen_ == added_) return {};
    std::vector<float> values = losses_.rows(seen_, added_).to_vector();
    seen_ = added_;
    return values;
  }

  std::int64_t added() const { return added_; }

 private:
  Tensor losses_;
  std::int64_t added_ = 0, seen_ = 0;
};

/// Keeps the host at most two times kStride steps ahead of the device: enough that the device never waits, little
/// enough that should_stop and progress tell of now.
class RunAhead {
 public:
  explicit RunAhead(const Device& device) : device_(device) {}
  void step() {
    if (++steps_ % kStride != 0) return;
    if (mark_) mark_->synchronize();
    mark_.emplace(device_.stream());
  }

 private:
  static constexpr std::int64_t kStride = 4;
  Device device_;
  std::int64_t steps_ = 0;
  std::optional<Event> mark_;
};

/// Gives the optimizer its own learning rate back.
class RateGuard {
 public:
  explicit RateGuard(optim::Optimizer& optimizer) : optimizer_(optimizer), rate_(optimizer.lr()) {}
  ~RateGuard() { optimizer_.set_lr(rate_); }
  RateGuard(const RateGuard&) = delete;
  RateGuard& operator=(const RateGuard&) = delete;
  float rate() const { return rate_; }

 private:
  optim::Optimizer& optimizer_;
  float rate_;
};

constexpr double kProgressSeconds = 0.25;
constexpr double kLookSeconds = 1.0;

/// One call of fit.
class Run {
 public:
  Run(nn::Module& model, optim::Optimizer& optimizer, data::Loader& data, const FitOptions& options)
      : model_(model),
        optimizer_(optimizer),
        data_(data),
        options_(options),
        rate_(optimizer),
        ahead_(data.device()),
        captured_(options.capture) {}

  /// False when should_stop ended it.
  bool epoch(int epoch, EpochReport& report, FitResult& result) {
    const ModeGuard mode(model_, true);
    const Clock::time_point start = Clock::now();
    data_.start_epoch(epoch);
    LossLog log(data_.batches(), data_.device());
    Total total;
    std::vector<std::int64_t> sizes;
    Clock::time_point last_look = start;
    bool stopped = false;

    captured_.forget();
    for (data::Batch batch; next(batch);) {
      if ((stopped = options_.should_stop && options_.should_stop())) break;
      step(epoch, log, batch);
      sizes.push_back(batch.labels.count());
      report.examples += sizes.back();
      if (seconds_since(last_look) < (options_.on_progress ? kProgressSeconds : kLookSeconds)) continue;
      const double loss = look(epoch, log, sizes, total);
      if (options_.on_progress) options_.on_progress(epoch, log.added(), data_.batches(), loss);
      last_look = Clock::now();
    }

    const bool unseen = log.added() > total.steps;
    const double loss = look(epoch, log, sizes, total);
    if (unseen && !stopped && options_.on_progress) options_.on_progress(epoch, log.added(), data_.batches(), loss);
    data_.device().stream().synchronize();  // the last step's update belongs to the epoch's time
    report.loss = total.examples > 0 ? total.loss / static_cast<double>(total.examples) : 0.0;
    report.seconds = seconds_since(start);
    result.seconds += report.seconds;
    result.examples += report.examples;
    result.steps += log.added();
    result.replayed_steps = captured_.replayed();
    result.capture_note = captured_.note();
    return !stopped;
  }

 private:
  struct Total {
    double loss = 0;
    std::int64_t examples = 0, steps = 0;
  };

  /// The next batch, of the usual shape in the same tensors every time where the step may be recorded.
  bool next(data::Batch& batch) {
    if (!captured_.wants_fixed_tensors()) return data_.next(batch);
    batch = fixed_;
    if (!data_.refill(batch)) return false;
    if (!fixed_.images.defined()) fixed_ = batch;
    return true;
  }

  void step(int epoch, LossLog& log, const data::Batch& batch) {
    if (options_.lr_factor) {
      const double all = static_cast<double>(data_.batches()) * options_.epochs;
      const double done = static_cast<double>((epoch - 1) * data_.batches() + log.added()) / all;
      optimizer_.set_lr(rate_.rate() * options_.lr_factor(done));
    }
    const bool fixed = fixed_.images.defined() && batch.images.impl() == fixed_.images.impl();
    log.add(captured_.run(fixed, [&] {
      optimizer_.clear_grad();
      const Tensor loss = cross_entropy(model_(batch.images), batch.labels);
      loss.backward();
      optimizer_.step();
      return loss;
    }));
    ahead_.step();
  }

  /// Adds the new losses to the total and returns their mean.
  double look(int epoch, LossLog& log, const std::vector<std::int64_t>& sizes, Total& total) {
    Total part;
    for (const float loss : log.look()) {
      const std::int64_t step = total.steps + part.steps++;
      if (!std::isfinite(loss)) say_nan(epoch, step + 1, loss);
      part.loss += loss * static_cast<double>(sizes[static_cast<std::size_t>(step)]);
      part.examples += sizes[static_cast<std::size_t>(step)];
    }
    total.loss += part.loss;
    total.examples += part.examples;
    total.steps += part.steps;
    return part.examples > 0 ? part.loss / static_cast<double>(part.examples) : 0.0;
  }

  void say_nan(int epoch, std::int64_t step, float loss) {
    if (nan_said_) return;
    nan_said_ = true;
    if (options_.on_nan) return options_.on_nan(epoch, step);
    throw Error(ErrorCode::invalid_argument, "fit: the loss is " + std::string(std::isnan(loss) ? "nan" : "inf") +
                                                 " from epoch " + std::to_string(epoch) + ", step " +
                                                 std::to_string(step) + " on; a lower learning rate may help");
  }

  nn::Module& model_;
  optim::Optimizer& optimizer_;
  data::Loader& data_;
  const FitOptions& options_;
  RateGuard rate_;
  RunAhead ahead_;
  CapturedStep captured_;
  data::Batch fixed_;
  bool nan_said_ = false;
};

}  // namespace

FitResult fit(nn::Module& model, optim::Optimizer& optimizer, data::Loader& train, data::Loader* test,
              const FitOptions& options) {
  if (options.epochs < 0)
    throw Error(ErrorCode::invalid_argument,
                "fit: " + std::to_string(options.epochs) + " epochs, it must be at least 0");
  if (train.batches() == 0)
    throw Error(ErrorCode::invalid_argument,
                "fit: an epoch of the training set has no batch (is it empty, or smaller "
                "than one batch with drop_last?)");
  FitResult result;
  Run run(model, optimizer, train, options);
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochReport report{.epoch = epoch, .epochs = options.epochs};
    if (!run.epoch(epoch, report, result)) {
      result.stopped = true;
      break;
    }
    if (test) report.test_accuracy = evaluate(model, *test).accuracy;
    result.epochs.push_back(report);
    if (options.on_epoch) options.on_epoch(report);
  }
  return result;
}

}  // namespace portico::train
