// The pointwise operations and their gradients: each is a row of pointwise_table.hpp.
#include "ops/pointwise.hpp"

#include <cmath>

#include "ops/reduce.hpp"

namespace portico {
namespace {

using detail::Name;
using detail::Operands;
using detail::Pointwise;

void check_types(const Tensor& x, const detail::PointwiseRow& row) {
  if (is_floating(x.dtype()) || (row.integers && x.dtype() == DType::i32)) return;
  if (row.integers)
    throw Error(ErrorCode::invalid_argument, std::string(row.name) + ": needs f32, f16, bf16 or i32, got " +
                                                 name_of(x.dtype()) + "; convert with to(dtype)");
  detail::require_floating(x, row.name);
}

// A scalar that i32 cannot hold would silently become another number.
void check_scalar(const Tensor& x, float s, const char* name) {
  if (x.dtype() != DType::i32 || s == std::trunc(s)) return;
  throw Error(ErrorCode::invalid_argument, std::string(name) + ": " + std::to_string(s) +
                                               " is no whole number and x is i32; convert x with to(DType::f32)");
}

Tensor unary(Pointwise id, const Tensor& x, float s = 0.0f, float s2 = 0.0f) {
  const detail::PointwiseRow& row = detail::row_of(id);
  detail::require_defined(x, row.name, "x");
  check_types(x, row);
  const Shape& shape = x.shape();
  Tensor y = detail::evaluate(detail::forward_of(id), {.x = &x}, shape, s, s2, row.name);
  if (!autograd::needed({&x})) return y;

  const detail::Expression& derivative = detail::derivative_of(id, 0);
  autograd::Saved saved_x, saved_y;
  if (derivative.uses(Name::x)) saved_x = autograd::Saved(x);
  if (derivative.uses(Name::y)) saved_y = autograd::Saved(y);
  return autograd::record(row.name, std::move(y), {x},
                          [id, s, s2, saved_x = std::move(saved_x), saved_y = std::move(saved_y)](
                              const Tensor& dy, autograd::Needs) -> std::vector<Tensor> {
                            const detail::Expression& derivative = detail::derivative_of(id, 0);
                            if (derivative.text == "dy") return {dy};
                            const Operands operands{.dy = &dy,
                                                    .x = derivative.uses(Name::x) ? &saved_x.get() : nullptr,
                                                    .y = derivative.uses(Name::y) ? &saved_y.get() : nullptr};
                            return {detail::evaluate(derivative, operands, dy.shape(), s, s2, detail::row_of(id).name)};
                          });
}

Tensor with_scalar(Pointwise id, const Tensor& x, float s) {
  const char* name = detail::row_of(id).name;
  detail::require_defined(x, name, "x");
  check_scalar(x, s, name);
  return unary(id, x, s);
}

Tensor binary(Pointwise id, const Tensor& a, const Tensor& b) {
  const detail::PointwiseRow& row = detail::row_of(id);
  detail::require_defined(a, row.name, "a");
  detail::require_defined(b, row.name, "b");
  detail::require_same_device(a, b, row.name);
  detail::require_same_dtype(a, b, row.name);
  check_types(a, row);
  const Shape shape = a.shape() == b.shape() ? a.shape() : broadcast_shapes(a.shape(), b.shape(), row.name);
  Tensor y = detail::evaluate(detail::forward_of(id), {.a = &a, .b = &b}, shape, 0.0f, 0.0f, row.name);
  if (!autograd::needed({&a, &b})) return y;

  const bool needs_a = autograd::needed({&a}), needs_b = autograd::needed({&b});
  const auto saves = [&](Name name) {
    return (needs_a && detail::derivative_of(id, 0).uses(name)) || (needs_b && detail::derivative_of(id, 1).uses(name));
  };
  autograd::Saved saved_a, saved_b;
  if (saves(Name::a)) saved_a = autograd::Saved(a);
  if (saves(Name::b)) saved_b = autograd::Saved(b);
  return autograd::record(
      row.name, std::move(y), {a, b},
      [id, saved_a = std::move(saved_a), saved_b = std::move(saved_b), shapes = std::array{a.shape(), b.shape()}](
          const Tensor& dy, autograd::Needs needs) -> std::vector<Tensor> {
        const char* name = detail::row_of(id).name;
        std::vector<Tensor> grads(2);
        for (int input = 0; input < 2; ++input) {
          if (!needs[input]) continue;
          const detail::Expression& derivative = detail::derivative_of(id, input);
          Tensor grad = dy;
          if (derivative.text != "dy") {
            const Operands operands{.dy = &dy,
                                    .a = derivative.uses(Name::a) ? &saved_a.get() : nullptr,
                                    .b = derivative.uses(Name::b) ? &saved_b.get() : nullptr};
            grad = detail::evaluate(derivative, operands, dy.shape(), 0.0f, 0.0f, name);
          }
          grads[static_cast<std::size_t>(input)] = detail::sum_to(grad, shapes[static_cast<std::size_t>(input)]);
        }
        return grads;
      });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary(Pointwise::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary(Pointwise::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary(Pointwise::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary(Pointwise::div, a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return binary(Pointwise::pow, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary(Pointwise::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary(Pointwise::minimum, a, b); }

Tensor add(const Tensor& a, float b) { return with_scalar(Pointwise::add_scalar, a, b); }
Tensor sub(const Tensor& a, float b) { return with_scalar(Pointwise::sub_scalar, a, b); }
Tensor sub(float a, const Tensor& b) { return with_scalar(Pointwise::scalar_sub, b, a); }
Tensor mul(const Tensor& a, float b) { return with_scalar(Pointwise::mul_scalar, a, b); }
Tensor div(const Tensor& a, float b) { return with_scalar(Pointwise::div_scalar, a, b); }
Tensor div(float a, const Tensor& b) { return with_scalar(Pointwise::scalar_div, b, a); }

Tensor pow(const Tensor& a, float exponent) {
  // The general power costs tens of times a multiplication, and these are the common ones.
  if (exponent == 2.0f) return square(a);
  if (exponent == 0.5f) return sqrt(a);
  return unary(Pointwise::pow_scalar, a, exponent);
}

Tensor neg(const Tensor& x) { return unary(Pointwise::neg, x); }
Tensor exp(const Tensor& x) { return unary(Pointwise::exp, x); }
Tensor log(const Tensor& x) { return unary(Pointwise::log, x); }
Tensor sqrt(const Tensor& x) { return unary(Pointwise::sqrt, x); }
Tensor rsqrt(const Tensor& x) { return unary(Pointwise::rsqrt, x); }
Tensor abs(const Tensor& x) { return unary(Pointwise::abs, x); }
Tensor square(const Tensor& x) { return unary(Pointwise::square, x); }
Tensor sigmoid(const Tensor& x) { return unary(Pointwise::sigmoid, x); }
Tensor tanh(const Tensor& x) { return unary(Pointwise::tanh, x); }
Tensor relu(const Tensor& x) { return unary(Pointwise::relu, x); }
Tensor leaky_relu(const Tensor& x, float slope) { return unary(Pointwise::leaky_relu, x, slope); }
Tensor elu(const Tensor& x, float alpha) { return unary(Pointwise::elu, x, alpha); }
Tensor silu(const Tensor& x) { return unary(Pointwise::silu, x); }

Tensor gelu(const Tensor& x, Gelu form) {
  return unary(form == Gelu::exact ? Pointwise::gelu : Pointwise::gelu_tanh, x);
}

Tensor clamp(const Tensor& x, float low, float high) {
  if (!(low <= high))
    throw Error(ErrorCode::invalid_argument,
                "clamp: low " + std::to_string(low) + " is not at most high " + std::to_string(high));
  return unary(Pointwise::clamp, x, low, high);
}

Tensor softplus(const Tensor& x, float beta, float threshold) {
  if (!(beta > 0.0f))
    throw Error(ErrorCode::invalid_argument, "softplus: beta " + std::to_string(beta) + " is not positive");
  return unary(Pointwise::softplus, x, beta, threshold);
}

}  // namespace portico
