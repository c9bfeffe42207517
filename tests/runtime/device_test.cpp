// Device, Buffer, Stream, Event and Kernel on whichever backend is asked for.
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "emulated.hpp"
#include "op_check.hpp"
#include "portico/device.hpp"

namespace portico::test {
namespace {

constexpr const char* kAxpy = R"(
KERNEL void axpy(IN(f32, x), OUT(f32, y), const uint count, const float a) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] += a * x[i];
}
)";

Buffer upload(const Device& device, const std::vector<float>& values) {
  const Buffer buffer = device.allocate(values.size() * 4);
  buffer.write(0, std::as_bytes(std::span(values)));
  return buffer;
}

std::vector<float> download(const Buffer& buffer) {
  std::vector<float> values(buffer.size() / 4);
  buffer.read(0, std::as_writable_bytes(std::span(values)));
  return values;
}

Kernel axpy(const Device& device) { return device.compile("axpy", kAxpy, "axpy", {}); }

}  // namespace

TEST_CASE("a device says what it is", "[device]") {
  const Device device = Device::current();
  CHECK(device == Device::open(device.label()));
  CHECK(device.info().memory_bytes > 0);
  CHECK(device.info().max_group_size > 0);
  CHECK_FALSE(device.info().toolchain.empty());
  CHECK(device.label() == std::string(device.backend()) + ":" + std::to_string(device.index()));
}

TEST_CASE("a kernel reads views at any element", "[device]") {
  const Device device = Device::current();
  const Buffer x = upload(device, {0, 1, 2, 3, 4, 5, 6, 7});
  const Buffer y = upload(device, {10, 10, 10, 10, 10, 10});
  axpy(device)({.groups = {2}, .local = {2}}, {{x, 3, 4}, {y, 1, 4}, 3u, 2.0f});
  CHECK(download(y) == std::vector<float>{10, 16, 18, 20, 10, 10});
}

TEST_CASE("buffers copy, fill and refuse what lies outside", "[device]") {
  const Device device = Device::current();
  const Buffer x = upload(device, {1, 2, 3, 4});
  const Buffer y = device.allocate(16);
  y.fill(0, 0x40a00000, 16);  // 5.0f
  CHECK(download(y) == std::vector<float>{5, 5, 5, 5});
  y.copy_from(4, x, 8, 8);
  CHECK(download(y) == std::vector<float>{5, 3, 4, 5});

  std::vector<std::byte> bytes(8);
  check_error([&] { y.write(12, bytes); }, ErrorCode::invalid_argument, "[12, 12 + 8) do not lie in a buffer of 16");
  check_error([&] { y.read(17, {}); }, ErrorCode::invalid_argument, "Buffer::read");
  check_error([&] { y.fill(2, 0, 4); }, ErrorCode::invalid_argument, "multiples of 4");
  check_error([&] { y.copy_from(0, x, 12, 8); }, ErrorCode::invalid_argument, "source");
  check_error([&] { Buffer().write(0, bytes); }, ErrorCode::invalid_argument, "the buffer is empty");
}

TEST_CASE("an empty allocation is a buffer that holds nothing", "[device]") {
  const Buffer nothing = Device::current().allocate(0);
  CHECK(nothing);
  CHECK(nothing.size() == 0);
  nothing.write(0, {});
  nothing.fill(0, 0, 0);
}

TEST_CASE("a kernel that does not compile shows the compiler's log", "[device]") {
  const Device device = Device::current();
  check_error(
      [&] { device.compile("broken", "KERNEL void broken(OUT(f32, y)) { y[0] = no_such_name; }", "broken", {}); },
      ErrorCode::compile_failed, "no_such_name");
  check_error([&] { device.compile("axpy", kAxpy, "no_such_function", {}); }, ErrorCode::compile_failed,
              "no_such_function");
  check_error([&] { device.kernel("no_such_file", "f", {}); }, ErrorCode::invalid_argument, "kernels/no_such_file.cl");
}

