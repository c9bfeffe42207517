// Every pointwise formula, forward and derivative in one row. The texts are OpenCL C / CUDA over values V of
// kernels/lanes.h (SELECT(condition, a, b), EXP, POW and the other words of lanes_math.h), so that they serve a float
// and sixteen at once, and so that a chain of them can be put together into one text.
//
// Names: x or a, b are the inputs, y the result, dy its gradient; s and s2 the scalars. A derivative is the product
// with dy; it is launched with those names as operands that its text mentions.
//
// Comparisons are written so that NaN comes through, as in PyTorch: a diverging network must be seen.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

namespace portico::detail {

enum class Pointwise : std::uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  add_scalar,
  sub_scalar,
  scalar_sub,
  mul_scalar,
  div_scalar,
  scalar_div,
  pow_scalar,
  neg,
  exp,
  log,
  sqrt,
  rsqrt,
  abs,
  square,
  clamp,
  sigmoid,
  tanh,
  relu,
  leaky_relu,
  elu,
  gelu,
  gelu_tanh,
  silu,
  softplus,
  copy,
  fill,
  equal,
  squared_difference,
  count_
};

struct PointwiseRow {
  Pointwise id;
  const char* name;
  const char* forward;
  const char* derivative[2];  ///< of the first and second input; null when there is none
  bool integers = false;      ///< defined for i32 too
};

#define PORTICO_GELU_INNER "(0.7978845608f * (x + 0.044715f * x * x * x))"
inline constexpr PointwiseRow kPointwiseRows[] = {
    {Pointwise::add, "add", "a + b", {"dy", "dy"}, true},
    {Pointwise::sub, "sub", "a - b", {"dy", "-dy"}, true},
    {Pointwise::mul, "mul", "a * b", {"dy * b", "dy * a"}, true},
    {Pointwise::div, "div", "a / b", {"dy / b", "-dy * a / (b * b)"}},
    // x^0 is flat everywhere, and 0^b is flat for b >= 0: without the guards 0 * inf would be NaN.
    {Pointwise::pow,
     "pow",
     "POW(a, b)",
     {"SELECT(b == 0.0f, 0.0f, dy * b * POW(a, b - 1.0f))",
      "SELECT((a == 0.0f) & (b >= 0.0f), 0.0f, dy * POW(a, b) * log(a))"}},
    {Pointwise::maximum,
     "maximum",
     "SELECT((a > b) | (a != a), a, b)",
     {"SELECT(a > b, dy, SELECT(a == b, 0.5f * dy, 0.0f))", "SELECT(b > a, dy, SELECT(a == b, 0.5f * dy, 0.0f))"},
     true},
    {Pointwise::minimum,
     "minimum",
     "SELECT((a < b) | (a != a), a, b)",
     {"SELECT(a < b, dy, SELECT(a == b, 0.5f * dy, 0.0f))", "SELECT(b < a, dy, SELECT(a == b, 0.5f * dy, 0.0f))"},
     true},
    {Pointwise::add_scalar, "add", "x + s", {"dy"}, true},
    {Pointwise::sub_scalar, "sub", "x - s", {"dy"}, true},
    {Pointwise::scalar_sub, "sub", "s - x", {"-dy"}, true},
    {Pointwise::mul_scalar, "mul", "x * s", {"dy * s"}, true},
    {Pointwise::div_scalar, "div", "x / s", {"dy / s"}},
    {Pointwise::scalar_div, "div", "s / x", {"-dy * s / (x * x)"}},
    {Pointwise::pow_scalar, "pow", "POW(x, (V)(s))", {"SELECT((V)(s) == 0.0f, 0.0f, dy * s * POW(x, (V)(s - 1.0f)))"}},
    {Pointwise::neg, "neg", "-x", {"-dy"}, true},
    {Pointwise::exp, "exp", "EXP(x)", {"dy * y"}},
    {Pointwise::log, "log", "log(x)", {"dy / x"}},
    {Pointwise::sqrt, "sqrt", "sqrt(x)", {"0.5f * dy / y"}},
    {Pointwise::rsqrt, "rsqrt", "1.0f / sqrt(x)", {"-0.5f * dy * y * y * y"}},
    {Pointwise::abs, "abs", "fabs(x)", {"SELECT(x > 0.0f, dy, SELECT(x < 0.0f, -dy, 0.0f * x))"}},
    {Pointwise::square, "square", "x * x", {"2.0f * dy * x"}},
    {Pointwise::clamp, "clamp", "SELECT(x < s, s, SELECT(x > s2, s2, x))", {"SELECT((x < s) | (x > s2), 0.0f, dy)"}},
    {Pointwise::sigmoid, "sigmoid", "1.0f / (1.0f + EXP(-x))", {"dy * y * (1.0f - y)"}},
    {Pointwise::tanh, "tanh", "TANH(x)", {"dy * (1.0f - y * y)"}},
    {Pointwise::relu, "relu", "SELECT(x <= 0.0f, 0.0f, x)", {"SELECT(y <= 0.0f, 0.0f, dy)"}},
    {Pointwise::leaky_relu, "leaky_relu", "SELECT(x <= 0.0f, s * x, x)", {"SELECT(x <= 0.0f, s * dy, dy)"}},
    {Pointwise::elu, "elu", "SELECT(x <= 0.0f, s * EXPM1(x), x)", {"SELECT(x <= 0.0f, dy * s * EXP(x), dy)"}},
    {Pointwise::gelu, "gelu", "x * NORMAL_CDF(x)", {"dy * (NORMAL_CDF(x) + 0.3989422804f * x * EXP(-0.5f * x * x))"}},
    {Pointwise::gelu_tanh,
     "gelu",
     "0.5f * x * (1.0f + TANH(" PORTICO_GELU_INNER "))",
     {"dy * (0.5f * (1.0f + TANH(" PORTICO_GELU_INNER ")) + 0.5f * x * (1.0f - TANH(" PORTICO_GELU_INNER
      ") * TANH(" PORTICO_GELU_INNER ")) * 0.7978845608f * (1.0f + 0.134145f * x * x))"}},
    {Pointwise::silu, "silu", "x / (1.0f + EXP(-x))", {"dy / (1.0f + EXP(-x)) * (1.0f + x - x / (1.0f + EXP(-x)))"}},
    {Pointwise::softplus,
     "softplus",
     "SELECT(x * s > s2, x, SOFTPLUS(x * s) / s)",
     {"SELECT(x * s > s2, dy, dy / (1.0f + EXP(-x * s)))"}},
    {Pointwise::copy, "copy", "x", {}, true},
    {Pointwise::fill, "fill", "s", {}, true},
    // Its derivative is not its own: it hands dy to where a and b are equal (max, min).
    {Pointwise::equal, "equal", "SELECT(a == b, 1.0f, 0.0f)", {"SELECT(a == b, dy, 0.0f)"}},
    {Pointwise::squared_difference, "mse_loss", "(a - b) * (a - b)", {"dy * s * (a - b)", "dy * s * (b - a)"}},
};
#undef PORTICO_GELU_INNER

