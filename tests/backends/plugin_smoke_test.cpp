// A plugin through its C table alone, without the core: what the core relies on, slot by slot. Run once per backend.
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#define CATCH_CONFIG_RUNNER
#include "catch.hpp"
#include "portico/backend_abi.h"

namespace {

thread_local std::string t_message;

const portico_host kHost = {
    .struct_size = sizeof(portico_host),
    .set_error = [](const char* message, size_t size) { t_message.assign(message, size); },
    .log = [](int32_t, const char*, size_t) {},
};

std::string backend_name() {
  const char* wanted = std::getenv("PORTICO_BACKEND");
  const std::string name = wanted ? wanted : "opencl";
  return name.substr(0, name.find(':'));
}

std::filesystem::path plugin_file() {
  const char* folder = std::getenv("PORTICO_BACKEND_DIR");
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../lib/portico";
  return (folder ? std::filesystem::path(folder) : beside) / ("libportico_" + backend_name() + ".so");
}

const portico_backend& backend() {
  static const portico_backend* const table = [] {
    void* library = dlopen(plugin_file().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) std::fprintf(stderr, "failed: %s\n", dlerror()), std::exit(1);
    const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(library, PORTICO_BACKEND_ENTRY));
    if (!entry) std::fprintf(stderr, "failed: no symbol " PORTICO_BACKEND_ENTRY "\n"), std::exit(1);
    return entry(&kHost);
  }();
  return *table;
}

void ok(portico_status status) {
  INFO("message: " << (status == PORTICO_OK ? "" : t_message));
  REQUIRE(status == PORTICO_OK);
}

bool message_has(const std::string& part) {
  UNSCOPED_INFO("message: " << t_message);
  return t_message.find(part) != std::string::npos;
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

std::string with_prelude(const std::string& text) {
  return std::string(static_cast<const char*>(backend().prelude.data), backend().prelude.size) + text;
}

portico_status compile(const std::string& text, portico_program** out) {
  const std::string source = with_prelude(text);
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

portico_arg buffer_arg(portico_buffer* buffer, uint64_t first_float = 0) {
  portico_arg arg{.kind = PORTICO_ARG_BUFFER, .size = sizeof(float), .offset = first_float, .value = {}};
  arg.value.buffer = buffer;
  return arg;
}

portico_arg uint_arg(uint32_t value) {
  portico_arg arg{.kind = PORTICO_ARG_SCALAR, .size = sizeof value, .offset = 0, .value = {}};
  arg.value.bits = value;
  return arg;
}

portico_status launch(portico_stream* stream, portico_kernel* kernel, uint32_t groups, uint32_t local,
                      const std::vector<portico_arg>& args) {
  const portico_launch call{.struct_size = sizeof(portico_launch),
                            .groups = {groups, 1, 1},
                            .local = {local, 1, 1},
                            .arg_count = static_cast<uint32_t>(args.size()),
                            .args = args.data()};
  return backend().launch(stream, kernel, &call);
}

using Floats = std::vector<float>;

void write(portico_stream* stream, portico_buffer* to, const Floats& values, size_t first = 0) {
  ok(backend().write(stream, to, first * sizeof(float), values.data(), values.size() * sizeof(float)));
}

Floats read(portico_stream* stream, const portico_buffer* from, size_t count, size_t first = 0) {
  Floats values(count, -1.0f);
  ok(backend().read(stream, from, first * sizeof(float), values.data(), count * sizeof(float)));
  return values;
}

// For long vectors: Catch would print every element of both.
bool same(const Floats& a, const Floats& b) { return a == b; }

Floats counting(size_t count, float first = 0.0f) {
  Floats values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

const char* const kAdd = R"(
KERNEL void add(IN(f32, a), IN(f32, b), OUT(f32, c), const uint count) {
  OFFSET(a);
  OFFSET(b);
  OFFSET(c);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) c[i] = a[i] + b[i];
}
KERNEL void slow(OUT(f32, x), const uint count, const uint rounds) {
  OFFSET(x);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    float value = x[i];
    for (uint r = 0; r < rounds; ++r) value = fma(value, 0.5f, 1.0f);
    x[i] = value;
  }
}
)";

