// Memory: transfers, fills, copies, order in a stream, too much of it.
#include <algorithm>
#include <cstring>

#include "plugin.hpp"

namespace portico::test {
namespace {

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

TEST_CASE("free memory is told or declined", "[plugin][memory]") {
  uint64_t available = 0, total = 0;
  const portico_status status = backend().memory_info(device(), &available, &total);
  if (status == PORTICO_UNSUPPORTED) return;
  ok(status);
  CHECK(available > 0);
  CHECK(available <= total);
}

}  // namespace
}  // namespace portico::test
