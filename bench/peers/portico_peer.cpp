// Portico's side of the comparisons in peers.py: sets up one workload and runs it as often as it is told, so that both
// sides can be timed alternately. Commands on the standard input, one answer line each:
//
//   device                                       name of the device
//   train MODEL BATCH                            "ok"
//   conv KIND N C H W K R S STRIDE PAD           "ok"; KIND is forward, input_gradient or weight_gradient
//   run COUNT                                    seconds for COUNT calls, the wait for the device included
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "conv_calls.hpp"
#include "models.hpp"
#include "timing.hpp"

namespace {

using namespace portico::bench;

std::function<void()> set_up(const std::string& what, std::istringstream& words) {
  if (what == "train") {
    std::string model;
    std::int64_t batch = 0;
    words >> model >> batch;
    const auto step = std::make_shared<TrainStep>(model, batch);
    return [step] { (*step)(); };
  }
  std::string kind;
  Conv c{};
  words >> kind >> c.n >> c.c >> c.h >> c.w >> c.k >> c.r >> c.s >> c.stride >> c.pad;
  return kind == "forward" ? conv_forward(c) : conv_gradient(c, kind == "input_gradient");
}

}  // namespace

int main() try {
  const portico::Device device = portico::Device::current();
  std::function<void()> call;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "device") {
      std::printf("%s %s\n", device.label().c_str(), std::string(device.name()).c_str());
    } else if (what == "run") {
      int count = 0;
      words >> count;
      std::printf("%.9f\n", seconds_of(device, count, call));
    } else {
      call = {};
      call = set_up(what, words);
      std::printf("ok\n");
    }
    std::fflush(stdout);
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
