// The host code of the CUDA and HIP plugins, slot by slot, on the stand-in drivers of this folder and the real run-time
// compilers. One program, run once a plugin and variant; see CMakeLists.txt for the variables that choose them.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "machine.hpp"
#include "portico/backend_abi.h"

namespace portico::test {
namespace {

thread_local std::string t_message;

const portico_host kHost = {
    .struct_size = sizeof(portico_host),
    .set_error = [](const char* message, size_t size) { t_message.assign(message, size); },
    .log = [](int32_t, const char* message, size_t size) { std::printf("log: %.*s\n", int(size), message); },
};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

[[noreturn]] void skip(const std::string& reason) {
  std::printf("skipped: %s\n", reason.c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

void* open_or_throw(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  return library;
}

// The stand-in HIP is of version 5, whose hipRTC is inside the runtime: the real one has to be named.
void name_the_real_hiprtc() {
  if (std::getenv("PORTICO_HIPRTC")) return;
  for (const char* name : {"libhiprtc.so.7", "libhiprtc.so.6", "libamdhip64.so.5"})
    if (dlopen(name, RTLD_LAZY | RTLD_LOCAL)) {
      setenv("PORTICO_HIPRTC", name, 1);
      return;
    }
  skip("no hipRTC here");
}

const portico_backend& backend() {
  static const portico_backend* const table = [] {
    void* library = open_or_throw(variable("TEST_PLUGIN"));
    const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(library, PORTICO_BACKEND_ENTRY));
    const portico_backend* made = entry(&kHost);
    if (std::string(made->name) == "hip") name_the_real_hiprtc();
    int32_t count = 0;
    if (made->device_count(&count) != PORTICO_OK) {
      if (t_message.find("no run-time compiler") != std::string::npos) skip(t_message);
      throw std::runtime_error(t_message);
    }
    return made;
  }();
  return *table;
}

bool is_cuda() { return std::string(backend().name) == "cuda"; }
bool has_epilogues() { return is_cuda() && std::string(variable("TEST_BLAS")) != "classic"; }

// The stand-in's own functions; the plugin has opened the same library.
template <typename Function>
Function* control(const char* name) {
  static void* const library = open_or_throw(variable("TEST_DRIVER"));
  return reinterpret_cast<Function*>(dlsym(library, name));
}
void fail_next(const char* cuda_name, const char* hip_name, int code) {
  control<decltype(fake_fail)>("fake_fail")(is_cuda() ? cuda_name : hip_name, code);
}
std::size_t alive() { return control<decltype(fake_alive)>("fake_alive")(); }
FakeLaunch last_launch() {
  FakeLaunch launch{};
  control<decltype(fake_launches)>("fake_launches")(&launch, 1);
  return launch;
}
void set_arguments(std::uint32_t count) { control<decltype(fake_arguments)>("fake_arguments")(count); }

void ok(portico_status status) {
  INFO("message: " << (status == PORTICO_OK ? "" : t_message));
  REQUIRE(status == PORTICO_OK);
}

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

portico_device* device() {
  static portico_device* const opened = [] {
    portico_device* made = nullptr;
    ok(backend().device_open(0, &made));
    return made;
  }();
  return opened;
}
Owned<portico_stream> make_stream() {
  portico_stream* made = nullptr;
  ok(backend().stream_create(device(), &made));
  return {made, backend().stream_destroy};
}
Owned<portico_event> make_event() {
  portico_event* made = nullptr;
  ok(backend().event_create(device(), &made));
  return {made, backend().event_destroy};
}
Owned<portico_buffer> make_buffer(size_t bytes) {
  portico_buffer* made = nullptr;
  ok(backend().buffer_create(device(), bytes, &made));
  return {made, backend().buffer_destroy};
}

using Floats = std::vector<float>;

void write(portico_stream* stream, portico_buffer* to, const Floats& values) {
  ok(backend().write(stream, to, 0, values.data(), values.size() * sizeof(float)));
}
Floats read(portico_stream* stream, const portico_buffer* from, size_t count) {
  Floats values(count, -1.0f);
  ok(backend().read(stream, from, 0, values.data(), count * sizeof(float)));
  return values;
}
Floats numbers(size_t count, unsigned seed) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 28) - 8.0f;
  return values;
}

portico_arg buffer_arg(portico_buffer* buffer, uint64_t first, uint32_t size = sizeof(float)) {
  portico_arg arg{.kind = PORTICO_ARG_BUFFER, .size = size, .offset = first, .value = {}};
  arg.value.buffer = buffer;
  return arg;
}
portico_arg scalar_arg(uint64_t bits, uint32_t size) {
  portico_arg arg{.kind = PORTICO_ARG_SCALAR, .size = size, .offset = 0, .value = {}};
  arg.value.bits = bits;
  return arg;
}

const char* const kAdd = R"(
KERNEL void add(IN(f32, x), OUT(f32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] += x[i];
}
)";