struct Adder {
  Owned<portico_program> program = make_program(kAdd);
  Owned<portico_kernel> add = make_kernel(program.get(), "add");
  Owned<portico_kernel> slow = make_kernel(program.get(), "slow");
};

// Enough work that what is queued behind it cannot have run by the time that the host gets on.
void queue_slow_work(const Adder& adder, portico_stream* stream, portico_buffer* scratch) {
  ok(launch(stream, adder.slow.get(), 64, 1, {buffer_arg(scratch), uint_arg(64), uint_arg(300000)}));
}

}  // namespace

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

TEST_CASE("memory keeps what is written to it, at odd places too", "[plugin][memory]") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(1000);
  const std::vector<unsigned char> zeros(1000, 0);
  ok(backend().write(stream.get(), buffer.get(), 0, zeros.data(), zeros.size()));
  const std::string text = "seventeen letters";
  ok(backend().write(stream.get(), buffer.get(), 13, text.data(), text.size()));
  std::vector<char> back(1000, 'x');
  ok(backend().read(stream.get(), buffer.get(), 0, back.data(), back.size()));
  CHECK(std::string(back.data() + 13, text.size()) == text);
  CHECK(back[12] == 0);
  CHECK(back[13 + text.size()] == 0);
}

TEST_CASE("fill repeats its pattern and keeps to its range", "[plugin][memory]") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(64 * sizeof(float));
  write(stream.get(), buffer.get(), counting(64));
  uint32_t pattern = 0;
  const float value = -2.5f;
  std::memcpy(&pattern, &value, sizeof pattern);
  ok(backend().fill(stream.get(), buffer.get(), 4, pattern, 61 * sizeof(float)));
  Floats expected(64, value);
  expected[0] = 0;
  expected[62] = 62;
  expected[63] = 63;
  CHECK(read(stream.get(), buffer.get(), 64) == expected);
}

TEST_CASE("copy moves bytes between buffers and within one", "[plugin][memory]") {
  const auto stream = make_stream();
  const auto from = make_buffer(100 * sizeof(float)), to = make_buffer(100 * sizeof(float));
  write(stream.get(), from.get(), counting(100));
  ok(backend().copy(stream.get(), to.get(), 3 * sizeof(float), from.get(), 7 * sizeof(float), 50 * sizeof(float)));
  ok(backend().copy(stream.get(), to.get(), 60 * sizeof(float), to.get(), 3 * sizeof(float), 20 * sizeof(float)));
  CHECK(read(stream.get(), to.get(), 50, 3) == counting(50, 7));
  CHECK(read(stream.get(), to.get(), 20, 60) == counting(20, 7));
}

TEST_CASE("transfers of nothing are no error", "[plugin][memory]") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(16);
  char byte = 0;
  ok(backend().write(stream.get(), buffer.get(), 16, &byte, 0));
  ok(backend().read(stream.get(), buffer.get(), 16, &byte, 0));
  ok(backend().copy(stream.get(), buffer.get(), 16, buffer.get(), 0, 0));
  ok(backend().fill(stream.get(), buffer.get(), 16, 0, 0));
}

TEST_CASE("a write keeps its place in the stream and its own copy of the data", "[plugin][memory]") {
  // Sizes around the ways a plugin may take: a pattern, staging memory, more than one staging block, straight.
  const size_t count =
      GENERATE(size_t{1}, size_t{3}, size_t{32}, size_t{1000}, (size_t{1} << 20) - 5, (size_t{1} << 20) + 1);
  const Adder adder;
  const auto stream = make_stream();
  const auto scratch = make_buffer(64 * sizeof(float));
  const auto x = make_buffer((count + 3) * sizeof(float)), before = make_buffer(count * sizeof(float));
  const auto zero = make_buffer(count * sizeof(float));
  write(stream.get(), scratch.get(), Floats(64));
  ok(backend().fill(stream.get(), zero.get(), 0, 0, count * sizeof(float)));
  write(stream.get(), x.get(), counting(count, 1), 3);
  ok(backend().stream_synchronize(stream.get()));

  // x is read behind slow work; the writes that follow must not be seen by that read, and only the last one stays.
  queue_slow_work(adder, stream.get(), scratch.get());
  const auto n = static_cast<uint32_t>(count);
  ok(launch(stream.get(), adder.add.get(), 8, 4,
            {buffer_arg(x.get(), 3), buffer_arg(zero.get()), buffer_arg(before.get()), uint_arg(n)}));
  for (int round = 0; round < 7; ++round) {
    Floats values = counting(count, 100.0f * static_cast<float>(round));
    write(stream.get(), x.get(), values, 3);
    std::fill(values.begin(), values.end(), -7.0f);
  }
  CHECK(same(read(stream.get(), before.get(), count), counting(count, 1)));
  CHECK(same(read(stream.get(), x.get(), count, 3), counting(count, 600)));
}

