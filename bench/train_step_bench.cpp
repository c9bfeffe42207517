// Whole training steps: forward, loss, backward, Adam.
#include "models.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {

void add_train_step() {
  for (const char* model : {"cnn", "mlp"})
    for (const std::int64_t batch : {64, 256})
      add(std::string("train_step/") + model + "/batch:" + std::to_string(batch), {}, [=]() -> std::function<void()> {
        const auto step = std::make_shared<TrainStep>(model, batch);
        return [step] { (*step)(); };
      });
}

}  // namespace portico::bench