portico_status compile(const std::string& text, portico_program** out) {
  const std::string source =
      std::string(static_cast<const char*>(backend().prelude.data), backend().prelude.size) + text;
  return backend().program_compile(device(), {source.data(), source.size()}, out);
}
Owned<portico_program> make_program(const std::string& text) {
  portico_program* made = nullptr;
  ok(compile(text, &made));
  return {made, backend().program_destroy};
}
Owned<portico_kernel> make_kernel(portico_program* program, const char* name) {
  portico_kernel* made = nullptr;
  ok(backend().kernel_create(program, name, &made));
  return {made, backend().kernel_destroy};
}

}  // namespace

TEST_CASE("devices are described before they are opened") {
  portico_device_info info{};
  ok(backend().device_describe(0, &info));
  CHECK(std::string(info.name) == "Stand-in");
  CHECK(info.memory_bytes == std::uint64_t{1} << 30);
  CHECK(info.max_group_size == 1024);
  CHECK((info.features & PORTICO_FEATURE_GEMM) != 0);
  CHECK((info.features & PORTICO_FEATURE_CPU) == 0);
  const std::string toolchain = info.toolchain;
  if (!is_cuda()) {
    CHECK(std::string(info.arch) == "gfx90a:sramecc+:xnack-");
    CHECK(info.subgroup_size == 64);
    CHECK(info.local_bytes == 65536);
    CHECK(info.compute_units == 104);
    CHECK(toolchain.find("hipRTC") != std::string::npos);
  } else if (*variable("FAKE_UNKNOWN_ARCH")) {
    CHECK(std::string(info.arch) == "sm_99");
    CHECK(toolchain.find("for compute_90 (PTX)") != std::string::npos);
  } else {
    CHECK(std::string(info.arch) == "sm_90");
    CHECK(info.subgroup_size == 32);
    CHECK(info.local_bytes == 49152);
    CHECK(toolchain.find("for sm_90 (machine code)") != std::string::npos);
  }
  CHECK(backend().device_describe(1, &info) == PORTICO_UNSUPPORTED);
  CHECK(t_message.find("device 1 does not exist, there are 1") != std::string::npos);
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

TEST_CASE("a program is compiled, kept as a binary, loaded again and launched") {
  const auto stream = make_stream();
  const auto x = make_buffer(4096), y = make_buffer(4096);
  const auto compiled = make_program(kAdd);
  size_t size = 0;
  ok(backend().program_binary(compiled.get(), &size, nullptr));
  REQUIRE(size > 100);
  std::vector<char> binary(size);
  ok(backend().program_binary(compiled.get(), &size, binary.data()));
  if (!*variable("FAKE_UNKNOWN_ARCH")) CHECK(std::string(binary.data(), 4) == "\177ELF");

  portico_program* raw = nullptr;
  ok(backend().program_load(device(), {binary.data(), binary.size()}, &raw));
  Owned<portico_program> loaded{raw, backend().program_destroy};
  const auto kernel = make_kernel(loaded.get(), "add");
  loaded.reset();  // the kernel keeps what it needs

  set_arguments(3);
  const std::vector<portico_arg> args = {buffer_arg(x.get(), 3), buffer_arg(y.get(), 5, 2), scalar_arg(1000, 4)};
  const portico_launch call{.struct_size = sizeof(portico_launch),
                            .groups = {10, 2, 3},
                            .local = {64, 1, 1},
                            .arg_count = 3,
                            .args = args.data()};
  ok(backend().launch(stream.get(), kernel.get(), &call));
  const FakeLaunch launch = last_launch();
  CHECK(std::string(launch.name) == "add");
  CHECK(launch.grid[0] == 10);
  CHECK(launch.grid[1] == 2);
  CHECK(launch.grid[2] == 3);
  CHECK(launch.block[0] == 64);
  CHECK(launch.values[2] == 1000);
  // Pointers arrive with the offset added, in elements of the argument's size.
  const std::vector<portico_arg> at_start = {buffer_arg(x.get(), 0), buffer_arg(y.get(), 0), scalar_arg(0, 4)};
  const portico_launch plain{.struct_size = sizeof(portico_launch),
                             .groups = {1, 1, 1},
                             .local = {1, 1, 1},
                             .arg_count = 3,
                             .args = at_start.data()};
  ok(backend().launch(stream.get(), kernel.get(), &plain));
  CHECK(launch.values[0] == last_launch().values[0] + 12);
  CHECK(launch.values[1] == last_launch().values[1] + 10);

  std::uint32_t count = 0;
  ok(backend().kernel_arg_count(kernel.get(), &count));
  CHECK(count == (is_cuda() ? 3u : UINT32_MAX));
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
  CHECK(backend().kernel_create(good.get(), "missing", &kernel) == PORTICO_INTERNAL);
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
  control<decltype(fake_memory)>("fake_memory")(1 << 20);
  CHECK(backend().buffer_create(device(), 1 << 21, &buffer) == PORTICO_OUT_OF_MEMORY);
  CHECK(t_message.find("allocating 2097152 bytes") != std::string::npos);
  control<decltype(fake_memory)>("fake_memory")(std::size_t{1} << 30);
  CHECK(buffer == nullptr);

  const auto stream = make_stream();
  fail_next("cuStreamSynchronize", "hipStreamSynchronize", 700);
  CHECK(backend().stream_synchronize(stream.get()) == PORTICO_DEVICE_LOST);
  CHECK(t_message.find("started again") != std::string::npos);
  fail_next("cuStreamSynchronize", "hipStreamSynchronize", 999);
  CHECK(backend().stream_synchronize(stream.get()) == PORTICO_INTERNAL);

  std::uint64_t free_bytes = 0, total = 0;
  ok(backend().memory_info(device(), &free_bytes, &total));
  CHECK(free_bytes == 1000);
  CHECK(total == 2000);
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

namespace {

struct GemmCase {
  uint32_t m, n, k, batch;
  bool trans_a, trans_b, bias, relu;
  float beta;
  uint32_t padding;  // added to every leading dimension
  uint64_t odd;      // elements that every operand starts behind the buffer
  bool repeat_b;     // all of the batch use one B
};

// The contract's own words, in row-major loops. Small whole numbers, so every order of summing gives the same.
void check_gemm(const GemmCase& c) {
  const uint32_t lda = (c.trans_a ? c.m : c.k) + c.padding, ldb = (c.trans_b ? c.k : c.n) + c.padding;
  const uint32_t ldc = c.n + c.padding;
  const uint64_t stride_a = uint64_t{lda} * (c.trans_a ? c.k : c.m);
  const uint64_t one_b = uint64_t{ldb} * (c.trans_b ? c.n : c.k), stride_b = c.repeat_b ? 0 : one_b;
  const uint64_t stride_c = uint64_t{ldc} * c.m;
  const Floats a = numbers(c.odd + stride_a * c.batch, 7), b = numbers(c.odd + one_b * c.batch, 8);
  const Floats bias = numbers(c.odd + c.n, 9), before = numbers(c.odd + stride_c * c.batch, 10);

  Floats expected = before;
  for (uint32_t i = 0; i < c.batch; ++i)
    for (uint32_t row = 0; row < c.m; ++row)
      for (uint32_t col = 0; col < c.n; ++col) {
        float sum = 0;
        for (uint32_t p = 0; p < c.k; ++p)
          sum += a[c.odd + i * stride_a + (c.trans_a ? p * lda + row : row * lda + p)] *
                 b[c.odd + i * stride_b + (c.trans_b ? col * ldb + p : p * ldb + col)];
        float& out = expected[c.odd + i * stride_c + row * ldc + col];
        out = 2.0f * sum + c.beta * out + (c.bias ? bias[c.odd + col] : 0.0f);
        if (c.relu) out = std::max(out, 0.0f);
      }

  const auto stream = make_stream();
  const auto buffer_of = [&](const Floats& values) {
    auto made = make_buffer(values.size() * sizeof(float));
    write(stream.get(), made.get(), values);
    return made;
  };
  const auto da = buffer_of(a), db = buffer_of(b), dbias = buffer_of(bias), dc = buffer_of(before);
  const portico_gemm call{.struct_size = sizeof(portico_gemm),
                          .dtype = PORTICO_F32,
                          .trans_a = c.trans_a,
                          .trans_b = c.trans_b,
                          .m = c.m,
                          .n = c.n,
                          .k = c.k,
                          .batch = c.batch,
                          .lda = lda,
                          .ldb = ldb,
                          .ldc = ldc,
                          .stride_a = stride_a,
                          .stride_b = stride_b,
                          .stride_c = stride_c,
                          .alpha = 2.0f,
                          .beta = c.beta,
                          .a = buffer_arg(da.get(), c.odd),
                          .b = buffer_arg(db.get(), c.odd),
                          .c = buffer_arg(dc.get(), c.odd),
                          .bias = buffer_arg(c.bias ? dbias.get() : nullptr, c.odd),
                          .activation = c.relu ? PORTICO_ACT_RELU : PORTICO_ACT_NONE};
  if ((c.bias || c.relu) && !has_epilogues()) {
    CHECK(backend().gemm(stream.get(), &call) == PORTICO_UNSUPPORTED);
    CHECK(read(stream.get(), dc.get(), before.size()) == before);
    return;
  }
  ok(backend().gemm(stream.get(), &call));
  CHECK(read(stream.get(), dc.get(), expected.size()) == expected);

  portico_gemm declined = call;
  declined.activation = PORTICO_ACT_GELU;
  CHECK(backend().gemm(stream.get(), &declined) == PORTICO_UNSUPPORTED);
  declined = call;
  declined.dtype = PORTICO_I32;
  CHECK(backend().gemm(stream.get(), &declined) == PORTICO_UNSUPPORTED);
  declined.dtype = PORTICO_F16;  // the stand-ins compute in f32 only, and say so as the real libraries do
  CHECK(backend().gemm(stream.get(), &declined) == PORTICO_UNSUPPORTED);
}

}  // namespace

TEST_CASE("gemm means the same as the contract's words") {
  const bool trans_a = GENERATE(false, true), trans_b = GENERATE(false, true);
  check_gemm({5, 7, 3, 1, trans_a, trans_b, false, false, 0.0f, 0, 0, false});
  check_gemm({5, 7, 3, 1, trans_a, trans_b, true, false, 0.0f, 0, 0, false});
  check_gemm({4, 6, 8, 1, trans_a, trans_b, true, true, 1.0f, 3, 1, false});
  check_gemm({3, 2, 9, 4, trans_a, trans_b, false, true, 0.5f, 2, 5, false});
  check_gemm({3, 2, 9, 4, trans_a, trans_b, false, false, -1.0f, 0, 0, true});
  check_gemm({1, 1, 1, 1, trans_a, trans_b, false, false, 0.0f, 0, 3, false});
}

TEST_CASE("one stream multiplies many shapes, each of them again") {
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64), c = make_buffer(4 * 64);
  write(stream.get(), a.get(), Floats(64, 1.0f));
  for (int round = 0; round < 2; ++round)
    for (uint32_t size = 1; size <= 8; ++size) {
      const portico_gemm call{.struct_size = sizeof(portico_gemm),
                              .dtype = PORTICO_F32,
                              .m = size,
                              .n = size,
                              .k = size,
                              .batch = 1,
                              .lda = size,
                              .ldb = size,
                              .ldc = size,
                              .alpha = 1.0f,
                              .beta = 0.0f,
                              .a = buffer_arg(a.get(), 0),
                              .b = buffer_arg(a.get(), 0),
                              .c = buffer_arg(c.get(), 0),
                              .bias = buffer_arg(nullptr, 0)};
      ok(backend().gemm(stream.get(), &call));
      CHECK(read(stream.get(), c.get(), size * size) == Floats(size * size, static_cast<float>(size)));
    }
}

TEST_CASE("one shape with another bias") {
  if (!has_epilogues()) return;
  const auto stream = make_stream();
  const auto a = make_buffer(256), c = make_buffer(256), first = make_buffer(256), second = make_buffer(256);
  write(stream.get(), a.get(), Floats(64, 1.0f));
  write(stream.get(), first.get(), Floats(64, 100.0f));
  write(stream.get(), second.get(), Floats(64, 200.0f));
  for (portico_buffer* bias : {first.get(), second.get(), first.get()}) {
    const portico_gemm call{.struct_size = sizeof(portico_gemm),
                            .dtype = PORTICO_F32,
                            .m = 2,
                            .n = 2,
                            .k = 2,
                            .batch = 1,
                            .lda = 2,
                            .ldb = 2,
                            .ldc = 2,
                            .alpha = 1.0f,
                            .beta = 0.0f,
                            .a = buffer_arg(a.get(), 0),
                            .b = buffer_arg(a.get(), 0),
                            .c = buffer_arg(c.get(), 0),
                            .bias = buffer_arg(bias, 0)};
    ok(backend().gemm(stream.get(), &call));
    CHECK(read(stream.get(), c.get(), 4) == Floats(4, bias == first.get() ? 102.0f : 202.0f));
  }
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
    check_gemm({4, 4, 4, 1, false, false, false, false, 0.0f, 0, 0, false});
    CHECK(alive() > before);
  }
  CHECK(alive() == before);
}

}  // namespace portico::test
