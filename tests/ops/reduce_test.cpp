// Reductions over any axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

enum class Kind { sum, mean, max, min, argmax };

// The reference walks all elements and folds each into the element of the result that its kept coordinates name.
OpCase reduce_case(Kind kind, Shape shape, std::vector<int> axes, bool keep = false) {
  static constexpr const char* kNames[] = {"sum", "mean", "max", "min", "argmax"};
  std::string name = kNames[static_cast<int>(kind)] + shape.to_string() + (keep ? "keep" : "");
  std::int64_t count = axes.empty() ? shape.count() : 1;
  for (const int axis : axes) count *= shape[axis < 0 ? axis + shape.rank() : axis], name += "," + std::to_string(axis);
  Tensor (*op)(const Tensor&, std::span<const int>, bool) =
      kind == Kind::sum    ? static_cast<Tensor (*)(const Tensor&, std::span<const int>, bool)>(sum)
      : kind == Kind::mean ? static_cast<Tensor (*)(const Tensor&, std::span<const int>, bool)>(mean)
      : kind == Kind::max  ? static_cast<Tensor (*)(const Tensor&, std::span<const int>, bool)>(max)
                           : static_cast<Tensor (*)(const Tensor&, std::span<const int>, bool)>(min);
  const bool extreme = kind == Kind::max || kind == Kind::min || kind == Kind::argmax;
  return {
      .name = name,
      .inputs = {shape},
      .op = [=](const auto& in) { return kind == Kind::argmax ? argmax(in[0], axes[0], keep) : op(in[0], axes, keep); },
      .reference =
          [=](const auto& in) {
            std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), axes.empty());
            for (const int axis : axes) reduced[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = true;
            const auto strides = strides_of(shape);
            std::int64_t results = 1;
            for (int axis = 0; axis < shape.rank(); ++axis)
              if (!reduced[static_cast<std::size_t>(axis)]) results *= shape[axis];
            const double start = kind == Kind::max || kind == Kind::argmax ? -INFINITY
                                 : kind == Kind::min                       ? INFINITY
                                                                           : 0.0;
            Doubles y(static_cast<std::size_t>(results), start), position(y.size(), 0.0);
            for (std::int64_t i = 0; i < shape.count(); ++i) {
              std::int64_t to = 0, along = 0;
              for (int axis = 0; axis < shape.rank(); ++axis) {
                const std::int64_t at = i / strides[static_cast<std::size_t>(axis)] % shape[axis];
                if (reduced[static_cast<std::size_t>(axis)])
                  along = at;
                else
                  to = to * shape[axis] + at;
              }
              double& result = y[static_cast<std::size_t>(to)];
              const double x = in[0][static_cast<std::size_t>(i)];
              if (kind == Kind::argmax && x > result)
                position[static_cast<std::size_t>(to)] = static_cast<double>(along);
              if (kind == Kind::max || kind == Kind::argmax)
                result = std::max(result, x);
              else if (kind == Kind::min)
                result = std::min(result, x);
              else
                result += kind == Kind::mean ? x / static_cast<double>(count) : x;
            }
            return kind == Kind::argmax ? position : y;
          },
      .length = kind == Kind::sum || kind == Kind::mean ? count : 1,
      .magnitude = kind == Kind::mean ? 1.0 / static_cast<double>(std::max<std::int64_t>(count, 1)) : 1.0,
      .values = {{.distinct = extreme}}};
}

struct Axes {
  Shape shape;
  std::vector<int> axes;
};

const Axes kAxes[] = {{{}, {}},
                      {{1}, {}},
                      {{7}, {0}},
                      {{31}, {}},
                      {{33}, {-1}},
                      {{100}, {0}},
                      {{3, 8}, {1}},
                      {{3, 31}, {0}},
                      {{5, 100}, {0}},
                      {{5, 300}, {1}},
                      {{70, 33}, {0}},
                      {{3, 4, 5}, {1}},
                      {{3, 4, 5}, {0, 2}},
                      {{3, 1, 5}, {1}},
                      {{2, 17, 6, 5}, {0, 2, 3}},
                      {{2, 17, 6, 5}, {2, 3}},
                      {{2, 17, 6, 5}, {1}},
                      {{2, 3, 4, 5}, {0, 2}},
                      {{2, 2, 3, 2, 3, 2, 2}, {0, 2, 4, 6}}};

}  // namespace

TEST_CASE("reductions agree with their references", "[reduce]") {
  for (const Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min})
    for (const Axes& at : kAxes) {
      check_forward(reduce_case(kind, at.shape, at.axes));
      check_forward(reduce_case(kind, at.shape, at.axes, true));
    }
  CHECK(sum(Tensor::zeros({2, 3, 4}), {1}, true).shape() == Shape{2, 1, 4});
  CHECK(sum(Tensor::zeros({2, 3, 4}), {1}).shape() == Shape{2, 4});
}

TEST_CASE("reductions in half types", "[reduce]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const Kind kind : {Kind::sum, Kind::mean, Kind::max})
    for (const Axes& at : {Axes{{5, 300}, {1}}, Axes{{70, 33}, {0}}, Axes{{33, 7, 9}, {0, 2}}})
      check_forward(reduce_case(kind, at.shape, at.axes), dtype);
}

TEST_CASE("long reductions go through partial results", "[reduce]") {
  const Axes at = GENERATE(Axes{{300007}, {}}, Axes{{40000, 10}, {0}}, Axes{{3, 100003}, {1}}, Axes{{1000, 513}, {0}},
                           Axes{{4, 10000, 3}, {1}});
  for (const Kind kind : {Kind::sum, Kind::max}) check_forward(reduce_case(kind, at.shape, at.axes));
}

