// Softmax and log-softmax over any axis.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

OpCase softmax_case(Shape shape, int axis, bool log, double range = 4.0) {
  return {
      .name = (log ? "log_softmax" : "softmax") + shape.to_string() + std::to_string(axis),
      .inputs = {shape},
      .op = [=](const auto& in) { return log ? log_softmax(in[0], axis) : softmax(in[0], axis); },
      .reference =
          [=](const auto& in) {
            const int at = axis < 0 ? axis + shape.rank() : axis;
            const std::int64_t len = shape[at], stride = strides_of(shape)[static_cast<std::size_t>(at)];
            const Doubles& x = in[0];
            Doubles y(x.size());
            for (std::int64_t start = 0; start < shape.count(); ++start) {
              if (start / stride % len != 0) continue;
              const auto each = [&](auto body) {
                for (std::int64_t c = 0; c < len; ++c) body(static_cast<std::size_t>(start + c * stride));
              };
              double peak = -INFINITY, total = 0.0;
              each([&](std::size_t i) { peak = std::max(peak, x[i]); });
              each([&](std::size_t i) { total += std::exp(x[i] - peak); });
              each([&](std::size_t i) { y[i] = log ? x[i] - peak - std::log(total) : std::exp(x[i] - peak) / total; });
            }
            return y;
          },
      // Each term has its own rounding, but a share is at most 1.
      .length = log ? 16 : 1,
      .magnitude = log ? range : 1.0,
      .values = {{.low = -range, .high = range}}};
}

// Below, at and above the lanes and the groups; one element; what no power of two divides; every position of the axis.
std::vector<OpCase> cases(bool log) {
  std::vector<OpCase> list;
  for (const Shape& shape :
       {Shape{1}, Shape{1, 1}, Shape{3, 7}, Shape{5, 8}, Shape{5, 10}, Shape{4, 16}, Shape{3, 31}, Shape{2, 33},
        Shape{2, 64}, Shape{2, 256}, Shape{5, 1000}, Shape{2, 1500}, Shape{0, 5}, Shape{2, 3, 4, 5}})
    list.push_back(softmax_case(shape, -1, log));
  for (const int axis : {0, 1, 2}) list.push_back(softmax_case({2, 17, 33}, axis, log));
  list.push_back(softmax_case({40, 3}, 0, log));
  list.push_back(softmax_case({2, 5, 4, 8}, 1, log));
  return list;
}

}  // namespace

TEST_CASE("softmax agrees with its reference", "[softmax]") {
  for (const bool log : {false, true})
    for (const OpCase& op : cases(log)) check_forward(op);
}

TEST_CASE("softmax in half types", "[softmax]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const bool log : {false, true})
    for (const OpCase& op :
         {softmax_case({3, 7}, -1, log), softmax_case({2, 100}, -1, log), softmax_case({9, 20}, 0, log)})
      check_forward(op, dtype);
}

TEST_CASE("softmax's gradient agrees with central differences", "[softmax][gradient]") {
  for (const bool log : {false, true})
    for (const OpCase& op :
         {softmax_case({3, 7}, -1, log, 2.0), softmax_case({2, 33}, -1, log, 2.0), softmax_case({2, 70}, -1, log, 2.0),
          softmax_case({3, 5, 4}, 1, log, 2.0), softmax_case({6, 20}, 0, log, 2.0)})
      check_gradient(op);
}

TEST_CASE("softmax of large numbers stays finite, and NaN comes through", "[softmax]") {
  const Tensor x = Tensor::from({1e4f, 1e4f - 1.0f, -1e30f, -INFINITY}, {1, 4});
  const double tail = std::exp(-1.0);
  check_values(softmax(x).to_vector(), {1.0 / (1.0 + tail), tail / (1.0 + tail), 0.0, 0.0}, DType::f32);
  CHECK(std::isinf(log_softmax(x).to_vector()[3]));
  const std::vector<float> y = softmax(Tensor::from({NAN, 1.0f, 2.0f}, {1, 3})).to_vector();
  for (const float v : y) CHECK(std::isnan(v));
}

// A largest number that some position keeps out of the comparison would make exp() overflow.
TEST_CASE("the largest of a line counts wherever it stands", "[softmax]") {
  const std::int64_t len = GENERATE(7, 33, 200, 600);
  std::vector<float> x(static_cast<std::size_t>(len * len), 0.0f), identity = x;
  for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(len) + 1) {
    x[i] = 1000.0f;
    identity[i] = 1.0f;
  }
  CHECK(softmax(Tensor::from(x, {len, len})).to_vector() == identity);
}

TEST_CASE("softmax refuses what does not fit", "[softmax][errors]") {
  const auto bad = ErrorCode::invalid_argument;
  check_error([] { softmax(Tensor::zeros({})); }, bad, "softmax: x needs at least one axis");
  check_error([] { softmax(Tensor::zeros({2}), 1); }, bad, "softmax");
  check_error([] { log_softmax(Tensor::zeros({2}, {.dtype = DType::i32})); }, bad, "log_softmax: needs f32");
  check_error([] { softmax(Tensor()); }, bad, "softmax: x is undefined");
}

}  // namespace portico::test
