// matmul and linear: shapes around every tile, transposes, broadcasting, epilogues, gradients, types and errors.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <string_view>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

struct Size {
  std::int64_t m, n, k;
};

// One product of row-major matrices at the given places, in double.
void multiply(const double* a, const double* b, double* c, const Size& s, bool trans_a, bool trans_b) {
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      double sum = 0.0;
      for (std::int64_t q = 0; q < s.k; ++q)
        sum += (trans_a ? a[q * s.m + i] : a[i * s.k + q]) * (trans_b ? b[j * s.k + q] : b[q * s.n + j]);
      c[i * s.n + j] = sum;
    }
}

OpCase matmul_case(const Size& s, bool trans_a, bool trans_b) {
  const std::string name = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
  return {.name = "matmul_" + name + (trans_a ? "_T" : "_N") + (trans_b ? "T" : "N"),
          .inputs = {trans_a ? Shape{s.k, s.m} : Shape{s.m, s.k}, trans_b ? Shape{s.n, s.k} : Shape{s.k, s.n}},
          .op = [=](const auto& in) { return matmul(in[0], in[1], {.trans_a = trans_a, .trans_b = trans_b}); },
          .reference =
              [=](const auto& in) {
                Doubles c(static_cast<std::size_t>(s.m * s.n));
                multiply(in[0].data(), in[1].data(), c.data(), s, trans_a, trans_b);
                return c;
              },
          .length = std::max({s.m, s.n, s.k})};
}

// Leading axes broadcast as NumPy has it, written with plain strides.
OpCase batched_case(const Shape& a, const Shape& b, bool trans_a = false, bool trans_b = false) {
  const auto rows = [](const Shape& s) { return s[s.rank() - 2]; };
  const Size s{trans_a ? a.back() : rows(a), trans_b ? rows(b) : b.back(), trans_a ? rows(a) : a.back()};
  const auto leading = [](const Shape& shape) {
    return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
  };
  const Shape batch_a = leading(a), batch_b = leading(b), batch = broadcast_shapes(batch_a, batch_b, "test");
  const auto item = [batch](const Shape& own, std::int64_t flat) {
    std::int64_t at = 0, step = 1;
    for (int back = 1; back <= batch.rank(); ++back) {
      const std::int64_t coordinate = flat % batch[batch.rank() - back];
      flat /= batch[batch.rank() - back];
      if (back > own.rank()) continue;
      at += own[own.rank() - back] == 1 ? 0 : coordinate * step;
      step *= own[own.rank() - back];
    }
    return at;
  };
  return {.name = "matmul_" + a.to_string() + b.to_string() + (trans_a ? "_T" : "_N") + (trans_b ? "T" : "N"),
          .inputs = {a, b},
          .op = [=](const auto& in) { return matmul(in[0], in[1], {.trans_a = trans_a, .trans_b = trans_b}); },
          .reference =
              [=](const auto& in) {
                Doubles c(static_cast<std::size_t>(batch.count() * s.m * s.n));
                for (std::int64_t i = 0; i < batch.count(); ++i)
                  multiply(&in[0][static_cast<std::size_t>(item(batch_a, i) * s.m * s.k)],
                           &in[1][static_cast<std::size_t>(item(batch_b, i) * s.k * s.n)],
                           &c[static_cast<std::size_t>(i * s.m * s.n)], s, trans_a, trans_b);
                return c;
              },
          .length = s.k * batch.count() + s.m + s.n};
}

double activate(double x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::gelu:
      return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    default:
      return x;
  }
}

OpCase linear_case(const Shape& x, std::int64_t out, bool with_bias, Activation activation) {
  const char* const names[] = {"none", "relu", "gelu", "gelu_tanh"};
  const std::int64_t in = x.back(), rows = x.count() / in;
  // relu's kink is out of the differences' reach: the biases outweigh the sums, in either direction.
  const Values bias_values =
      activation == Activation::relu ? Values{.low = -40.0, .high = 40.0, .kinks = {0.0}, .distance = 30.0} : Values{};
  std::vector<Shape> inputs = {x, {out, in}};
  if (with_bias) inputs.push_back({out});
  return {.name = "linear_" + x.to_string() + "_to_" + std::to_string(out) + (with_bias ? "_bias_" : "_") +
                  names[static_cast<int>(activation)],
          .inputs = inputs,
          .op = [=](const auto& t) { return linear(t[0], t[1], with_bias ? t[2] : Tensor(), activation); },
          .reference =
              [=](const auto& t) {
                Doubles y(static_cast<std::size_t>(rows * out));
                multiply(t[0].data(), t[1].data(), y.data(), {rows, out, in}, false, true);
                for (std::size_t i = 0; i < y.size(); ++i)
                  y[i] = activate(y[i] + (with_bias ? t[2][i % static_cast<std::size_t>(out)] : 0.0), activation);
                return y;
              },
          .length = std::max({in, rows, out}),
          .tolerance = 2.0,
          .gradient_tolerance = 4.0,
          .values = {{}, {}, bias_values}};
}

