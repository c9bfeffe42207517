// The pointwise operations: values, gradients, broadcasting, layouts, types and errors.
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

using Unary = double (*)(double);

OpCase unary_case(const char* name, Tensor (*op)(const Tensor&), Unary reference, Values values, Shape shape,
                  double tolerance = 1.0) {
  return {.name = std::string(name) + shape.to_string(),
          .inputs = {shape},
          .op = [op](const auto& in) { return op(in[0]); },
          .reference =
              [reference](const auto& in) {
                Doubles y;
                for (const double x : in[0]) y.push_back(reference(x));
                return y;
              },
          .tolerance = tolerance,
          .gradient_tolerance = 2.0 * tolerance,
          .values = {std::move(values)}};
}

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double gelu_exact(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) { return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x))); }

// Every unary operation with the range where it is interesting.
std::vector<OpCase> unary_cases(const Shape& shape) {
  const Values wide{.low = -4.0, .high = 4.0};
  const Values kinked{.low = -3.0, .high = 3.0, .kinks = {0.0}};
  const Values positive{.low = 0.1, .high = 5.0};
  return {
      unary_case(
          "neg", neg, [](double x) { return -x; }, wide, shape),
      unary_case(
          "exp", exp, [](double x) { return std::exp(x); }, wide, shape),
      unary_case(
          "log", log, [](double x) { return std::log(x); }, positive, shape),
      unary_case(
          "sqrt", sqrt, [](double x) { return std::sqrt(x); }, positive, shape),
      unary_case(
          "rsqrt", rsqrt, [](double x) { return 1.0 / std::sqrt(x); }, positive, shape, 2.0),
      unary_case(
          "abs", abs, [](double x) { return std::abs(x); }, kinked, shape),
      unary_case(
          "square", square, [](double x) { return x * x; }, wide, shape),
      unary_case("sigmoid", sigmoid, logistic, wide, shape),
      unary_case(
          "tanh", tanh, [](double x) { return std::tanh(x); }, wide, shape),
      unary_case(
          "relu", relu, [](double x) { return std::max(x, 0.0); }, kinked, shape),
      unary_case(
          "silu", silu, [](double x) { return x * logistic(x); }, wide, shape),
      unary_case(
          "gelu", [](const Tensor& x) { return gelu(x); }, gelu_exact, wide, shape),
      unary_case(
          "gelu_tanh", [](const Tensor& x) { return gelu(x, Gelu::tanh); }, gelu_tanh, wide, shape, 2.0),
      unary_case(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.125f); },
          [](double x) { return x > 0 ? x : 0.125 * x; }, kinked, shape),
      unary_case(
          "elu", [](const Tensor& x) { return elu(x, 1.5f); }, [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); },
          kinked, shape),
      unary_case(
          "softplus", [](const Tensor& x) { return softplus(x, 2.0f, 3.0f); },
          [](double x) { return 2.0 * x > 3.0 ? x : std::log1p(std::exp(2.0 * x)) / 2.0; },
          {.low = -3.0, .high = 3.0, .kinks = {1.5}}, shape, 2.0),
      unary_case(
          "clamp", [](const Tensor& x) { return clamp(x, -0.5f, 1.25f); },
          [](double x) { return std::clamp(x, -0.5, 1.25); }, {.low = -3.0, .high = 3.0, .kinks = {-0.5, 1.25}}, shape),
      unary_case(
          "add_scalar", [](const Tensor& x) { return 1.5f + x + 0.25f; }, [](double x) { return x + 1.75; }, wide,
          shape, 3.0),
      unary_case(
          "sub_scalar", [](const Tensor& x) { return x - 1.5f; }, [](double x) { return x - 1.5; }, wide, shape),
      unary_case(
          "scalar_sub", [](const Tensor& x) { return 1.5f - x; }, [](double x) { return 1.5 - x; }, wide, shape),
      unary_case(
          "mul_scalar", [](const Tensor& x) { return 1.5f * x; }, [](double x) { return 1.5 * x; }, wide, shape),
      unary_case(
          "div_scalar", [](const Tensor& x) { return x / 1.5f; }, [](double x) { return x / 1.5; }, wide, shape),
      unary_case(
          "scalar_div", [](const Tensor& x) { return 1.5f / x; }, [](double x) { return 1.5 / x; }, positive, shape,
          3.0),
      unary_case(
          "pow_scalar", [](const Tensor& x) { return pow(x, 2.5f); }, [](double x) { return std::pow(x, 2.5); },
          positive, shape, 2.0),
      unary_case(
          "pow_2", [](const Tensor& x) { return pow(x, 2.0f); }, [](double x) { return x * x; }, wide, shape),
      unary_case(
          "pow_half", [](const Tensor& x) { return pow(x, 0.5f); }, [](double x) { return std::sqrt(x); }, positive,
          shape),
      unary_case(
          "pow_0", [](const Tensor& x) { return pow(x, 0.0f); }, [](double) { return 1.0; }, wide, shape),
  };
}

