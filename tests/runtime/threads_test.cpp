// Any thread may call: one device, one kernel, many threads.
#include <atomic>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/device.hpp"

namespace portico::test {
namespace {

constexpr const char* kAddOne = R"(
KERNEL void add_one(OUT(f32, y), const uint count) {
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] += 1.0f;
}
)";

// Runs `body(thread)` on eight threads; rethrows nothing: failures are counted.
template <typename Body>
int failures_in_threads(Body body) {
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      try {
        if (!body(t)) ++failures;
      } catch (const std::exception&) {
        ++failures;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return failures;
}

bool count_up(const Device& device, int launches) {
  const Kernel kernel = device.compile("add_one", kAddOne, "add_one", {});
  const Buffer y = device.allocate(4000);
  y.fill(0, 0, 4000);
  for (int i = 0; i < launches; ++i) kernel({.groups = {2}, .local = {1}}, {{y, 0, 4}, 1000u});
  std::vector<float> values(1000);
  y.read(0, std::as_writable_bytes(std::span(values)));
  for (const float value : values)
    if (value != static_cast<float>(launches)) return false;
  return true;
}

}  // namespace

TEST_CASE("threads share a device's default stream", "[threads]") {
  const Device device = Device::current();
  CHECK(failures_in_threads([&](int t) { return count_up(device, 20 + t); }) == 0);
}

TEST_CASE("threads with streams of their own", "[threads]") {
  const Device device = Device::current();
  CHECK(failures_in_threads([&](int t) {
          const Stream stream = device.create_stream();
          const StreamGuard guard(stream);
          return count_up(device, 20 + t);
        }) == 0);
}

TEST_CASE("threads that want one kernel at the same time all get it", "[threads]") {
  const Device device = Device::current();
  CHECK(failures_in_threads([&](int) {
          for (int spec = 0; spec < 3; ++spec)
            if (!device.compile("raced", kAddOne, "add_one", Spec().set("VARIANT", spec))) return false;
          return true;
        }) == 0);
}

TEST_CASE("threads that want one broken kernel all get the log", "[threads]") {
  const Device device = Device::current();
  CHECK(failures_in_threads([&](int) {
          try {
            device.compile("broken", "KERNEL void broken(OUT(f32, y)) { nonsense }", "broken", {});
          } catch (const Error& error) {
            return error.code() == ErrorCode::compile_failed;
          }
          return false;
        }) == 0);
}

}  // namespace portico::test
