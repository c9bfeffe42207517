// Random numbers and dropout: known answers, distributions, and one seed one result.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

// Philox 4x32-10 once more, word for word as the paper defines it.
void philox(std::uint32_t c[4], std::uint32_t k0, std::uint32_t k1) {
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0], b = std::uint64_t{0xCD9E8D57u} * c[2];
    const auto a_low = static_cast<std::uint32_t>(a), a_high = static_cast<std::uint32_t>(a >> 32);
    const auto b_low = static_cast<std::uint32_t>(b), b_high = static_cast<std::uint32_t>(b >> 32);
    c[0] = b_high ^ c[1] ^ k0;
    c[1] = b_low;
    c[2] = a_high ^ c[3] ^ k1;
    c[3] = a_low;
  }
}

std::uint32_t word_of(std::uint64_t seed, std::uint64_t first, std::int64_t element) {
  const std::uint64_t counter = first + static_cast<std::uint64_t>(element / 64 * 16 + element % 16);
  std::uint32_t c[4] = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
  philox(c, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
  return c[element / 16 % 4];
}

double mean_of(const std::vector<float>& v) {
  double total = 0.0;
  for (const float x : v) total += x;
  return total / static_cast<double>(v.size());
}

double deviation_of(const std::vector<float>& v) {
  const double mean = mean_of(v);
  double total = 0.0;
  for (const float x : v) total += (x - mean) * (x - mean);
  return std::sqrt(total / static_cast<double>(v.size()));
}

}  // namespace

TEST_CASE("Philox gives the published answers", "[random]") {
  // From the test vectors that come with the paper's code (Random123).
  std::uint32_t zero[4] = {0, 0, 0, 0};
  philox(zero, 0, 0);
  CHECK(zero[0] == 0x6627e8d5u);
  CHECK(zero[1] == 0xe169c58du);
  CHECK(zero[2] == 0xbc57ac4cu);
  CHECK(zero[3] == 0x9b00dbd8u);
  Generator generator(0);
  CHECK(generator.next() == 0x6627e8d5u);
  CHECK(generator.position() == 1);
}

TEST_CASE("a seed gives the same numbers everywhere", "[random]") {
  const std::uint64_t seed = GENERATE(std::uint64_t{0}, std::uint64_t{0x123456789abcdef0});
  const std::uint64_t first = GENERATE(std::uint64_t{0}, std::uint64_t{0xfffffff8});  // carries into the high word
  for (const std::int64_t count : {1, 7, 16, 63, 64, 65, 1000}) {
    default_generator().reset(seed, first);
    const std::vector<float> y = Tensor::uniform({count}, 0.0f, 1.0f).to_vector();
    CHECK(default_generator().position() == first + static_cast<std::uint64_t>((count + 63) / 64 * 16));
    std::size_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i)
      wrong += y[static_cast<std::size_t>(i)] != static_cast<float>(word_of(seed, first, i) >> 8) * 0x1p-24f;
    CHECK(wrong == 0);
  }
}

TEST_CASE("normal numbers are Box and Muller's", "[random]") {
  default_generator().reset(11);
  const std::int64_t count = 1000;
  const std::vector<float> y = Tensor::normal({count}, 0.5f, 2.0f).to_vector();
  Doubles expected;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t pair = i / 32 * 32 + i % 16;
    const double u = ((word_of(11, 0, pair) >> 8) + 1.0) * 0x1p-24,
                 angle = 2.0 * M_PI * (word_of(11, 0, pair + 16) >> 8) * 0x1p-24;
    const double radius = 2.0 * std::sqrt(-2.0 * std::log(u));
    expected.push_back(0.5 + radius * (i % 32 < 16 ? std::cos(angle) : std::sin(angle)));
  }
  check_values(y, expected, DType::f32, 1, 8.0);
}