using Binary = double (*)(double, double);

// The reference broadcasts by walking the result's coordinates.
OpCase binary_case(const char* name, Tensor (*op)(const Tensor&, const Tensor&), Binary reference, Shape a, Shape b,
                   std::vector<Values> values = {{.low = -2.0, .high = 2.0}}, double tolerance = 1.0) {
  return {.name = std::string(name) + a.to_string() + b.to_string(),
          .inputs = {a, b},
          .op = [op](const auto& in) { return op(in[0], in[1]); },
          .reference =
              [=](const auto& in) {
                const Shape out = broadcast_shapes(a, b, "reference");
                const auto position = [&out](const Shape& shape, std::int64_t element) {
                  std::int64_t at = 0, stride = 1;
                  for (int axis = out.rank() - 1; axis >= 0; --axis) {
                    const std::int64_t coordinate = element % out[axis];
                    element /= out[axis];
                    const int own = axis - (out.rank() - shape.rank());
                    if (own < 0) continue;
                    if (shape[own] != 1) at += coordinate * stride;
                    stride *= shape[own];
                  }
                  return static_cast<std::size_t>(at);
                };
                Doubles y;
                for (std::int64_t i = 0; i < out.count(); ++i)
                  y.push_back(reference(in[0][position(a, i)], in[1][position(b, i)]));
                return y;
              },
          .tolerance = tolerance,
          .gradient_tolerance = 2.0 * tolerance,
          .values = std::move(values)};
}

const Values kAwayFromZero{.low = 0.5, .high = 3.0};

std::vector<OpCase> binary_cases(const Shape& a, const Shape& b) {
  return {binary_case(
              "add", add, [](double x, double y) { return x + y; }, a, b),
          binary_case(
              "sub", sub, [](double x, double y) { return x - y; }, a, b),
          binary_case(
              "mul", mul, [](double x, double y) { return x * y; }, a, b),
          binary_case(
              "div", div, [](double x, double y) { return x / y; }, a, b, {{}, kAwayFromZero}, 2.0),
          binary_case(
              "pow", pow, [](double x, double y) { return std::pow(x, y); }, a, b,
              {kAwayFromZero, {.low = -2.0, .high = 2.0}}, 4.0),
          binary_case("maximum", maximum, [](double x, double y) { return std::max(x, y); }, a, b,
                      {{.low = -2.0, .high = 0.1, .kinks = {0.2}}, {.low = 0.15, .high = 2.0}}),
          binary_case("minimum", minimum, [](double x, double y) { return std::min(x, y); }, a, b,
                      {{.low = -2.0, .high = 0.1}, {.low = 0.15, .high = 2.0}})};
}

const Shape kSizes[] = {{0}, {1}, {7}, {8}, {31}, {33}, {16, 1025}, {2, 3, 5, 7}};

}  // namespace

TEST_CASE("unary operations agree with their references", "[pointwise]") {
  for (const Shape& shape : kSizes)
    for (const OpCase& op : unary_cases(shape)) check_forward(op);
}

TEST_CASE("unary operations in half types", "[pointwise]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const Shape& shape : {Shape{33}, Shape{3, 100}})
    for (const OpCase& op : unary_cases(shape)) check_forward(op, dtype);
}

TEST_CASE("unary gradients agree with central differences", "[pointwise][gradient]") {
  for (const OpCase& op : unary_cases({5, 9})) check_gradient(op);
}

TEST_CASE("unary gradients in half types", "[pointwise][gradient]") {
  for (OpCase op : unary_cases({5, 9})) {
    op.gradient_tolerance *= 4.0;  // the saved result is rounded too, which 1 - y * y would magnify where y is near 1
    if (op.values[0].low == -4.0) op.values = {{}};
    check_gradient(op, DType::bf16);
  }
}