TEST_CASE("a launch refuses arguments and groups that do not fit", "[device]") {
  const Device device = Device::current();
  const Buffer x = upload(device, {1});
  const Kernel kernel = axpy(device);
  check_error(
      [&] {
        kernel({.groups = {1}, .local = {0}}, {{x, 0, 4}, {x, 0, 4}, 1u, 1.0f});
      },
      ErrorCode::invalid_argument, "a group of 0x1x1 threads");
  check_error(
      [&] {
        kernel({.groups = {1}, .local = {1u << 30}}, {{x, 0, 4}, {x, 0, 4}, 1u, 1.0f});
      },
      ErrorCode::invalid_argument, "threads");
  check_error(
      [&] {
        kernel({}, {{Buffer(), 0, 4}, {x, 0, 4}, 1u, 1.0f});
      },
      ErrorCode::invalid_argument, "argument 0 is an empty buffer");
  check_error([] { Kernel()({}, {}); }, ErrorCode::invalid_argument, "empty Kernel");
  CHECK_THROWS_AS(kernel({}, {{x, 0, 4}}), Error);  // the plugin or the core, whichever knows the count
  kernel({.groups = {0}, .local = {1}}, {{x, 0, 4}, {x, 0, 4}, 1u, 1.0f});  // nothing to do is no error
}

TEST_CASE("work on two streams is tied where memory is shared", "[device]") {
  const Device device = Device::current();
  const std::size_t count = 1 << 16;
  const Buffer x = upload(device, std::vector<float>(count, 1.0f));
  const Buffer y = upload(device, std::vector<float>(count, 0.0f));
  const Stream a = device.create_stream(), b = device.create_stream();
  const Kernel kernel = axpy(device);
  for (int i = 0; i < 100; ++i) {
    const StreamGuard guard(i % 2 == 0 ? a : b);
    kernel({.groups = {4}, .local = {1}}, {{x, 0, 4}, {y, 0, 4}, static_cast<std::uint32_t>(count), 1.0f});
  }
  CHECK(download(y) == std::vector<float>(count, 100.0f));
}

TEST_CASE("stream guards nest and end", "[device]") {
  const Device device = Device::current();
  const Stream usual = device.stream();
  const Stream a = device.create_stream(), b = device.create_stream();
  {
    const StreamGuard outer(a);
    CHECK(device.stream() == a);
    {
      const StreamGuard inner(b);
      CHECK(device.stream() == b);
    }
    CHECK(device.stream() == a);
  }
  CHECK(device.stream() == usual);
}

TEST_CASE("events time the work between them", "[device]") {
  const Device device = Device::current();
  const Stream stream = device.stream();
  const std::size_t count = size_here(1 << 22, 1 << 16);
  const Buffer x = upload(device, std::vector<float>(count, 1.0f));
  const Buffer y = upload(device, std::vector<float>(count, 0.0f));
  const Kernel kernel = axpy(device);
  const auto launch = [&] {
    kernel({.groups = {2}, .local = {1}}, {{x, 0, 4}, {y, 0, 4}, static_cast<std::uint32_t>(count), 1.0f});
  };
  launch();  // some drivers make machine code at the first launch
  stream.synchronize();
  const Event start(stream);
  launch();
  const Event end(stream);
  if ((device.info().feature_bits & 64u) == 0) {
    check_error([&] { (void)end.milliseconds_since(start); }, ErrorCode::unsupported, "no device times");
    return;
  }
  const double milliseconds = end.milliseconds_since(start);
  CHECK(milliseconds > 0.0);
  CHECK(milliseconds < 5000.0);
}

TEST_CASE("specs are sorted, so equal ones give equal text", "[device]") {
  CHECK(Spec().set("B", 2).set("A", "x + 1").prefix() == "#define A x + 1\n#define B 2\n");
  CHECK(Spec().set("A", 1).set("A", 3).prefix() == "#define A 3\n");
}

TEST_CASE("the device can be chosen for a thread", "[device]") {
  const Device usual = Device::current();
  const DeviceGuard guard(usual);
  CHECK(Device::current() == usual);
  check_error([] { Device::open("metal"); }, ErrorCode::invalid_argument, "metal");
}

}  // namespace portico::test
