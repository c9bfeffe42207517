// Streams run beside each other: only what the API orders is ordered.
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "library.hpp"

namespace portico::test {
namespace {

std::string order() {
  const char* text = std::getenv("PORTICO_STANDIN_ORDER");
  return text ? text : "eager";
}

}  // namespace

TEST_CASE("an event ties two streams") {
  Functions& cu = on_first();
  const auto first = stream(cu), second = stream(cu);
  const auto x = memory(cu, 1 << 20), y = memory(cu, 1 << 20);
  const auto done = event(cu);
  for (int round = 1; round <= 20; ++round) {
    const float value = static_cast<float>(round);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    REQUIRE(cu.cuMemsetD32Async(x, bits, 1 << 18, first) == 0);
    REQUIRE(scale(cu, first, x, x, 1 << 18, 2) == 0);
    REQUIRE(cu.cuEventRecord(done, first) == 0);
    REQUIRE(cu.cuStreamWaitEvent(second, done, 0) == 0);
    REQUIRE(scale(cu, second, x, y, 1 << 18, 10) == 0);
    CHECK(first_of(cu, y + (1 << 20) - 4, second) == 20 * value);
  }
}

TEST_CASE("a missing wait shows when work is late") {
  Functions& cu = on_first();
  const auto first = stream(cu), second = stream(cu);
  const auto x = memory(cu, 256), y = memory(cu, 256);
  int wrong = 0;
  for (int round = 0; round < 50; ++round) {
    put(cu, x, 1, 64);
    REQUIRE(scale(cu, first, x, x, 64, 2) == 0);  // second should wait for this
    REQUIRE(scale(cu, second, x, y, 64, 1) == 0);
    wrong += first_of(cu, y, second) != 2;
    REQUIRE(cu.cuStreamSynchronize(first) == 0);
  }
  if (order() == "late") CHECK(wrong == 50);
  if (order() == "random") CHECK(wrong > 0);
}

TEST_CASE("pinned memory is read when the copy's turn comes, pageable memory at once") {
  Functions& cu = on_first();
  const auto on = stream(cu);
  const auto x = memory(cu, 4), y = memory(cu, 4);
  void* raw = nullptr;
  REQUIRE(cu.cuMemHostAlloc(&raw, 4, 0) == 0);
  auto* pinned = static_cast<float*>(raw);
  float pageable = 1;
  *pinned = 1;
  REQUIRE(cu.cuMemcpyHtoDAsync_v2(x, pinned, 4, on) == 0);
  REQUIRE(cu.cuMemcpyHtoDAsync_v2(y, &pageable, 4, on) == 0);
  *pinned = pageable = 2;
  CHECK(first_of(cu, y, on) == 1);
  if (order() == "late") CHECK(first_of(cu, x, on) == 2);
  REQUIRE(cu.cuMemFreeHost(pinned) == 0);
}

TEST_CASE("events keep time, and asking is not waiting") {
  Functions& cu = on_first();
  const auto on = stream(cu);
  const auto start = event(cu), stop = event(cu);
  const auto x = memory(cu, 16 << 20);
  float milliseconds = -1;
  CHECK(cu.cuEventElapsedTime(&milliseconds, start, stop) == 400);  // never recorded
  CHECK(cu.event_query(start) == 0);
  REQUIRE(cu.cuEventRecord(start, on) == 0);
  for (int i = 0; i < 8; ++i) REQUIRE(cu.cuMemsetD32Async(x, 1, 4 << 20, on) == 0);
  REQUIRE(cu.cuEventRecord(stop, on) == 0);
  if (order() == "late") CHECK(cu.cuEventElapsedTime(&milliseconds, start, stop) == 600);
  while (cu.event_query(stop) == 600) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(cu.cuEventElapsedTime(&milliseconds, start, stop) == 0);
  CHECK(milliseconds > 0);
  CHECK(milliseconds < 60000);
  cuda::Event without_times = nullptr;
  REQUIRE(cu.cuEventCreate(&without_times, 2) == 0);
  REQUIRE(cu.cuEventRecord(without_times, on) == 0);
  REQUIRE(cu.cuEventSynchronize(without_times) == 0);
  CHECK(cu.cuEventElapsedTime(&milliseconds, start, without_times) == 400);
}

}  // namespace portico::test
