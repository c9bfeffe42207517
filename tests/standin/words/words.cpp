#include "words.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "catch.hpp"

namespace portico::test {
namespace {

constexpr std::size_t kMargin = 4;  // before and behind what a kernel may touch: four floats keep 16 bytes' alignment

// Memory with a margin on both sides that has to stay as it was.
template <typename T>
struct Array {
  explicit Array(std::size_t count, T fill) : values(count + 2 * kMargin, fill) {}
  explicit Array(const std::vector<T>& inner) : Array(inner.size(), T{}) {
    std::copy(inner.begin(), inner.end(), values.begin() + kMargin);
  }
  T& operator[](std::size_t i) { return values[kMargin + i]; }
  operator Argument() { return {values.data(), values.size() * sizeof(T), sizeof(T), kMargin, 0}; }
  std::vector<T> values;
};

Argument number(std::size_t value) { return {nullptr, 0, 0, 0, static_cast<std::uint32_t>(value)}; }

// One message for thousands of elements. Nan is nan, whichever its bits are.
template <typename T, typename Same>
void check_same(const std::string& what, const Array<T>& got, const Array<T>& expected, Same same) {
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i)
    if (!same(got.values[i], expected.values[i]) && wrong++ == 0) first = i;
  INFO(what << ": " << wrong << " of " << expected.values.size() << " differ, element " << first
            << " (with a margin of " << kMargin << ") is " << +got.values[first] << " instead of "
            << +expected.values[first]);
  CHECK(wrong == 0);
}
template <typename T>
void check_same(const std::string& what, const Array<T>& got, const Array<T>& expected) {
  check_same(what, got, expected, [](T a, T b) { return a == b; });
}

bool same_float(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

// A storage type of 16 bits: so many bits of mantissa, and the exponent of its smallest normal number.
struct Narrow {
  const char* name;
  int mantissa, lowest;

  int exponent_bits() const { return 15 - mantissa; }
  bool is_nan(std::uint16_t bits) const { return (bits & 0x7fff) > infinity(); }
  int infinity() const { return ((1 << exponent_bits()) - 1) << mantissa; }

  float widened(std::uint16_t bits) const {
    const int magnitude = bits & 0x7fff;
    const int exponent = magnitude >> mantissa, fraction = magnitude & ((1 << mantissa) - 1);
    double value = std::ldexp(fraction + (exponent ? 1 << mantissa : 0), std::max(exponent, 1) - 1 + lowest - mantissa);
    if (magnitude == infinity()) value = std::numeric_limits<double>::infinity();
    if (is_nan(bits)) value = std::numeric_limits<double>::quiet_NaN();
    return static_cast<float>(bits & 0x8000 ? -value : value);
  }

  // The nearest number that the type holds, of two the even one. Counted in steps from zero the numbers are the bits.
  std::uint16_t narrowed(float value) const {
    const int sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value)) return static_cast<std::uint16_t>(sign | infinity() | 1 << (mantissa - 1));
    if (std::isinf(value)) return static_cast<std::uint16_t>(sign | infinity());
    const double magnitude = std::fabs(static_cast<double>(value));
    const int exponent = magnitude == 0 ? lowest : std::max(std::ilogb(magnitude), lowest);
    const double steps = std::nearbyint(std::ldexp(magnitude, mantissa - exponent));  // to even is the host's mode
    const double bits = steps + (exponent - lowest) * std::ldexp(1.0, mantissa);
    return static_cast<std::uint16_t>(sign | std::min(static_cast<int>(bits), infinity()));
  }
};