TEST_CASE("binary operations broadcast", "[pointwise]") {
  struct Pair {
    Shape a, b;
  };
  const Pair pairs[] = {{{33}, {33}},
                        {{4, 1000}, {4, 1000}},
                        {{5, 17}, {17}},
                        {{5, 32}, {5, 1}},
                        {{5, 1}, {1, 40}},
                        {{}, {3, 5}},
                        {{64}, {1}},
                        {{0, 3}, {3}},
                        {{1}, {0}},
                        {{2, 3, 4, 5}, {3, 1, 1}},
                        {{2, 3, 4, 5}, {4, 5}},
                        {{2, 3, 4, 5}, {1, 3, 4, 1}},
                        {{2, 33, 4, 5}, {2, 33, 4, 5}},
                        {{2, 1, 3, 1, 2, 1, 5}, {1, 3, 3, 4, 1, 1, 5}},
                        {{2, 1, 3, 1, 2, 1}, {1, 2, 1, 3, 1, 17}}};
  // Every operation over the first pairs; the walk over the axes is the same for all, so one will do for the others.
  for (std::size_t i = 0; i < std::size(pairs); ++i) {
    const std::vector<OpCase> ops = binary_cases(pairs[i].a, pairs[i].b);
    for (std::size_t op = 0; op < ops.size(); ++op)
      if (i < 4 || op == 3) check_forward(ops[op]);
  }
  for (const DType dtype : {DType::f16, DType::bf16})
    for (const OpCase& op : binary_cases({3, 21}, {21})) check_forward(op, dtype);
}

TEST_CASE("large tensors take every group", "[pointwise]") {
  check_forward(binary_cases({300001}, {300001})[0]);
  check_forward(binary_cases({1000, 257}, {257})[2]);
  check_forward(binary_cases({1000, 3}, {1000, 1})[2]);
  check_forward(binary_cases({2, 150000}, {2, 1})[2]);
}

TEST_CASE("gradients of broadcast operands are summed", "[pointwise][gradient]") {
  struct Pair {
    Shape a, b;
  };
  const Pair pairs[] = {{{7}, {7}},          {{3, 5}, {5}}, {{3, 5}, {3, 1}},
                        {{2, 1, 4}, {3, 1}}, {{}, {6}},     {{2, 3, 4, 5}, {3, 1, 1}}};
  for (const Pair& pair : pairs)
    for (const OpCase& op : binary_cases(pair.a, pair.b)) check_gradient(op);
}

TEST_CASE("whole numbers", "[pointwise]") {
  const Tensor a = Tensor::from_ints(std::vector<std::int32_t>{16777217, -3, 5}, {3});
  const Tensor b = Tensor::from_ints(std::vector<std::int32_t>{1, 2, -7}, {3});
  CHECK((a + b).to_ints() == std::vector<std::int32_t>{16777218, -1, -2});
  CHECK((a - b).to_ints() == std::vector<std::int32_t>{16777216, -5, 12});
  CHECK((a * b).to_ints() == std::vector<std::int32_t>{16777217, -6, -35});
  CHECK(maximum(a, b).to_ints() == std::vector<std::int32_t>{16777217, 2, 5});
  CHECK((-a).to_ints() == std::vector<std::int32_t>{-16777217, 3, -5});
  CHECK((a + 2.0f).to_ints() == std::vector<std::int32_t>{16777219, -1, 7});
}

TEST_CASE("NaN comes through", "[pointwise]") {
  const Tensor x = Tensor::from({NAN, 1.0f}, {2});
  const Tensor one = Tensor::from({1.0f, NAN}, {2});
  for (const Tensor& y : {relu(x), clamp(x, -1.0f, 1.0f), leaky_relu(x), elu(x), silu(x), gelu(x), abs(x)})
    CHECK(std::isnan(y.to_vector()[0]));
  for (const Tensor& y : {maximum(x, one), minimum(x, one)}) {
    CHECK(std::isnan(y.to_vector()[0]));
    CHECK(std::isnan(y.to_vector()[1]));
  }
}

TEST_CASE("ends of the range", "[pointwise]") {
  const Tensor x = Tensor::from({-200.0f, 200.0f, 0.0f}, {3});
  CHECK(sigmoid(x).to_vector() == std::vector<float>{0.0f, 1.0f, 0.5f});
  check_values(tanh(x).to_vector(), {-1.0, 1.0, 0.0}, DType::f32);
  CHECK(gelu(x).to_vector() == std::vector<float>{-0.0f, 200.0f, 0.0f});
  CHECK(silu(x).to_vector() == std::vector<float>{-0.0f, 200.0f, 0.0f});
  CHECK(softplus(x).to_vector()[1] == 200.0f);
  CHECK(std::isinf(exp(x).to_vector()[1]));
  CHECK(std::isinf((1.0f / x).to_vector()[2]));
}