TEST_CASE("distributions", "[random]") {
  seed(5);
  const DType dtype = GENERATE(DType::f32, DType::f16, DType::bf16);
  const std::vector<float> u = Tensor::uniform({100000}, -2.0f, 4.0f, {.dtype = dtype}).to_vector();
  CHECK(mean_of(u) == Approx(1.0).margin(0.03));
  CHECK(deviation_of(u) == Approx(6.0 / std::sqrt(12.0)).epsilon(0.01));
  CHECK(*std::min_element(u.begin(), u.end()) >= -2.0f);
  CHECK(*std::max_element(u.begin(), u.end()) <= 4.0f);
  const std::vector<float> n = Tensor::normal({100000}, 3.0f, 2.0f, {.dtype = dtype}).to_vector();
  CHECK(mean_of(n) == Approx(3.0).margin(0.03));
  CHECK(deviation_of(n) == Approx(2.0).epsilon(0.01));
  CHECK(Tensor::normal({0}, 0.0f, 1.0f).to_vector().empty());
}

TEST_CASE("dropout zeroes and scales, and its gradient has the same mask", "[random]") {
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  for (const Shape& shape : {Shape{0}, Shape{1}, Shape{33}, Shape{64}, Shape{2, 3, 4, 5}, Shape{50000}}) {
    seed(9);
    Tensor x = Tensor::ones(shape, {.dtype = dtype}).set_requires_grad();
    const Tensor y = dropout(x, 0.25f);
    const std::vector<float> values = y.to_vector();
    std::size_t kept = 0, wrong = 0;
    const float scale = from_bf16(to_bf16(4.0f / 3.0f));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool keeps = word_of(9, 0, static_cast<std::int64_t>(i)) >= 0x40000000u;
      kept += keeps;
      wrong += values[i] != (keeps ? (dtype == DType::f32 ? 1.0f / 0.75f : scale) : 0.0f);
    }
    CHECK(wrong == 0);
    if (values.size() > 1000)
      CHECK(static_cast<double>(kept) / static_cast<double>(values.size()) == Approx(0.75).epsilon(0.02));
    y.backward(Tensor::ones(shape, {.dtype = dtype}));
    CHECK(x.grad().to_vector() == values);
  }
}

TEST_CASE("dropout's mask follows the layout", "[random]") {
  Tensor x = Tensor::ones({2, 3, 4, 5}).contiguous(Layout::channels_last).set_requires_grad();
  const Tensor y = dropout(x, 0.5f);
  y.backward(Tensor::ones({2, 3, 4, 5}));
  CHECK(x.grad().to_vector() == y.to_vector());
}

TEST_CASE("dropout at its ends", "[random]") {
  Tensor x = Tensor::full({9}, INFINITY).set_requires_grad();
  CHECK(dropout(x, 0.0f).to_vector() == x.to_vector());
  const Tensor y = dropout(x, 1.0f);
  CHECK(y.to_vector() == std::vector<float>(9, 0.0f));
  y.backward(Tensor::ones({9}));
  CHECK(x.grad().to_vector() == std::vector<float>(9, 0.0f));
}

TEST_CASE("random operations refuse what makes no sense", "[random][errors]") {
  const auto bad = ErrorCode::invalid_argument;
  check_error([] { Tensor::uniform({3}, 1.0f, 0.0f); }, bad, "uniform: low");
  check_error([] { Tensor::normal({3}, 0.0f, -1.0f); }, bad, "normal: deviation");
  check_error([] { Tensor::normal({3}, 0.0f, 1.0f, {.dtype = DType::i32}); }, bad, "normal: needs f32");
  check_error([] { dropout(Tensor::ones({3}), 1.5f); }, bad, "dropout: p 1.5");
  check_error([] { dropout(Tensor::ones({3}), NAN); }, bad, "dropout: p");
  check_error([] { dropout(Tensor(), 0.5f); }, bad, "dropout: x is undefined");
}

}  // namespace portico::test