// A lane behind a row's end must hold neither an element of the next row nor zero.
TEST_CASE("extremes of numbers on one side of zero", "[reduce]") {
  const std::int64_t len = GENERATE(1, 5, 16, 17, 31, 33, 300);
  std::vector<float> x, below, largest, smallest;
  for (std::int64_t row = 0; row < 3; ++row) {
    const float least = static_cast<float>(3 - row);  // the next row would always win
    for (std::int64_t c = 0; c < len; ++c) x.push_back(least + static_cast<float>((c + 1) % len));
    smallest.push_back(least);
    largest.push_back(-least);
  }
  for (const float v : x) below.push_back(-v);
  CHECK(min(Tensor::from(x, {3, len}), {1}).to_vector() == smallest);
  CHECK(max(Tensor::from(below, {3, len}), {1}).to_vector() == largest);
}

TEST_CASE("a reduction gives the same bits each time", "[reduce]") {
  const Tensor x = Tensor::uniform({400000}, -1.0f, 1.0f);
  const std::vector<std::byte> first = sum(x).to_bytes();
  for (int i = 0; i < 5; ++i) CHECK(sum(x).to_bytes() == first);
}

TEST_CASE("reductions' gradients", "[reduce][gradient]") {
  for (const Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min})
    for (const Axes& at : {Axes{{7}, {}}, Axes{{3, 5}, {1}}, Axes{{3, 5}, {0}}, Axes{{2, 3, 4, 5}, {1, 3}}})
      for (const bool keep : {false, true}) check_gradient(reduce_case(kind, at.shape, at.axes, keep));
}

TEST_CASE("equal maxima share the gradient", "[reduce][gradient]") {
  Tensor x = Tensor::from({1.0f, 3.0f, 3.0f, 2.0f, 2.0f, 2.0f}, {2, 3}).set_requires_grad();
  max(x, {1}).backward(Tensor::from({1.0f, 3.0f}, {2}));
  CHECK(x.grad().to_vector() == std::vector<float>{0.0f, 0.5f, 0.5f, 1.0f, 1.0f, 1.0f});
}

TEST_CASE("whole numbers are summed whole", "[reduce]") {
  std::vector<std::int32_t> values(1000, 1);
  values[0] = 16777216;
  const Tensor x = Tensor::from_ints(values, {1000});
  CHECK(sum(x).to_ints()[0] == 16777216 + 999);
  CHECK(sum(x.reshape({10, 100}), {0}).to_ints()[0] == 16777216 + 9);
  CHECK(max(x).to_ints()[0] == 16777216);
  CHECK(min(-x).to_ints()[0] == -16777216);
  CHECK(argmax(-x).to_ints()[0] == 1);
}

TEST_CASE("argmax", "[reduce]") {
  for (const DType dtype : {DType::f32, DType::f16})
    for (const Axes& at : {Axes{{1}, {0}}, Axes{{7}, {0}}, Axes{{5, 10}, {1}}, Axes{{5, 33}, {-1}}, Axes{{33, 5}, {0}},
                           Axes{{3, 2000}, {1}}, Axes{{3, 17, 20}, {1}}, Axes{{2, 7, 5, 3}, {1}}, Axes{{0, 5}, {1}}})
      for (const bool keep : {false, true}) check_forward(reduce_case(Kind::argmax, at.shape, at.axes, keep), dtype);
  const std::vector<float> equal(70, 2.0f);
  CHECK(argmax(Tensor::from(equal, {70})).to_ints()[0] == 0);
  std::vector<float> rows = equal;
  rows[40] = rows[57] = NAN;
  CHECK(argmax(Tensor::from(rows, {70})).to_ints()[0] == 40);
  CHECK(argmax(Tensor::full({100}, -INFINITY)).to_ints()[0] == 0);
}

TEST_CASE("NaN and nothing", "[reduce]") {
  std::vector<float> values(100, 1.0f);
  values[77] = NAN;
  for (const Shape& shape : {Shape{100}, Shape{100, 1}, Shape{4, 25}}) {
    const Tensor x = Tensor::from(values, shape);
    CHECK(std::isnan(max(x).item()));
    CHECK(std::isnan(min(x).item()));
    CHECK(std::isnan(sum(x).item()));
  }
  const Tensor none = Tensor::zeros({0, 3});
  CHECK(sum(none).item() == 0.0f);
  CHECK(sum(none, {0}).to_vector() == std::vector<float>(3, 0.0f));
  CHECK(std::isnan(mean(none, {0}).to_vector()[0]));
  CHECK(sum(none, {1}).to_vector().empty());
  CHECK(max(none, {1}).to_vector().empty());
}

TEST_CASE("reductions refuse what does not fit", "[reduce][errors]") {
  const Tensor x = Tensor::zeros({2, 3});
  const auto bad = ErrorCode::invalid_argument;
  check_error([&] { sum(x, {2}); }, bad, "sum");
  check_error([&] { sum(x, {0, -2}); }, bad, "sum: axis -2 is named twice");
  check_error([&] { max(Tensor::zeros({0, 3}), {0}); }, bad, "max: [0,3] has no element");
  check_error([&] { argmax(Tensor::zeros({3, 0})); }, bad, "argmax: [3,0] has no element");
  check_error([&] { sum(Tensor::zeros({3}, {.dtype = DType::u8})); }, bad, "sum: u8 would overflow");
  check_error([&] { mean(Tensor::zeros({3}, {.dtype = DType::i32})); }, bad, "mean: needs f32");
  check_error([&] { sum(Tensor()); }, bad, "sum: x is undefined");
}

}  // namespace portico::test
