// Does one deed that its first argument names, in a process of its own, so that tests can set variables for it. Prints
// what it found; an Error ends it with its message and code 1.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "portico/portico.hpp"

namespace {

using portico::Buffer;
using portico::Device;
using portico::Spec;

constexpr const char* kScale = R"(
KERNEL void scale(IN(f32, x), OUT(f32, y), const uint count, const float factor) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] = x[i] * factor * SCALE;
}
)";

void scale(const Device& device, int spec) {
  const std::vector<float> host = {1, 2, 3, 4, 5};
  const Buffer x = device.allocate(20);
  const Buffer y = device.allocate(20);
  x.write(0, std::as_bytes(std::span(host)));
  device.compile("probe_scale", kScale, "scale", Spec().set("SCALE", spec))({.groups = {1}, .local = {1}},
                                                                            {{x, 0, 4}, {y, 0, 4}, 5u, 2.0f});
  std::vector<float> result(5);
  y.read(0, std::as_writable_bytes(std::span(result)));
  for (const float value : result) std::printf("%g ", value);
  std::printf("\n");
}

// The libraries that are mapped into this process, by the part of the name that matters here.
void maps() {
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);)
    for (const char* name :
         {"libcuda.so", "libnvrtc", "libcublas", "libamdhip64", "libhiprtc", "librocblas", "libOpenCL"})
      if (line.find(name) != std::string::npos) std::printf("%s\n", name);
}

int run(const std::string& deed, const std::vector<std::string>& args) {
  if (deed == "device") {
    const Device device = Device::current();
    std::printf("%s %s\n", device.label().c_str(), std::string(device.name()).c_str());
  } else if (deed == "precision") {
    std::printf("%d\n", static_cast<int>(portico::float32_precision()));
  } else if (deed == "open") {
    std::printf("%s\n", Device::open(args.at(0)).label().c_str());
  } else if (deed == "survey") {
    for (const auto& report : Device::survey())
      std::printf("%s %d %s\n", report.name.c_str(), report.usable, report.reason.c_str());
  } else if (deed == "scale") {
    scale(Device::current(), args.empty() ? 1 : std::stoi(args[0]));
  } else if (deed == "cache") {
    const portico::CacheInfo info = portico::cache_info();
    std::printf("%d %s %s\n", info.enabled, info.path.c_str(), info.reason.c_str());
  } else if (deed == "allocate") {
    const Device device = Device::current();
    std::vector<Buffer> kept;
    for (const std::string& bytes : args) kept.push_back(device.allocate(std::stoull(bytes)));
    std::printf("in use %llu\n", static_cast<unsigned long long>(device.memory().in_use));
  } else if (deed == "overrun") {
    const Device device = Device::current();
    const Buffer y = device.allocate(16);
    device.compile("probe_overrun", "KERNEL void overrun(OUT(f32, y)) { OFFSET(y); y[4] = 1.0f; }", "overrun", {})(
        {}, {{y, 0, 4}});
    device.synchronize();
  } else if (deed == "replay") {
    const portico::Tensor x = portico::Tensor::full({8}, 1.0f);
    const portico::Graph graph = portico::Graph::record([&] { x.copy_from(x + x); });
    graph.replay();
    graph.replay();
    std::printf("%g\n", x.to_vector()[0]);
  } else if (deed == "maps") {
    scale(Device::current(), 1);
    maps();
  } else {
    std::fprintf(stderr, "probe: unknown deed %s\n", deed.c_str());
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  return run(argc > 1 ? argv[1] : "", {argv + std::min(argc, 2), argv + argc});
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