// One element, one below and one above the tiles' edges, several tiles, one dimension of 1, several blocks of k.
const Size kSizes[] = {{1, 1, 1},    {7, 31, 8},  {8, 33, 7},    {9, 16, 33},   {31, 8, 31},
                       {33, 65, 17}, {5, 1, 130}, {66, 40, 9},   {130, 36, 64}, {12, 20, 2100},
                       {40, 10, 70}, {70, 3, 1},  {260, 132, 20}};

}  // namespace

TEST_CASE("matmul agrees with its reference around every tile", "[matmul]") {
  const Size size = GENERATE(from_range(std::begin(kSizes), std::end(kSizes)));
  const bool trans_a = GENERATE(false, true);
  const bool trans_b = GENERATE(false, true);
  const OpCase op = matmul_case(size, trans_a, trans_b);
  INFO(op.name);
  check_forward(op);
}

// In the CPU shape A is then packed: strips of its rows, blocks of k, several spans of panels; or, for many columns,
// turned.
TEST_CASE("matmul with a transposed operand whose rows lie a power of two apart", "[matmul]") {
  const Size size = GENERATE(Size{1024, 70, 601}, Size{1088, 520, 5}, Size{1152, 33, 1}, Size{1024, 2050, 3});
  const bool trans_b = GENERATE(false, true);
  const OpCase op = matmul_case(size, true, trans_b);
  INFO(op.name);
  check_forward(op);
}

TEST_CASE("matmul stores half types and sums in f32", "[matmul]") {
  const Size size = GENERATE(Size{8, 33, 7}, Size{33, 65, 17}, Size{40, 24, 2100});
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  const bool straight = GENERATE(false, true);
  const bool trans_b = straight == (dtype == DType::f16);  // each type sees two of the four forms
  const OpCase op = matmul_case(size, !straight, trans_b);
  INFO(op.name << " " << name_of(dtype));
  check_forward(op, dtype);
}

TEST_CASE("matmul's gradients agree with central differences", "[matmul][gradient]") {
  const Size size = GENERATE(Size{1, 1, 1}, Size{9, 16, 33}, Size{33, 65, 17});
  const bool trans_a = GENERATE(false, true);
  const bool trans_b = GENERATE(false, true);
  const OpCase op = matmul_case(size, trans_a, trans_b);
  INFO(op.name);
  check_gradient(op);
}

TEST_CASE("matmul broadcasts leading axes", "[matmul][gradient]") {
  const OpCase op = GENERATE(batched_case({3, 4, 5}, {3, 5, 6}), batched_case({2, 3, 4, 5}, {5, 6}),
                             batched_case({4, 5}, {2, 3, 5, 6}), batched_case({2, 3, 5, 4}, {5, 6}, true, false),
                             batched_case({2, 3, 4, 5}, {6, 5}, false, true), batched_case({2, 1, 4, 5}, {3, 5, 6}),
                             batched_case({2, 1, 5, 4}, {3, 6, 5}, true, true),
                             batched_case({1, 3, 4, 5}, {2, 1, 5, 6}), batched_case({2, 3, 1, 4, 5}, {1, 3, 2, 5, 6}),
                             batched_case({70, 9, 10}, {70, 11, 10}, false, true), batched_case({1, 4, 5}, {5, 6}));
  INFO(op.name);
  check_forward(op);
  check_gradient(op);
}

