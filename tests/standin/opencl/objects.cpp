#include "tests/standin/opencl/objects.hpp"

#include "tests/standin/driver/report.hpp"

namespace portico::standin {

std::vector<std::pair<std::string, std::size_t>> objects_alive() {
  static constexpr const char* kNames[kKinds] = {"contexts", "queues",  "buffers", "mapped buffers", "shared memory",
                                                 "programs", "kernels", "events",  "command buffers"};
  std::vector<std::pair<std::string, std::size_t>> alive;
  for (int kind = 0; kind < kKinds; ++kind) alive.emplace_back(kNames[kind], held[kind].load());
  return alive;
}

}  // namespace portico::standin
