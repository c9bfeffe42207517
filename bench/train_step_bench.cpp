// Whole training steps: forward, loss, backward, Adam.
#include "models.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {

namespace {

// The pool's high-water mark in one step of the CNN, sizes as the pool rounds them, over what the step cannot do
// without: parameters, gradients, Adam's two moments, and for each image what gradients are computed from: the image,
// both pooled layers as floats with a byte for the winner's place, the hidden layer, the probabilities.
void add_peak(std::int64_t batch) {
  constexpr double kParameters = 9 * 32 + 32 + 9 * 32 * 64 + 64 + 3136 * 128 + 128 + 128 * 10 + 10;
  constexpr double kPerImage = 4 * 784 + 5 * (32 * 196 + 64 * 49) + 4 * (128 + 10);
  benchmark::RegisterBenchmark(("peak_memory/cnn/batch:" + std::to_string(batch)).c_str(),
                               [batch](benchmark::State& state) {
                                 const Device device = Device::current();
                                 const std::uint64_t before = device.memory().in_use;
                                 TrainStep step("cnn", batch);
                                 step();
                                 device.reset_peak();
                                 while (state.KeepRunningBatch(1)) {
                                   state.SetIterationTime(seconds_of(device, 1, step));
                                 }
                                 const double peak = static_cast<double>(device.memory().peak - before);
                                 const double needed = 4 * 4 * kParameters + static_cast<double>(batch) * kPerImage;
                                 state.counters["peak_bytes"] = peak;
                                 state.counters["needed_bytes"] = needed;
                                 state.counters["peak_to_needed"] = peak / needed;
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void add_train_step() {
  for (const char* model : {"cnn", "mlp"})
    for (const std::int64_t batch : {64, 256})
      add(std::string("train_step/") + model + "/batch:" + std::to_string(batch), {}, [=]() -> std::function<void()> {
        const auto step = std::make_shared<TrainStep>(model, batch);
        return [step] { (*step)(); };
      });
  for (const std::int64_t batch : {64, 256}) add_peak(batch);
}

}  // namespace portico::bench