TEST_CASE("matmul drops the axis of a one-axis operand", "[matmul]") {
  const Tensor row = Tensor::from({1, 2, 3}, {3});
  const Tensor matrix = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(matmul(row, row).shape() == Shape{});
  CHECK(matmul(row, row).item() == 14.0f);
  CHECK(matmul(row, matrix).to_vector() == std::vector<float>{22, 28});
  CHECK(matmul(row, matrix).shape() == Shape{2});
  CHECK(matmul(matrix, row, {.trans_a = true}).to_vector() == std::vector<float>{22, 28});
  CHECK(matmul(row, Tensor::ones({4, 3, 5})).shape() == Shape{4, 5});
  CHECK(matmul(Tensor::ones({4, 5, 3}), row).shape() == Shape{4, 5});
  CHECK(matmul(row, Tensor::ones({5, 3}), {.trans_b = true}).to_vector() == std::vector<float>(5, 6.0f));

  Tensor leaf = Tensor::from({1, 2, 3}, {3}, {.requires_grad = true});
  matmul(leaf, leaf).backward();
  CHECK(leaf.grad().to_vector() == std::vector<float>{2, 4, 6});
}

TEST_CASE("products with empty dimensions", "[matmul][linear]") {
  const auto zeros = [](const Tensor& t) {
    const std::vector<float> values = t.to_vector();
    return std::all_of(values.begin(), values.end(), [](float v) { return v == 0.0f; });
  };
  Tensor a = Tensor::zeros({3, 0}, {.requires_grad = true}), b = Tensor::zeros({0, 40}, {.requires_grad = true});
  const Tensor y = matmul(a, b);
  CHECK(y.shape() == Shape{3, 40});
  CHECK(zeros(y));
  y.backward(Tensor::ones({3, 40}));
  CHECK(a.grad().shape() == Shape{3, 0});
  CHECK(b.grad().shape() == Shape{0, 40});

  CHECK(matmul(Tensor::ones({0, 3}), Tensor::ones({3, 4})).shape() == Shape{0, 4});
  CHECK(matmul(Tensor::ones({2, 0, 5, 3}), Tensor::ones({3, 4})).shape() == Shape{2, 0, 5, 4});
  CHECK(zeros(matmul(Tensor::ones({2, 4, 0}), Tensor::ones({2, 0, 5}))));

  // Without features the bias is all that is left; without rows the bias's gradient is zero.
  Tensor bias = Tensor::from({1, -2, 3}, {3}, {.requires_grad = true});
  CHECK(linear(Tensor::ones({2, 0}), Tensor::ones({3, 0}), bias, Activation::relu).to_vector() ==
        std::vector<float>{1, 0, 3, 1, 0, 3});
  Tensor weight = Tensor::ones({3, 4}, {.requires_grad = true});
  const Tensor none = linear(Tensor::ones({0, 4}), weight, bias);
  CHECK(none.shape() == Shape{0, 3});
  none.backward(Tensor::ones({0, 3}));
  CHECK(zeros(bias.grad()));
  CHECK(bias.grad().shape() == Shape{3});
  CHECK(zeros(weight.grad()));
  CHECK(weight.grad().shape() == Shape{3, 4});
}

TEST_CASE("linear agrees with its reference", "[linear]") {
  const Activation activation = GENERATE(Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh);
  const bool with_bias = GENERATE(false, true);
  const Shape x = GENERATE(Shape{9, 33}, Shape{2, 3, 20}, Shape{17});
  const OpCase op = linear_case(x, 35, with_bias, activation);
  INFO(op.name);
  check_forward(op);
  {
    const NoGrad no_grad;  // gelu is then part of the product
    check_forward(op);
  }
  if (with_bias || activation != Activation::relu) check_gradient(op);
}

TEST_CASE("linear with long sums and few outputs", "[linear][gradient]") {
  const OpCase op =
      GENERATE(linear_case({130, 12}, 10, true, Activation::none), linear_case({1500, 3}, 70, true, Activation::relu),
               linear_case({3000, 5}, 3, true, Activation::gelu), linear_case({4, 1100}, 3, true, Activation::gelu),
               linear_case({40, 9}, 8, true, Activation::gelu_tanh));
  INFO(op.name);
  check_forward(op);
  check_gradient(op);
}

TEST_CASE("linear stores half types", "[linear][gradient]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  const Activation activation = dtype == DType::f16 ? Activation::gelu : Activation::relu;
  const OpCase op = linear_case({9, 33}, 35, true, activation);
  INFO(op.name << " " << name_of(dtype));
  const NoGrad no_grad;  // one rounding: a recorded gelu rounds its input too
  check_forward(op, dtype);
}

