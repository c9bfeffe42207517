// The host code of the CUDA and HIP plugins, slot by slot, on the stand-in drivers. One program, run once a plugin and
// variant; see CMakeLists.txt for the variables that choose them.
#include "harness.hpp"

namespace portico::test {
TEST_CASE("devices are described before they are opened") {
  portico_device_info info{};
  ok(backend().device_describe(0, &info));
  CHECK(std::string(info.name).starts_with("Portico stand-in for"));
  CHECK(info.memory_bytes == std::uint64_t{4} << 30);
  CHECK(info.max_group_size == 1024);
  CHECK((info.features & PORTICO_FEATURE_GEMM) != 0);
  CHECK((info.features & PORTICO_FEATURE_CPU) == 0);
  const std::string toolchain = info.toolchain;
  if (!is_cuda()) {
    CHECK(std::string(info.arch) == "gfx90a:sramecc+:xnack-");
    CHECK(info.subgroup_size == 64);
    CHECK(info.local_bytes == 65536);
    CHECK(toolchain.find("hipRTC") != std::string::npos);
  } else {
    // The newest that the compiler knows below it: the driver translates its PTX.
    CHECK(std::string(info.arch) == "sm_81");
    CHECK(info.subgroup_size == 32);
    CHECK(info.local_bytes == 49152);
    CHECK(toolchain.find("for compute_80 (PTX)") != std::string::npos);
  }
  CHECK(backend().device_describe(2, &info) == PORTICO_UNSUPPORTED);
  CHECK(t_message.find("device 2 does not exist, there are 2") != std::string::npos);
}

TEST_CASE("write takes its own copy, whatever the size") {
  const auto stream = make_stream();
  const size_t count = GENERATE(size_t{1}, size_t{1000}, size_t{262144}, size_t{1310723}, size_t{3000000});
  const auto buffer = make_buffer(count * sizeof(float));
  const Floats values = numbers(count, 1);
  Floats source = values;
  write(stream.get(), buffer.get(), source);
  std::fill(source.begin(), source.end(), 77.0f);
  CHECK((read(stream.get(), buffer.get(), count) == values));  // not printed: millions
}

TEST_CASE("many small writes at odd places") {
  const auto stream = make_stream();
  const size_t pieces = 5000, length = 1501;
  const auto buffer = make_buffer(pieces * length);
  std::string expected(pieces * length, '\0'), piece(length, '\0');
  for (size_t i = 0; i < pieces; ++i) {
    std::fill(piece.begin(), piece.end(), static_cast<char>(i * 7));
    std::copy(piece.begin(), piece.end(), expected.begin() + static_cast<std::ptrdiff_t>(i * length));
    ok(backend().write(stream.get(), buffer.get(), i * length, piece.data(), length));
  }
  std::string got(expected.size(), '\0');
  ok(backend().read(stream.get(), buffer.get(), 0, got.data(), got.size()));
  CHECK((got == expected));
}

TEST_CASE("copy, fill and read at offsets") {
  const auto stream = make_stream();
  const auto from = make_buffer(400), to = make_buffer(400);
  const Floats values = numbers(100, 2);
  write(stream.get(), from.get(), values);
  ok(backend().fill(stream.get(), to.get(), 0, 0x3f800000, 400));
  ok(backend().copy(stream.get(), to.get(), 40, from.get(), 80, 120));
  Floats expected(100, 1.0f);
  std::copy_n(values.begin() + 20, 30, expected.begin() + 10);
  CHECK(read(stream.get(), to.get(), 100) == expected);
  ok(backend().copy(stream.get(), to.get(), 0, from.get(), 0, 0));
  ok(backend().fill(stream.get(), to.get(), 0, 0, 0));
  CHECK(backend().copy(stream.get(), to.get(), 300, from.get(), 0, 200) == PORTICO_INTERNAL);
}

TEST_CASE("events order streams and time them") {
  const auto first = make_stream(), second = make_stream();
  const auto from = make_buffer(400), to = make_buffer(400);
  const auto start = make_event(), stop = make_event();
  const Floats values = numbers(100, 3);
  ok(backend().event_record(start.get(), first.get()));
  write(first.get(), from.get(), values);
  ok(backend().event_record(stop.get(), first.get()));
  ok(backend().stream_wait(second.get(), stop.get()));
  ok(backend().copy(second.get(), to.get(), 0, from.get(), 0, 400));
  CHECK(read(second.get(), to.get(), 100) == values);
  ok(backend().event_synchronize(stop.get()));
  double milliseconds = 0;
  ok(backend().event_elapsed(start.get(), stop.get(), &milliseconds));
  CHECK(milliseconds > 0);
}

TEST_CASE("what is destroyed while queued work uses it stays until the work is done") {
  const auto stream = make_stream();
  const auto to = make_buffer(400);
  const Floats values = numbers(100, 4);
  {
    const auto from = make_buffer(400);
    write(stream.get(), from.get(), values);
    ok(backend().copy(stream.get(), to.get(), 0, from.get(), 0, 400));
  }
  {
    const auto other = make_stream();
    ok(backend().copy(other.get(), to.get(), 0, to.get(), 200, 4));
  }
  Floats expected = values;
  expected[0] = values[50];
  CHECK(read(stream.get(), to.get(), 100) == expected);
}

TEST_CASE("programs and kernels that cannot be made say why") {
  portico_program* program = nullptr;
  CHECK(compile("KERNEL void broken(OUT(f32, y)) { y[0] = not_declared; }", &program) == PORTICO_COMPILE_FAILED);
  CHECK(t_message.find("not_declared") != std::string::npos);
  const char junk[] = "this is no program";
  CHECK(backend().program_load(device(), {junk, sizeof junk}, &program) == PORTICO_INTERNAL);
  CHECK(t_message.find("loading a program") != std::string::npos);
  CHECK(program == nullptr);

  const auto good = make_program(kAdd);
  portico_kernel* kernel = nullptr;
  CHECK(backend().kernel_create(good.get(), "missing", &kernel) == PORTICO_COMPILE_FAILED);
  CHECK(t_message.find("no kernel missing") != std::string::npos);

  const auto stream = make_stream();
  const auto add = make_kernel(good.get(), "add");
  const portico_launch call{.struct_size = sizeof(portico_launch),
                            .groups = {1, 1, 1},
                            .local = {2048, 1, 1},
                            .arg_count = 0,
                            .args = nullptr};
  CHECK(backend().launch(stream.get(), add.get(), &call) == PORTICO_INTERNAL);
  CHECK(t_message.find("launching add with groups [1,1,1] of [2048,1,1]") != std::string::npos);
}

TEST_CASE("any thread may call") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(400);
  const Floats values = numbers(100, 5);
  std::thread([&] { write(stream.get(), buffer.get(), values); }).join();
  Floats got;
  std::thread([&] { got = read(stream.get(), buffer.get(), 100); }).join();
  CHECK(got == values);
}

