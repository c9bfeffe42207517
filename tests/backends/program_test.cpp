// Programs: compiled, refused with the log, kept as binaries.
#include <cstring>

#include "plugin.hpp"

namespace portico::test {
namespace {

TEST_CASE("what does not compile comes back as the compiler's log", "[plugin][program][errors]") {
  portico_program* none = nullptr;
  REQUIRE(compile("KERNEL void broken(OUT(f32, x)) { x[0] = no_such_name_here; }", &none) == PORTICO_COMPILE_FAILED);
  CHECK(message_has("no_such_name_here"));
  CHECK(none == nullptr);
}

TEST_CASE("a kernel that the program does not have is an error that names it", "[plugin][program][errors]") {
  const Adder adder;
  portico_kernel* none = nullptr;
  CHECK(backend().kernel_create(adder.program.get(), "subtract", &none) != PORTICO_OK);
  CHECK(message_has("subtract"));
  CHECK(none == nullptr);
}

std::vector<char> binary_of(portico_program* program) {
  size_t size = 0;
  ok(backend().program_binary(program, &size, nullptr));
  std::vector<char> binary(size);
  ok(backend().program_binary(program, &size, binary.data()));
  binary.resize(size);
  return binary;
}

TEST_CASE("a program comes back from its binary", "[plugin][program]") {
  const bool launched_before = GENERATE(false, true);
  const auto stream = make_stream();
  const auto x = make_buffer(256);
  std::vector<char> binary;
  {
    const Adder adder;
    write(stream.get(), x.get(), Floats(64));
    if (launched_before) queue_slow_work(adder, stream.get(), x.get());
    ok(backend().stream_synchronize(stream.get()));
    binary = binary_of(adder.program.get());
  }
  portico_program* raw = nullptr;
  ok(backend().program_load(device(), {binary.data(), binary.size()}, &raw));
  const Owned<portico_program> program(raw, backend().program_destroy);
  const auto slow = make_kernel(raw, "slow");
  write(stream.get(), x.get(), Floats(64));
  ok(launch(stream.get(), slow.get(), 64, 1, {buffer_arg(x.get()), uint_arg(64), uint_arg(2)}));
  CHECK(read(stream.get(), x.get(), 64) == Floats(64, 1.5f));
}

TEST_CASE("a binary that is none is refused", "[plugin][program][errors]") {
  const Adder adder;
  std::vector<char> binary = binary_of(adder.program.get());
  SECTION("empty") { binary.clear(); }
  SECTION("noise") { binary = std::vector<char>(1000, 'q'); }
  SECTION("its beginning only") { binary.resize(10); }
  SECTION("cut short") { binary.resize(binary.size() / 2); }
  // The core's files have a digest. Beyond that, PoCL ends the process on damage, so that OpenCL's have one of their own.
  if (backend_name() == "opencl") SECTION("one bit turned") { binary[binary.size() / 2] ^= 4; }
  portico_program* none = nullptr;
  CHECK(backend().program_load(device(), {binary.data(), binary.size()}, &none) != PORTICO_OK);
  CHECK(none == nullptr);
}

}  // namespace
}  // namespace portico::test