// What matmul and linear have no use for yet, other operations have: alpha, beta, gaps between rows and items, offsets.
TEST_CASE("the gemm kernel keeps to its leading dimensions, strides, alpha and beta", "[matmul]") {
  const bool trans_a = GENERATE(false, true), trans_b = GENERATE(false, true);
  const Size s = GENERATE(Size{9, 21, 1100}, Size{8, 36, 12});
  const char* shape = std::getenv("PORTICO_KERNEL_SHAPE");
  const Device device = Device::current();
  const bool cpu = device.info().is_cpu() && (shape == nullptr || std::string_view(shape) != "gpu");
  constexpr std::int64_t kBatch = 3, kOffset = 4;
  constexpr float kAlpha = -2.0f, kBeta = 0.5f;
  const std::int64_t lda = (trans_a ? s.m : s.k) + 5, ldb = (trans_b ? s.k : s.n) + 3, ldc = s.n + 2;
  const std::int64_t step_a = (trans_a ? s.k : s.m) * lda + 1, step_b = (trans_b ? s.n : s.k) * ldb + 7,
                     step_c = s.m * ldc + 9;
  const auto values = [](std::int64_t count, double seed) {
    std::vector<float> v(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(std::sin(seed + 1.7 * static_cast<double>(i)));
    return v;
  };
  const auto a = values(kOffset + kBatch * step_a, 1), b = values(kOffset + kBatch * step_b, 2),
             c = values(kOffset + kBatch * step_c, 3), bias = values(kOffset + s.n, 4);
  Doubles expected(c.begin(), c.end());
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(kOffset + i); };
  for (std::int64_t item = 0; item < kBatch; ++item)
    for (std::int64_t i = 0; i < s.m; ++i)
      for (std::int64_t j = 0; j < s.n; ++j) {
        double sum = 0.0;
        for (std::int64_t q = 0; q < s.k; ++q)
          sum += static_cast<double>(a[at(item * step_a + (trans_a ? q * lda + i : i * lda + q))]) *
                 b[at(item * step_b + (trans_b ? j * ldb + q : q * ldb + j))];
        double& y = expected[at(item * step_c + i * ldc + j)];
        y = std::max(0.0, kAlpha * sum + kBeta * y + bias[at(j)]);
      }

  Spec spec;
  spec.set("REAL", "f32").set("TRANS_A", trans_a).set("TRANS_B", trans_b).set("ACT", 1).set("CPU_SHAPE", cpu);
  const auto tensor = [](const std::vector<float>& v) {
    return Tensor::from(v, {static_cast<std::int64_t>(v.size())});
  };
  const Tensor ta = tensor(a), tb = tensor(b), tc = tensor(c), tbias = tensor(bias);
  const auto arg = [](const Tensor& t) { return Arg(t.buffer(), t.offset() + kOffset, sizeof(float)); };
  const auto u32 = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
  std::vector<Arg> args = {arg(ta), arg(tb), arg(tc), arg(tbias), u32(s.m), u32(s.n), u32(s.k), u32(kBatch), lda,
                           ldb,     ldc,     step_a,  step_b,     step_c,   kAlpha,   kBeta,    1u};
  Grid grid;
  if (cpu) {
    const bool packs_a = trans_a, packs_b = trans_a || trans_b || s.n == 36;
    const std::uint32_t rows = packs_a ? 16 : 8, panels = packs_a ? 2 : 1;  // a group's
    spec.set("ROWS", packs_a ? 8 : 4).set("VECS", 1).set("KC", 512).set("PACK_B", packs_b).set("COPY_A", 0);
    spec.set("PARTIAL_ROWS", 8).set("PACK_A", packs_a).set("STRIP_ROWS", 8).set("PANELS", panels);
    for (const std::uint32_t tail : {rows, panels, 8u, 400u, 2u}) args.emplace_back(tail);  // strip, depth, idle groups
    grid.groups.x = u32(2 + (s.n + 16 * panels - 1) / (16 * panels) * ((s.m + rows - 1) / rows) * kBatch);
  } else {
    spec.set("BM", 32).set("BN", 32).set("BK", 16).set("TM", 4).set("TN", 4).set("VEC", 0);
    grid.groups.x = u32((s.m + 31) / 32 * ((s.n + 31) / 32) * kBatch);
    grid.local.x = 64;
  }
  device.kernel("gemm", "gemm", spec).launch(grid, args);
  INFO(s.m << "x" << s.n << "x" << s.k << " " << trans_a << trans_b);
  check_values(tc.to_vector(), expected, DType::f32, s.k, 2.0);
}