TEST_CASE("many large writes behind work all arrive", "[plugin][memory]") {
  constexpr size_t kCount = (size_t{1} << 20) - 64;  // with seven of them, more than a plugin keeps staging memory for
  constexpr int kWrites = 7;
  const Adder adder;
  const auto stream = make_stream();
  const auto scratch = make_buffer(64 * sizeof(float)), x = make_buffer(kWrites * kCount * sizeof(float));
  write(stream.get(), scratch.get(), Floats(64));
  for (int i = 0; i < 4; ++i) queue_slow_work(adder, stream.get(), scratch.get());
  for (int i = 0; i < kWrites; ++i)
    write(stream.get(), x.get(), counting(kCount, 10.0f * static_cast<float>(i)), static_cast<size_t>(i) * kCount);
  for (int i = 0; i < kWrites; ++i)
    CHECK(same(read(stream.get(), x.get(), kCount, static_cast<size_t>(i) * kCount),
               counting(kCount, 10.0f * static_cast<float>(i))));
}

TEST_CASE("more than the device can hold is out of memory, and harms nothing", "[plugin][memory][errors]") {
  portico_buffer* none = nullptr;
  REQUIRE(backend().buffer_create(device(), size_t{1} << 60, &none) == PORTICO_OUT_OF_MEMORY);
  CHECK(message_has(std::to_string(size_t{1} << 60)));
  CHECK(none == nullptr);
  const auto stream = make_stream();
  const auto buffer = make_buffer(16);
  write(stream.get(), buffer.get(), counting(4));
  CHECK(read(stream.get(), buffer.get(), 4) == counting(4));
}

TEST_CASE("pinned memory serves both directions", "[plugin][memory]") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(4000);
  void* pinned = nullptr;
  ok(backend().host_create(device(), 4000, &pinned));
  const Floats values = counting(1000);
  std::memcpy(pinned, values.data(), 4000);
  ok(backend().write(stream.get(), buffer.get(), 0, pinned, 4000));
  std::memset(pinned, 0, 4000);
  ok(backend().read(stream.get(), buffer.get(), 0, pinned, 4000));
  CHECK(std::memcmp(pinned, values.data(), 4000) == 0);
  backend().host_destroy(device(), pinned);
}

TEST_CASE("a kernel reads and writes views", "[plugin][launch]") {
  const Adder adder;
  const auto stream = make_stream();
  const auto a = make_buffer(4000), b = make_buffer(4000), c = make_buffer(4000);
  write(stream.get(), a.get(), counting(1000));
  write(stream.get(), b.get(), counting(1000, 5));
  write(stream.get(), c.get(), Floats(1000, -1.0f));
  ok(launch(stream.get(), adder.add.get(), 5, 32,
            {buffer_arg(a.get(), 1), buffer_arg(b.get(), 2), buffer_arg(c.get(), 3), uint_arg(990)}));
  const Floats back = read(stream.get(), c.get(), 1000);
  Floats expected(1000, -1.0f);
  for (int i = 0; i < 990; ++i) expected[i + 3] = static_cast<float>((i + 1) + (i + 2 + 5));
  CHECK(back == expected);
}

TEST_CASE("arguments are counted as the dialect writes them", "[plugin][launch]") {
  const Adder adder;
  uint32_t count = 0;
  ok(backend().kernel_arg_count(adder.add.get(), &count));
  CHECK((count == 4 || count == UINT32_MAX));
  ok(backend().kernel_arg_count(adder.slow.get(), &count));
  CHECK((count == 3 || count == UINT32_MAX));
}