TEST_CASE("points without a derivative", "[pointwise][gradient]") {
  const auto gradient = [](auto op) {
    Tensor x = Tensor::from({0.0f}, {1}).set_requires_grad();
    op(x).backward();
    return x.grad().item();
  };
  CHECK(gradient([](const Tensor& x) { return abs(x); }) == 0.0f);
  CHECK(gradient([](const Tensor& x) { return relu(x); }) == 0.0f);
  CHECK(gradient([](const Tensor& x) { return clamp(x, 0.0f, 1.0f); }) == 1.0f);
  CHECK(gradient([](const Tensor& x) { return pow(x, 0.0f); }) == 0.0f);
  Tensor a = Tensor::from({2.0f, 3.0f}, {2}).set_requires_grad(),
         b = Tensor::from({2.0f, 4.0f}, {2}).set_requires_grad();
  maximum(a, b).backward(Tensor::ones({2}));
  CHECK(a.grad().to_vector() == std::vector<float>{0.5f, 0.0f});
  CHECK(b.grad().to_vector() == std::vector<float>{0.5f, 1.0f});
}

TEST_CASE("pointwise operations keep channels-last", "[pointwise]") {
  const Tensor x = Tensor::arange(2 * 3 * 4 * 5).reshape({2, 3, 4, 5});
  const Tensor last = x.contiguous(Layout::channels_last);
  CHECK(relu(last).layout() == Layout::channels_last);
  CHECK((last + Tensor::ones({3, 1, 1})).layout() == Layout::channels_last);
  CHECK((last + x).to_vector() == (x + x).to_vector());
  CHECK((last * Tensor::arange(20).reshape({4, 5})).to_vector() ==
        (x * Tensor::arange(20).reshape({4, 5})).to_vector());
}

TEST_CASE("a derivative refuses an operand that was changed in place", "[pointwise][errors]") {
  Tensor x = Tensor::ones({3}).set_requires_grad();
  const Tensor w = Tensor::ones({3});
  const Tensor y = sum(x * w);
  w.fill(2.0f);
  check_error([&] { y.backward(); }, ErrorCode::invalid_argument, "changed in place");
}

TEST_CASE("pointwise errors name the operation and the values", "[pointwise][errors]") {
  const Tensor f = Tensor::ones({2, 3}), half = Tensor::ones({2, 3}, {.dtype = DType::f16});
  const Tensor ints = Tensor::ones({2, 3}, {.dtype = DType::i32}), bytes = Tensor::ones({2, 3}, {.dtype = DType::u8});
  check_error([&] { add(f, Tensor::ones({2, 4})); }, ErrorCode::invalid_argument, "add");
  check_error([&] { add(f, Tensor::ones({2, 4})); }, ErrorCode::invalid_argument, "[2,4]");
  check_error([&] { mul(f, half); }, ErrorCode::invalid_argument, "mul: operands of two types, f32 and f16");
  check_error([&] { exp(ints); }, ErrorCode::invalid_argument, "exp: needs f32");
  check_error([&] { add(bytes, bytes); }, ErrorCode::invalid_argument, "add: needs f32, f16, bf16 or i32, got u8");
  check_error([&] { mul(ints, 0.5f); }, ErrorCode::invalid_argument, "mul: 0.5");
  check_error([&] { relu(Tensor()); }, ErrorCode::invalid_argument, "relu: x is undefined");
  check_error([&] { add(f, Tensor()); }, ErrorCode::invalid_argument, "add: b is undefined");
  check_error([&] { clamp(f, 2.0f, 1.0f); }, ErrorCode::invalid_argument, "clamp: low");
  check_error([&] { softplus(f, 0.0f); }, ErrorCode::invalid_argument, "softplus: beta");
  check_error(
      [&] {
        add(Tensor::ones({2, 1, 2, 1, 2, 1, 2}), Tensor::ones({1, 2, 1, 2, 1, 2, 1}));
      },
      ErrorCode::unsupported, "add: broadcasts over 7 axes");
}

}  // namespace portico::test
