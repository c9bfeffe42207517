// Launches, their limits, threads, events and streams that wait.
#include <algorithm>
#include <numeric>
#include <thread>

#include "plugin.hpp"

namespace portico::test {
namespace {

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

}  // namespace
}  // namespace portico::test