TEST_CASE("objects may go while their work is queued", "[plugin][launch]") {
  const auto stream = make_stream();
  const auto c = make_buffer(256);
  {
    const Adder adder;
    const auto a = make_buffer(256), b = make_buffer(256), scratch = make_buffer(256);
    write(stream.get(), a.get(), counting(64));
    write(stream.get(), b.get(), counting(64));
    write(stream.get(), scratch.get(), Floats(64));
    queue_slow_work(adder, stream.get(), scratch.get());
    ok(launch(stream.get(), adder.add.get(), 4, 16,
              {buffer_arg(a.get()), buffer_arg(b.get()), buffer_arg(c.get()), uint_arg(64)}));
  }
  Floats expected = counting(64);
  for (float& value : expected) value *= 2;
  CHECK(read(stream.get(), c.get(), 64) == expected);
}

TEST_CASE("a group larger than the device allows is an error, and the device lives on", "[plugin][launch][errors]") {
  const Adder adder;
  const auto stream = make_stream();
  const auto x = make_buffer(256);
  portico_device_info info{};
  info.struct_size = sizeof info;
  ok(backend().device_describe(0, &info));
  const std::vector<portico_arg> args = {buffer_arg(x.get()), uint_arg(64), uint_arg(1)};
  CHECK(launch(stream.get(), adder.slow.get(), 1, info.max_group_size * 2, args) != PORTICO_OK);
  CHECK(message_has("slow"));
  write(stream.get(), x.get(), Floats(64));
  ok(launch(stream.get(), adder.slow.get(), 1, 1, args));
  CHECK(read(stream.get(), x.get(), 64) == Floats(64, 1.0f));
}

TEST_CASE("a kernel that wants more local memory than there is fails before it is launched",
          "[plugin][program][errors]") {
  portico_device_info info{};
  info.struct_size = sizeof info;
  ok(backend().device_describe(0, &info));
  const std::string floats = std::to_string(info.local_bytes / sizeof(float) + 64);
  portico_program* program = nullptr;
  portico_status status = compile("KERNEL void greedy(OUT(f32, x)) {\n  LOCAL float all[" + floats +
                                      "];\n  OFFSET(x);\n  all[LOCAL_ID] = x[GLOBAL_ID];\n  BARRIER();\n"
                                      "  x[GLOBAL_ID] = all[LOCAL_ID ^ 1u];\n}\n",
                                  &program);
  portico_kernel* none = nullptr;
  if (status == PORTICO_OK) status = backend().kernel_create(program, "greedy", &none);
  CHECK(status == PORTICO_COMPILE_FAILED);
  CHECK(none == nullptr);
  if (program) backend().program_destroy(program);
}

TEST_CASE("threads launch one kernel with arguments of their own", "[plugin][launch][threads]") {
  const Adder adder;
  constexpr size_t kThreads = 4;
  std::vector<int> right(kThreads, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      portico_stream* stream = nullptr;
      portico_buffer *x = nullptr, *one = nullptr;
      const float begin = 1000.0f * static_cast<float>(t), step = 1.0f;
      float end = -1.0f;
      bool good = backend().stream_create(device(), &stream) == PORTICO_OK &&
                  backend().buffer_create(device(), 4, &x) == PORTICO_OK &&
                  backend().buffer_create(device(), 4, &one) == PORTICO_OK &&
                  backend().write(stream, x, 0, &begin, 4) == PORTICO_OK &&
                  backend().write(stream, one, 0, &step, 4) == PORTICO_OK;
      const std::vector<portico_arg> args = {buffer_arg(x), buffer_arg(one), buffer_arg(x), uint_arg(1)};
      for (int i = 0; good && i < 500; ++i) good = launch(stream, adder.add.get(), 1, 1, args) == PORTICO_OK;
      good = good && backend().read(stream, x, 0, &end, 4) == PORTICO_OK;
      right[t] = good && end == begin + 500.0f;
      backend().buffer_destroy(x);
      backend().buffer_destroy(one);
      backend().stream_destroy(stream);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(kThreads, 1));
}

