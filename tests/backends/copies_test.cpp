// Large transfers, which may take a way of their own, in the order of the stream that they were queued on.
#include <thread>

#include "plugin.hpp"

namespace portico::test {
namespace {

constexpr size_t kLarge = (size_t{5} << 18) + 1234;  // floats: several staging blocks and a piece of one

Floats filled(size_t count, float value) { return Floats(count, value); }

void copy(portico_stream* stream, portico_buffer* to, const portico_buffer* from, size_t floats) {
  ok(backend().copy(stream, to, 0, from, 0, floats * 4));
}

}  // namespace

TEST_CASE("a large write comes after what was queued before it and before what follows", "[plugin][copies]") {
  constexpr int kRounds = 4;  // more than the staging memory holds
  const auto stream = make_stream();
  const auto target = make_buffer(kLarge * 4), before = make_buffer(kLarge * 4);
  std::vector<Owned<portico_buffer>> after;
  ok(backend().fill(stream.get(), target.get(), 0, 0, kLarge * 4));
  for (int round = 0; round < kRounds; ++round) {
    Floats values = counting(kLarge, static_cast<float>(round));
    copy(stream.get(), before.get(), target.get(), kLarge);
    write(stream.get(), target.get(), values);
    std::fill(values.begin(), values.end(), -1.0f);  // the caller's memory is free
    after.push_back(make_buffer(kLarge * 4));
    copy(stream.get(), after.back().get(), target.get(), kLarge);
    ok(backend().fill(stream.get(), target.get(), 0, 0x3f800000u, kLarge * 4));
  }
  CHECK(same(read(stream.get(), before.get(), kLarge), filled(kLarge, 1.0f)));
  CHECK(same(read(stream.get(), target.get(), kLarge), filled(kLarge, 1.0f)));
  for (int round = 0; round < kRounds; ++round)
    CHECK(same(read(stream.get(), after[static_cast<size_t>(round)].get(), kLarge),
               counting(kLarge, static_cast<float>(round))));
}

TEST_CASE("a large read sees all that was queued before it", "[plugin][copies]") {
  const auto stream = make_stream();
  const auto buffer = make_buffer(kLarge * 4), other = make_buffer(kLarge * 4);
  for (int round = 0; round < 3; ++round) {
    const Floats values = counting(kLarge, static_cast<float>(100 * round));
    write(stream.get(), other.get(), values);
    copy(stream.get(), buffer.get(), other.get(), kLarge);
    CHECK(same(read(stream.get(), buffer.get(), kLarge), values));
    CHECK(same(read(stream.get(), buffer.get(), kLarge / 2, kLarge / 4),
               Floats(values.begin() + kLarge / 4, values.begin() + kLarge / 4 + kLarge / 2)));
  }
}

TEST_CASE("reads and writes of several threads on several streams keep their contents", "[plugin][copies]") {
  std::vector<std::thread> threads;
  std::vector<int> wrong(3);
  for (size_t i = 0; i < wrong.size(); ++i)
    threads.emplace_back([&, i] {
      portico_stream* stream = nullptr;
      portico_buffer* buffer = nullptr;
      wrong[i] = backend().stream_create(device(), &stream) != PORTICO_OK ||
                 backend().buffer_create(device(), kLarge * 4, &buffer) != PORTICO_OK;
      for (int round = 0; round < 3 && wrong[i] == 0; ++round) {
        const Floats values = counting(kLarge, static_cast<float>(1000 * i + static_cast<size_t>(round)));
        Floats got(kLarge);
        wrong[i] += backend().write(stream, buffer, 0, values.data(), kLarge * 4) != PORTICO_OK;
        wrong[i] += backend().read(stream, buffer, 0, got.data(), kLarge * 4) != PORTICO_OK;
        wrong[i] += got != values;
      }
      backend().buffer_destroy(buffer);
      backend().stream_destroy(stream);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(3, 0));
}

}  // namespace portico::test