void check_narrow(Machine& machine, const Narrow& type) {
  std::vector<std::uint16_t> all(65536);
  Array<float> expected(all.size(), -1.0f), wide(all.size(), -1.0f);
  std::vector<float> between;  // numbers, the middles between neighbours, and what lies next to a middle
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint16_t>(i);
    expected[i] = type.widened(all[i]);
    const std::uint32_t u = std::bit_cast<std::uint32_t>(expected[i]);
    if (i % 5 != 0 && (i & 0x7fff) > 8) continue;  // a part of them is enough; all near zero
    const std::uint32_t half =
        std::bit_cast<std::uint32_t>((expected[i] + type.widened(static_cast<std::uint16_t>(i + 1))) / 2);
    for (const std::uint32_t bits : {u, half - 1, half, half + 1}) between.push_back(std::bit_cast<float>(bits));
  }
  for (const float value : {65504.0f, 65519.0f, 65520.0f, 3.0e38f, -3.4028235e38f, 1.0e-40f, INFINITY, -INFINITY, NAN})
    between.push_back(value);
  Array<std::uint16_t> x(all);
  machine.run({std::string("load_") + type.name, {3, 1, 1}, 64, {x, wide, number(all.size())}});
  check_same(std::string("LOAD_AS ") + type.name, wide, expected, same_float);

  Array<float> values(between);
  Array<std::uint16_t> stored(between.size(), 7), rounded(between.size(), 7);
  for (std::size_t i = 0; i < between.size(); ++i) rounded[i] = type.narrowed(between[i]);
  machine.run({std::string("store_") + type.name, {3, 1, 1}, 64, {values, stored, number(between.size())}});
  check_same(std::string("STORE_AS ") + type.name, stored, rounded,
             [&](std::uint16_t a, std::uint16_t b) { return a == b || (type.is_nan(a) && type.is_nan(b)); });
}

// T of the host as it is stored, and the floats that go in and come out.
template <typename T>
void check_plain(Machine& machine, const std::string& name, const std::vector<T>& held,
                 const std::vector<float>& given) {
  Array<T> x(held), y(given.size(), T{77}), stored(given.size(), T{77});
  Array<float> wide(held.size(), -1.0f), expected(held.size(), -1.0f), values(given);
  for (std::size_t i = 0; i < held.size(); ++i) expected[i] = static_cast<float>(held[i]);
  for (std::size_t i = 0; i < given.size(); ++i) stored[i] = static_cast<T>(given[i]);
  machine.run({"load_" + name, {3, 1, 1}, 8, {x, wide, number(held.size())}});
  machine.run({"store_" + name, {3, 1, 1}, 8, {values, y, number(given.size())}});
  check_same("LOAD_AS " + name, wide, expected, same_float);
  if constexpr (std::is_same_v<T, float>)
    check_same("STORE_AS " + name, y, stored, same_float);
  else
    check_same("STORE_AS " + name, y, stored);
}

void check_places(Machine& machine) {
  Array<std::int32_t> x(std::vector<std::int32_t>{1000}), y(7 * 192, -1), expected(7 * 192, -1);
  machine.run({"places", {3, 2, 4}, 8, {x, y}});
  std::size_t at = 0;
  for (int gz = 0; gz < 4; ++gz)
    for (int gy = 0; gy < 2; ++gy)
      for (int gx = 0; gx < 3; ++gx)
        for (int t = 0; t < 8; ++t)
          for (const int value : {t + 1000, gx, gy, gz, 3, 8 * gx + t, 24}) expected[at++] = value;
  check_same("where a thread is", y, expected);
}

void check_local(Machine& machine) {
  constexpr std::size_t kCount = 5 * 64;
  Array<float> x(kCount, 0.0f), y(kCount, -1.0f), expected(kCount, -1.0f);
  for (std::size_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i * 37 % 1001);
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto at = [&](std::size_t step) { return x[i / 64 * 64 + (63 - i % 64 + step) % 64]; };
    expected[i] = 256 * at(0) + 16 * at(1) + at(2);  // whole numbers below 2^24: exact in any order
  }
  machine.run({"turned", {5, 1, 1}, 64, {x, y}});
  check_same("LOCAL and BARRIER", y, expected, same_float);
}

void check_fours(Machine& machine) {
  constexpr std::size_t kCount = 4 * 50;
  Array<float> x(kCount, 0.0f), y(kCount, -1.0f), expected(kCount, -1.0f);
  for (std::size_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i) + 0.5f;
  for (std::size_t i = 0; i < kCount; i += 4) {
    expected[i] = x[i + 3];
    expected[i + 1] = x[i] + 1;
    expected[i + 2] = x[i + 2];
    expected[i + 3] = x[i + 1];
  }
  machine.run({"fours", {2, 1, 1}, 8, {x, y, number(kCount)}});
  check_same("LOAD4, F32X4, STORE4", y, expected, same_float);
}