TEST_CASE("events carry the device's time", "[plugin][events]") {
  const Adder adder;
  const auto stream = make_stream();
  const auto x = make_buffer(256);
  write(stream.get(), x.get(), Floats(64));
  queue_slow_work(adder, stream.get(), x.get());  // the first launch may compile
  const auto start = make_event(), middle = make_event(), stop = make_event();
  ok(backend().event_record(start.get(), stream.get()));
  queue_slow_work(adder, stream.get(), x.get());
  ok(backend().event_record(middle.get(), stream.get()));
  for (int i = 0; i < 4; ++i) queue_slow_work(adder, stream.get(), x.get());
  ok(backend().event_record(stop.get(), stream.get()));
  ok(backend().event_synchronize(stop.get()));
  double one = -1.0, four = -1.0, back = 1.0;
  ok(backend().event_elapsed(start.get(), middle.get(), &one));
  ok(backend().event_elapsed(middle.get(), stop.get(), &four));
  ok(backend().event_elapsed(stop.get(), start.get(), &back));
  CHECK(one > 0.0);
  CHECK(four > one);
  CHECK(back == portico::test::Approx(-(one + four)));
}

TEST_CASE("an event that was never recorded holds nobody up", "[plugin][events]") {
  const auto stream = make_stream();
  const auto event = make_event();
  ok(backend().event_synchronize(event.get()));
  ok(backend().stream_wait(stream.get(), event.get()));
  ok(backend().stream_synchronize(stream.get()));
}

TEST_CASE("a stream waits for another's event", "[plugin][events]") {
  const Adder adder;
  const auto producer = make_stream(), consumer = make_stream();
  const auto x = make_buffer(256), y = make_buffer(256), zero = make_buffer(256);
  write(producer.get(), x.get(), Floats(64));
  write(producer.get(), zero.get(), Floats(64));
  ok(backend().stream_synchronize(producer.get()));
  const auto ready = make_event();
  queue_slow_work(adder, producer.get(), x.get());
  ok(backend().event_record(ready.get(), producer.get()));
  ok(backend().stream_wait(consumer.get(), ready.get()));
  SECTION("with a launch") {
    ok(launch(consumer.get(), adder.add.get(), 1, 1,
              {buffer_arg(x.get()), buffer_arg(zero.get()), buffer_arg(y.get()), uint_arg(64)}));
    CHECK(read(consumer.get(), y.get(), 64) == Floats(64, 2.0f));
  }
  SECTION("with a read") { CHECK(read(consumer.get(), x.get(), 64) == Floats(64, 2.0f)); }
  SECTION("with a write") {
    write(consumer.get(), x.get(), counting(64));
    CHECK(read(consumer.get(), x.get(), 64) == counting(64));
  }
}

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
  SECTION("one bit turned") { binary[binary.size() / 2] ^= 4; }
  portico_program* none = nullptr;
  CHECK(backend().program_load(device(), {binary.data(), binary.size()}, &none) != PORTICO_OK);
  CHECK(none == nullptr);
}

TEST_CASE("free memory is told or declined", "[plugin][memory]") {
  uint64_t available = 0, total = 0;
  const portico_status status = backend().memory_info(device(), &available, &total);
  if (status == PORTICO_UNSUPPORTED) return;
  ok(status);
  CHECK(available > 0);
  CHECK(available <= total);
}