/// What an operand is called in a formula; the order in which they are passed.
enum class Name : std::uint8_t { dy, a, x, b, y };
inline constexpr std::string_view kNames[] = {"dy", "a", "x", "b", "y"};

/// A formula with the operands that it mentions.
struct Expression {
  std::string_view text;
  Name names[3] = {};
  std::uint8_t arity = 0;
  std::uint8_t number = 0;  ///< 3 * row + {0 forward, 1 and 2 derivatives}

  constexpr bool uses(Name name) const {
    for (int i = 0; i < arity; ++i)
      if (names[i] == name) return true;
    return false;
  }
};

namespace table {

constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

constexpr bool mentions(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !is_word(text[at - 1]);
    const bool ends = at + word.size() == text.size() || !is_word(text[at + word.size()]);
    if (starts && ends) return true;
  }
  return false;
}

constexpr Expression parse(std::string_view text, std::size_t number) {
  Expression e;
  e.text = text;
  e.number = static_cast<std::uint8_t>(number);
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (mentions(text, kNames[i])) e.names[e.arity++] = static_cast<Name>(i);
  return e;
}

constexpr Expression expression(std::size_t number) {
  const PointwiseRow& row = kPointwiseRows[number / 3];
  const char* text = number % 3 == 0 ? row.forward : row.derivative[number % 3 - 1];
  return parse(text == nullptr ? "" : text, number);
}

template <std::size_t... Numbers>
constexpr auto parse_all(std::index_sequence<Numbers...>) {
  return std::array{expression(Numbers)...};
}

constexpr bool in_order() {
  for (std::size_t row = 0; row < std::size(kPointwiseRows); ++row)
    if (static_cast<std::size_t>(kPointwiseRows[row].id) != row) return false;
  return std::size(kPointwiseRows) == static_cast<std::size_t>(Pointwise::count_);
}
static_assert(in_order(), "rows stand in the order of the enumerators");

inline constexpr auto kExpressions =
    parse_all(std::make_index_sequence<3 * static_cast<std::size_t>(Pointwise::count_)>());

}  // namespace table

constexpr const PointwiseRow& row_of(Pointwise id) { return kPointwiseRows[static_cast<int>(id)]; }
constexpr const Expression& forward_of(Pointwise id) { return table::kExpressions[3 * static_cast<int>(id)]; }
constexpr const Expression& derivative_of(Pointwise id, int input) {
  return table::kExpressions[3 * static_cast<int>(id) + 1 + input];
}

}  // namespace portico::detail
