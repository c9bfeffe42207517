// The memory pool: reuse in stream order, statistics, giving back.
#include <algorithm>
#include <vector>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/portico.hpp"

namespace portico::test {

TEST_CASE("freed memory is handed out again without asking the driver", "[pool]") {
  const Device device = Device::current();
  device.empty_cache();
  { const Buffer once = device.allocate(1000000); }  // and its guard words lie within one size class
  const auto before = device.memory();
  for (int i = 0; i < 10; ++i) const Buffer again = device.allocate(1000000 - i * 100);
  const auto after = device.memory();
  CHECK(after.driver_allocations == before.driver_allocations);
  CHECK(after.cached == before.cached);
}

// Run with PORTICO_POOL=driver on the stand-ins; every driver that has no such pool gives what the own one does.
TEST_CASE("the driver's pool is asked for each block, and gets each back in stream order", "[.][driver-pool]") {
  const Device device = Device::current();
  device.empty_cache();
  const auto before = device.memory();
  {
    const Stream side = device.create_stream();
    Tensor total = Tensor::zeros({50000});
    for (int i = 0; i < 20; ++i) {  // each round's memory comes and goes while its work is queued
      const StreamGuard guard(i % 2 == 0 ? side : device.stream());
      total = total + Tensor::full({50000}, static_cast<float>(i));
    }
    CHECK(total.to_vector() == std::vector<float>(50000, 190.0f));
  }
  const auto after = device.memory();
  CHECK(after.driver_allocations >= before.driver_allocations + 40);
  CHECK(after.cached == before.cached);
}

TEST_CASE("statistics follow what is in use", "[pool]") {
  const Device device = Device::current();
  device.empty_cache();
  device.reset_peak();
  const auto start = device.memory();
  CHECK(start.cached == 0);
  CHECK(start.peak == start.in_use);
  {
    const Buffer a = device.allocate(3 << 20);
    const Buffer b = device.allocate(5 << 20);
    const auto now = device.memory();
    CHECK(now.in_use >= start.in_use + (8u << 20));
    CHECK(now.in_use <= start.in_use + (17u << 19));  // rounding wastes at most a sixteenth
  }
  const auto end = device.memory();
  CHECK(end.in_use == start.in_use);
  CHECK(end.cached >= 8u << 20);
  CHECK(end.peak >= start.in_use + (8u << 20));
  device.empty_cache();
  CHECK(device.memory().cached == 0);
}

TEST_CASE("a size is served by a block of nearly its size", "[pool]") {
  const Device device = Device::current();
  for (const std::size_t bytes : {1u, 255u, 256u, 257u, 4097u, 1u << 20, (1u << 20) + 1, 12345678u}) {
    const auto before = device.memory().in_use;
    const Buffer block = device.allocate(bytes);
    const auto taken = device.memory().in_use - before;
    CHECK(block.size() == bytes);
    CHECK(taken >= bytes);
    CHECK(taken <= std::max<std::size_t>(1024, bytes + bytes / 16 + 1024));
  }
}

TEST_CASE("memory freed with work queued keeps what that work needs", "[pool]") {
  const Device device = Device::current();
  const Buffer result = device.allocate(1 << 20);
  std::vector<float> host(1 << 18);
  for (int i = 0; i < 50; ++i) {
    // Each block is freed as soon as its copy is queued; the next one reuses it.
    const Buffer temporary = device.allocate(1 << 20);
    std::fill(host.begin(), host.end(), static_cast<float>(i));
    temporary.write(0, std::as_bytes(std::span(host)));
    result.copy_from(0, temporary, 0, 1 << 20);
  }
  result.read(0, std::as_writable_bytes(std::span(host)));
  CHECK(std::all_of(host.begin(), host.end(), [](float v) { return v == 49.0f; }));
}

TEST_CASE("a size beyond every device is out of memory, with the figures", "[pool]") {
  const Device device = Device::current();
  check_error([&] { device.allocate(std::size_t{1} << 60); }, ErrorCode::out_of_memory, "in use");
  check_error([&] { device.allocate(SIZE_MAX); }, ErrorCode::out_of_memory, "do not fit on " + device.label());
  CHECK(device.allocate(64).size() == 64);  // and afterwards all is well
}

}  // namespace portico::test