namespace {

struct Gemm {
  uint32_t m, n, k, batch;
  bool trans_a, trans_b;
  float alpha, beta;
};

float value_at(uint32_t seed, size_t i) { return static_cast<float>((i * 7 + seed * 13) % 17) / 8.0f - 1.0f; }

// Row major, in double; the leading dimensions are 3 larger than they need be.
void check_gemm(const Gemm& g) {
  const uint32_t lda = (g.trans_a ? g.m : g.k) + 3, ldb = (g.trans_b ? g.k : g.n) + 3, ldc = g.n + 3;
  const uint64_t size_a = uint64_t{lda} * (g.trans_a ? g.k : g.m), size_b = uint64_t{ldb} * (g.trans_b ? g.n : g.k);
  const uint64_t size_c = uint64_t{ldc} * g.m;
  const size_t first = 5;
  Floats a(first + g.batch * size_a), b(first + size_b), c(first + g.batch * size_c);
  for (size_t i = 0; i < a.size(); ++i) a[i] = value_at(1, i);
  for (size_t i = 0; i < b.size(); ++i) b[i] = value_at(2, i);
  // Where beta is zero, C is output only: what the memory held before must not matter, not even a NaN.
  for (size_t i = 0; i < c.size(); ++i) c[i] = g.beta == 0.0f ? std::nanf("") : value_at(3, i);

  const auto stream = make_stream();
  const auto da = make_buffer(a.size() * 4), db = make_buffer(b.size() * 4), dc = make_buffer(c.size() * 4);
  write(stream.get(), da.get(), a);
  write(stream.get(), db.get(), b);
  write(stream.get(), dc.get(), c);
  portico_gemm call{};
  call.struct_size = sizeof call;
  call.dtype = PORTICO_F32;
  call.trans_a = g.trans_a;
  call.trans_b = g.trans_b;
  call.m = g.m;
  call.n = g.n;
  call.k = g.k;
  call.batch = g.batch;
  call.lda = lda;
  call.ldb = ldb;
  call.ldc = ldc;
  call.stride_a = size_a;
  call.stride_b = 0;
  call.stride_c = size_c;
  call.alpha = g.alpha;
  call.beta = g.beta;
  call.a = buffer_arg(da.get(), first);
  call.b = buffer_arg(db.get(), first);
  call.c = buffer_arg(dc.get(), first);
  ok(backend().gemm(stream.get(), &call));
  const Floats got = read(stream.get(), dc.get(), c.size());

  Floats expected = c;
  for (uint32_t s = 0; s < g.batch; ++s)
    for (uint32_t i = 0; i < g.m; ++i)
      for (uint32_t j = 0; j < g.n; ++j) {
        double sum = 0.0;
        for (uint32_t p = 0; p < g.k; ++p)
          sum += double{a[first + s * size_a + (g.trans_a ? p * lda + i : i * lda + p)]} *
                 double{b[first + (g.trans_b ? j * ldb + p : p * ldb + j)]};
        float& at = expected[first + s * size_c + i * ldc + j];
        at = static_cast<float>(g.alpha * sum + (g.beta == 0.0f ? 0.0 : g.beta * at));
      }
  int wrong = 0;
  for (size_t i = 0; i < c.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(got[i])) continue;  // between the rows, and before the first
    const bool close = std::abs(double{got[i]} - double{expected[i]}) <= 1e-6 * (g.k + 1);  // false for a NaN
    wrong += !close;
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("the gemm slot multiplies, or declines", "[plugin][gemm]") {
  portico_device_info info{};
  info.struct_size = sizeof info;
  ok(backend().device_describe(0, &info));
  if (!(info.features & PORTICO_FEATURE_GEMM)) {
    REQUIRE(std::getenv("PORTICO_CLBLAST_ON_CPU") == nullptr);  // asked for, so it must be there
    if (!backend().gemm) return;
    const auto stream = make_stream();
    portico_gemm call{};
    call.struct_size = sizeof call;
    CHECK(backend().gemm(stream.get(), &call) == PORTICO_UNSUPPORTED);
    return;
  }
  const auto flag_a = GENERATE(false, true), flag_b = GENERATE(false, true);
  check_gemm({5, 7, 9, 1, flag_a, flag_b, 1.0f, 0.0f});
  check_gemm({33, 17, 40, 1, flag_a, flag_b, 0.5f, 2.0f});
  check_gemm({8, 6, 4, 3, flag_a, flag_b, 1.0f, 1.0f});
}

// A main of its own: the shared one would ask the core whether there is a device.
int main(int argc, char** argv) {
  int32_t count = 0;
  if (backend().device_count(&count) != PORTICO_OK) {
    const char* required = std::getenv("PORTICO_REQUIRE_BACKEND");
    const bool failed = required && std::string(required) == "1";
    std::fprintf(stderr, "%s: %s\n", failed ? "failed" : "skipped", t_message.c_str());
    return failed ? 1 : 77;
  }
  return Catch::Session().run(argc, argv) == 0 ? 0 : 1;
}