// What follows a library's product; no library is behind the slot where most tests run.
TEST_CASE("bias and activation behind a product that has neither", "[linear]") {
  const auto activation = GENERATE(Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh);
  const DType dtype = GENERATE(DType::f32, DType::bf16);
  const bool with_bias = GENERATE(false, true);
  constexpr std::int64_t kItems = 3, kRows = 5, kCols = 7, kPitch = 9, kStride = 50, kOffset = 2;
  std::vector<float> values(kOffset + kItems * kStride), shift(kCols);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * static_cast<float>(i % 13) - 3.0f;
  for (std::size_t i = 0; i < shift.size(); ++i) shift[i] = 0.25f * static_cast<float>(i) - 0.5f;
  const auto tensor = [&](const std::vector<float>& v) {
    return Tensor::from(v, {static_cast<std::int64_t>(v.size())}).to(dtype);
  };
  const Tensor c = tensor(values), bias = tensor(shift);
  Doubles expected(values.begin(), values.end());
  for (std::int64_t item = 0; item < kItems; ++item)
    for (std::int64_t row = 0; row < kRows; ++row)
      for (std::int64_t col = 0; col < kCols; ++col) {
        double& y = expected[static_cast<std::size_t>(kOffset + item * kStride + row * kPitch + col)];
        y = activate(y + (with_bias ? shift[static_cast<std::size_t>(col)] : 0.0f), activation);
      }
  Spec spec;
  spec.set("REAL", dtype == DType::f32 ? "f32" : "bf16")
      .set("ACT", static_cast<int>(activation))
      .set("BIAS", with_bias);
  Device::current().kernel("gemm_finish", "gemm_finish", spec)(
      {.groups = {2}, .local = {16}},
      {Arg(c.buffer(), c.offset() + kOffset, size_of(dtype)), bias.arg(), std::uint64_t{kItems * kRows * kCols},
       std::uint32_t{kRows}, std::uint32_t{kCols}, kPitch, kStride});
  check_values(c.to_vector(), expected, dtype, 1, 4.0);
}

TEST_CASE("a saved operand changed in place is noticed", "[matmul][linear]") {
  Tensor w = Tensor::ones({2, 3}, {.requires_grad = true});
  Tensor x = Tensor::ones({4, 3}, {.requires_grad = true});
  const Tensor y = linear(x, w);
  w.fill(2.0f);
  check_error([&] { y.backward(Tensor::ones({4, 2})); }, ErrorCode::invalid_argument, "changed in place");
}

TEST_CASE("matmul and linear say what does not fit", "[matmul][linear][errors]") {
  const auto bad = ErrorCode::invalid_argument;
  const Tensor a = Tensor::ones({2, 3});
  check_error([&] { matmul(a, a); }, bad,
              "matmul: a [2,3] and b [2,3] do not fit: op(a) has 3 columns, op(b) has 2 rows");
  check_error([&] { matmul(a, Tensor::ones({4, 4}), {.trans_b = true}); }, bad, "op(b) has 4 rows");
  check_error([&] { matmul(a, Tensor::scalar(1.0f)); }, bad, "need at least one axis each");
  check_error([&] { matmul(Tensor::ones({3}), a, {.trans_a = true}); }, bad, "one axis has no transpose");
  check_error([&] { matmul(Tensor::ones({2, 2, 3}), Tensor::ones({3, 3, 4})); }, bad, "[2]");
  check_error([&] { matmul(a, Tensor::ones({3, 2}, {.dtype = DType::f16})); }, bad, "f16");
  check_error([&] { matmul(a.to(DType::i32), a.to(DType::i32)); }, bad, "matmul");
  check_error([&] { matmul(Tensor(), a); }, bad, "matmul: a is undefined");
  check_error(
      [&] {
        linear(a, Tensor::ones({4, 2}));
      },
      bad, "linear: x [2,3] needs 2 features in its last axis for weight [4,2]");
  check_error([&] { linear(a, Tensor::ones({3})); }, bad, "linear: weight [3] must be [out, in]");
  check_error(
      [&] {
        linear(a, Tensor::ones({4, 3}), Tensor::ones({3}));
      },
      bad, "linear: bias [3] must be [4] for weight [4,3]");
}

}  // namespace portico::test