TEST_CASE("a driver's codes become statuses") {
  portico_buffer* buffer = nullptr;
  CHECK(backend().buffer_create(device(), std::size_t{5} << 30, &buffer) == PORTICO_OUT_OF_MEMORY);
  CHECK(t_message.find("allocating 5368709120 bytes") != std::string::npos);
  CHECK(buffer == nullptr);

  const auto stream = make_stream();
  fail_next("cuStreamSynchronize", "hipStreamSynchronize", 700);
  CHECK(backend().stream_synchronize(stream.get()) == PORTICO_DEVICE_LOST);
  CHECK(t_message.find("started again") != std::string::npos);
  stand_in().lose(0, 0);
  fail_next("cuStreamSynchronize", "hipStreamSynchronize", 999);
  CHECK(backend().stream_synchronize(stream.get()) == PORTICO_INTERNAL);

  stand_in().faults("");
  stand_in().lose(0, 0);

  std::uint64_t free_bytes = 0, total = 0, less = 0;
  ok(backend().memory_info(device(), &free_bytes, &total));
  const auto held = make_buffer(1 << 20);
  ok(backend().memory_info(device(), &less, &total));
  CHECK(free_bytes - less == 1 << 20);
  CHECK(total == std::uint64_t{4} << 30);
}

TEST_CASE("without pinned memory a write waits, and is right") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(400);
  const Floats values = numbers(100, 6);
  Floats source = values;
  fail_next("cuMemHostAlloc", "hipHostMalloc", 2);
  write(stream.get(), buffer.get(), source);
  std::fill(source.begin(), source.end(), 77.0f);
  CHECK(read(stream.get(), buffer.get(), 100) == values);
}

TEST_CASE("nothing is left behind") {
  device();
  const std::size_t before = alive();
  {
    const auto stream = make_stream();
    const auto buffer = make_buffer(3 << 20);
    write(stream.get(), buffer.get(), Floats(700000, 1.0f));
    const auto program = make_program(kAdd);
    const auto kernel = make_kernel(program.get(), "add");
    void* pinned = nullptr;
    ok(backend().host_create(device(), 1000, &pinned));
    std::memset(pinned, 1, 1000);
    ok(backend().write(stream.get(), buffer.get(), 0, pinned, 1000));
    backend().host_destroy(device(), pinned);
    portico_gemm product{.struct_size = sizeof(portico_gemm),
                         .dtype = PORTICO_F32,
                         .m = 4,
                         .n = 4,
                         .k = 4,
                         .batch = 1,
                         .lda = 4,
                         .ldb = 4,
                         .ldc = 4,
                         .alpha = 1.0f,
                         .a = buffer_arg(buffer.get(), 0),
                         .b = buffer_arg(buffer.get(), 0),
                         .c = buffer_arg(buffer.get(), 64)};
    Lender lender(product);
    ok(backend().gemm(stream.get(), &product));
    CHECK(alive() > before);
  }
  CHECK(alive() == before);
}

}  // namespace portico::test