void check_real(Machine& machine, const Narrow& type) {
  std::vector<std::uint16_t> held(500);
  for (std::size_t i = 0; i < held.size(); ++i) held[i] = static_cast<std::uint16_t>(0x3f00 + 5 * i);
  Array<std::uint16_t> x(held), y(held.size(), 7), expected(held.size(), 7);
  for (std::size_t i = 0; i < held.size(); ++i) expected[i] = type.narrowed(3 * type.widened(held[i]));
  machine.run({"tripled", {2, 1, 1}, 16, {x, y, number(held.size())}});
  check_same("LOAD and STORE of REAL", y, expected);
}

void check_bits(Machine& machine) {
  constexpr std::size_t kCount = 200;
  Array<float> x(kCount, 0.0f);
  Array<std::int32_t> y(10 * kCount, -1), expected(10 * kCount, -1);
  for (std::size_t i = 0; i < kCount; ++i)
    x[i] = std::ldexp(1.0f + static_cast<float>(i) / 311.0f, static_cast<int>(i % 61) - 30);
  machine.run({"bits", {3, 1, 1}, 16, {x, y, number(kCount)}});
  double farthest = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const float v = x[i];
    const std::uint32_t u = std::bit_cast<std::uint32_t>(v);
    const std::uint64_t wide = u, minus = 0u - u, five = 0u - 5u;
    const std::uint64_t words[] = {u,
                                   std::bit_cast<std::uint32_t>(2 * v),
                                   wide * 0x9e3779b9u >> 32,
                                   minus * five >> 32,
                                   wide * wide >> 24,
                                   (u & 0xffff) + (u & 0xff),
                                   0x7f800000,
                                   1,
                                   std::bit_cast<std::uint32_t>(std::fma(v, v, -3.0f))};
    for (std::size_t w = 0; w < 9; ++w) expected[10 * i + w] = static_cast<std::int32_t>(words[w]);
    const float root = std::bit_cast<float>(y[10 * i + 9]);
    farthest = std::max(farthest, std::fabs(root * std::sqrt(static_cast<double>(v)) - 1));
    expected[10 * i + 9] = y[10 * i + 9];
  }
  check_same("bits and numbers", y, expected);
  CHECK(farthest <= 0x1p-22);  // two units in the last place, which all three languages promise
}

void check_claims(Machine& machine) {
  constexpr std::size_t kCount = 128;
  Array<std::int32_t> places(kCount / 2, -1), found(kCount, -7);
  machine.run({"claims", {4, 1, 1}, 32, {places, found, number(kCount)}});
  for (std::size_t i = 0; i < kCount; i += 2) {
    const int first = static_cast<int>(i), winner = places[i / 2];
    INFO("threads " << first << " and " << first + 1 << " found " << found[i] << " and " << found[i + 1]
                    << ", the place holds " << winner);
    const bool either = winner == first || winner == first + 1;
    REQUIRE(either);
    CHECK(found[winner == first ? i : i + 1] == -1);
    CHECK(found[winner == first ? i + 1 : i] == winner);
  }
}

}  // namespace

void check_words(Machine& machine) {
  const Narrow f16 = {"f16", 10, -14}, bf16 = {"bf16", 7, -126};
  check_places(machine);
  check_local(machine);
  check_narrow(machine, f16);
  check_narrow(machine, bf16);
  check_real(machine, bf16);
  check_plain<float>(machine, "f32", {1.5f, -0.0f, 1e-40f, INFINITY}, {2.5f, -0.0f, 3e-42f, -INFINITY, NAN, 1.0f / 3});
  check_plain<std::int32_t>(machine, "i32", {0, -1, 77777, -(1 << 24)},
                            {5.9f, -5.9f, 0.0f, 16777216.0f, -2147483648.0f});
  check_plain<std::uint8_t>(machine, "u8", {0, 1, 127, 128, 255}, {0.0f, 0.9f, 127.5f, 128.0f, 255.0f});
  check_fours(machine);
  check_bits(machine);
  check_claims(machine);
}

}  // namespace portico::test
