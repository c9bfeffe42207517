#include "portico/shape.hpp"
#include "catch.hpp"
#include "op_check.hpp"
#include "portico/dtype.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace portico::test {

TEST_CASE("a shape counts, prints and compares", "[shape]") {
  CHECK(Shape{}.count() == 1);
  CHECK(Shape{2, 3, 4}.count() == 24);
  CHECK(Shape{2, 0, 4}.count() == 0);
  CHECK(Shape{2, 3}.to_string() == "[2,3]");
  CHECK(Shape{}.to_string() == "[]");
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  check_error([] { Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}; }, ErrorCode::invalid_argument, "more than 8 axes");
}

TEST_CASE("axes count from both ends", "[shape]") {
  const Shape shape{2, 3, 4};
  CHECK(shape.axis(-1, "f") == 2);
  CHECK(shape.axis(0, "f") == 0);
  check_error([&] { (void)shape.axis(3, "f"); }, ErrorCode::invalid_argument, "f: axis 3 does not exist in [2,3,4]");
  check_error([&] { (void)shape.axis(-4, "f"); }, ErrorCode::invalid_argument, "axis -4");
}

TEST_CASE("shapes broadcast by NumPy's rule", "[shape]") {
  CHECK(broadcast_shapes({2, 1, 4}, {3, 1}, "f") == Shape{2, 3, 4});
  CHECK(broadcast_shapes({}, {3}, "f") == Shape{3});
  CHECK(broadcast_shapes({1}, {0}, "f") == Shape{0});
  check_error(
      [] {
        (void)broadcast_shapes({2, 3}, {4}, "add");
      },
      ErrorCode::invalid_argument, "add: shapes [2,3] and [4] do not broadcast: 3 against 4 on axis 1");
}

TEST_CASE("every half survives the way to float and back", "[dtype]") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = from_f16(half);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(from_f16(to_f16(value))));
    } else {
      REQUIRE(to_f16(value) == half);
    }
    const float brain = from_bf16(half);
    if (std::isnan(brain)) {
      REQUIRE(std::isnan(from_bf16(to_bf16(brain))));
    } else {
      REQUIRE(to_bf16(brain) == half);
    }
  }
}

TEST_CASE("floats round to the nearest half, ties to even", "[dtype]") {
  CHECK(to_f16(1.0f) == 0x3c00);
  CHECK(to_f16(-2.0f) == 0xc000);
  CHECK(to_f16(65504.0f) == 0x7bff);
  CHECK(to_f16(65519.9f) == 0x7bff);
  CHECK(to_f16(65520.0f) == 0x7c00);
  CHECK(to_f16(1e9f) == 0x7c00);
  CHECK(to_f16(std::numeric_limits<float>::infinity()) == 0x7c00);
  CHECK(to_f16(1.0f + 0x1p-11f) == 0x3c00);      // half-way, to even
  CHECK(to_f16(1.0f + 3 * 0x1p-11f) == 0x3c02);  // half-way, to even, upwards
  CHECK(to_f16(0x1p-24f) == 1);                  // the smallest subnormal
  CHECK(to_f16(0x1p-25f) == 0);                  // half of it, to even
  CHECK(to_f16(0x1.8p-25f) == 1);
  CHECK(to_bf16(1.0f) == 0x3f80);
  CHECK(to_bf16(std::bit_cast<float>(0x3f808000u)) == 0x3f80);  // half-way, to even
  CHECK(to_bf16(std::bit_cast<float>(0x3f818000u)) == 0x3f82);
  CHECK(to_bf16(std::numeric_limits<float>::max()) == 0x7f80);
}

}  // namespace portico::test
