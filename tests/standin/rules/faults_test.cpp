// Chosen failures, a device that is lost, and the count of what is left.
#include <map>
#include <string>

#include "library.hpp"

namespace portico::test {

TEST_CASE("the chosen call fails with the chosen code, and no other") {
  Functions& cu = on_first();
  REQUIRE(cu.faults("cuMemAlloc_v2:2:2,cuStreamCreate:1+:999") == 1);
  cuda::DevicePointer pointer = 0;
  cuda::Stream made = nullptr;
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 0);
  CHECK(cu.cuMemFree_v2(pointer) == 0);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 2);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 0);
  CHECK(cu.cuMemFree_v2(pointer) == 0);
  CHECK(cu.cuStreamCreate(&made, 1) == 999);
  CHECK(cu.cuStreamCreate(&made, 1) == 999);
  std::map<std::string, std::uint64_t> calls;
  cu.calls([](void* to, const char* name,
              std::uint64_t count) { (*static_cast<std::map<std::string, std::uint64_t>*>(to))[name] = count; },
           &calls);
  CHECK(calls.at("cuMemAlloc_v2") == 3);
  CHECK(calls.at("cuStreamCreate") == 2);
  CHECK(cu.faults("cuMemAlloc_v2:x:2") == 0);
  CHECK(cu.faults("cuMemAlloc_v2:0:2") == 0);
  CHECK(cu.faults("cuMemAlloc_v2") == 0);
  REQUIRE(cu.faults("") == 1);
  CHECK(cu.cuStreamCreate(&made, 1) == 0);
  CHECK(cu.cuStreamDestroy_v2(made) == 0);
}

TEST_CASE("after a failure that ends a context nothing works on that device, and all on the other") {
  Functions& cu = on_first();
  const auto x = memory(cu, 256);
  const auto on = stream(cu);
  put(cu, x, 1, 64);
  REQUIRE(cu.faults("cuLaunchKernel:1:719") == 1);
  CHECK(scale(cu, on, x, x, 64, 1) == 719);
  CHECK(cu.cuStreamSynchronize(on) == 719);
  cuda::DevicePointer pointer = 0;
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 719);
  const std::size_t before = alive_of(cu, "memory");
  CHECK(cu.cuMemFree_v2(x) == 719);
  CHECK(alive_of(cu, "memory") == before - 1);
  CHECK(cu.cuStreamDestroy_v2(on) == 719);
  REQUIRE(cu.cuCtxSetCurrent(cu.contexts[1]) == 0);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 0);
  CHECK(cu.cuMemFree_v2(pointer) == 0);
}

TEST_CASE("what is alive is counted") {
  Functions& cu = on_first();
  const auto counts = [&] {
    return std::vector<std::size_t>{alive_of(cu, "memory"), alive_of(cu, "streams"), alive_of(cu, "events"),
                                    alive_of(cu, "pinned memory")};
  };
  const auto before = counts();
  const auto x = memory(cu, 4);
  const auto on = stream(cu);
  const auto at = event(cu);
  void* pinned = nullptr;
  REQUIRE(cu.cuMemHostAlloc(&pinned, 4, 0) == 0);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(counts()[i] == before[i] + 1);
  CHECK(cu.cuMemFree_v2(x) == 0);
  CHECK(cu.cuStreamDestroy_v2(on) == 0);
  CHECK(cu.cuEventDestroy_v2(at) == 0);
  CHECK(cu.cuMemFreeHost(pinned) == 0);
  CHECK(counts() == before);
}

}  // namespace portico::test
