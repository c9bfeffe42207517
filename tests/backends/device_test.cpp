// The table itself, and devices: described, opened twice, asked for in vain.
#include <cstring>
#include <thread>

#include "plugin.hpp"

namespace portico::test {
namespace {

TEST_CASE("the table fits the header", "[plugin]") {
  REQUIRE(backend().struct_size >= sizeof(portico_backend));
  REQUIRE(backend().name == backend_name());
  REQUIRE(with_prelude("").find("#define KERNEL") != std::string::npos);
}

TEST_CASE("devices are described without being opened", "[plugin]") {
  int32_t count = 0;
  ok(backend().device_count(&count));
  REQUIRE(count >= 1);
  for (int32_t index = 0; index < count; ++index) {
    portico_device_info info{};
    info.struct_size = sizeof info;
    ok(backend().device_describe(index, &info));
    CHECK(std::string(info.name) != "");
    CHECK(std::string(info.arch) != "");
    CHECK(std::string(info.toolchain) != "");
    CHECK(info.memory_bytes > 0);
    CHECK(info.max_group_size >= 1);
    CHECK(info.local_bytes > 0);
    CHECK(info.compute_units > 0);
  }
}

TEST_CASE("an index that no device has is an error that names it", "[plugin][errors]") {
  int32_t count = 0;
  ok(backend().device_count(&count));
  portico_device* none = nullptr;
  portico_device_info info{};
  info.struct_size = sizeof info;
  for (const int32_t index : {-1, count}) {
    CHECK(backend().device_open(index, &none) != PORTICO_OK);
    CHECK(message_has(std::to_string(index)));
    CHECK(none == nullptr);
    CHECK(backend().device_describe(index, &info) != PORTICO_OK);
  }
}

TEST_CASE("a device may be open twice, and closing one leaves the other", "[plugin]") {
  portico_device* second = nullptr;
  ok(backend().device_open(0, &second));
  portico_buffer* buffer = nullptr;
  ok(backend().buffer_create(second, 64, &buffer));
  backend().buffer_destroy(buffer);
  backend().device_close(second);
  const auto stream = make_stream();
  const auto x = make_buffer(16);
  write(stream.get(), x.get(), counting(4));
  CHECK(read(stream.get(), x.get(), 4) == counting(4));
}

}  // namespace
}  // namespace portico::test
