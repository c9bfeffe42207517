// matmul and linear: shapes, broadcasting of leading axes, and gradients; the products themselves are gemm.cpp's.
#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "autograd/node.hpp"
#include "ops/common.hpp"
#include "ops/gemm.hpp"
#include "ops/linear_grad.hpp"
#include "ops/reduce.hpp"
#include "runtime/gemm_slot.hpp"

namespace portico {
namespace {

using detail::Gemm;

std::int64_t rows_of(const Shape& s) { return s[s.rank() - 2]; }

Shape batch_of(const Shape& s) { return Shape(std::span(s.begin(), static_cast<std::size_t>(s.rank() - 2))); }

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t cols) {
  batch.push_back(rows);
  batch.push_back(cols);
  return batch;
}

// Leading axes of a product, those along which every operand moves evenly merged into one.
struct BatchAxes {
  int rank = 0;
  std::array<std::int64_t, Shape::kMaxRank> extent{}, a{}, b{};  // strides in matrices, 0 where broadcast

  BatchAxes(const Shape& batch, const Shape& batch_a, const Shape& batch_b) {
    std::int64_t step_a = 1, step_b = 1;
    for (int back = 1; back <= batch.rank(); ++back) {  // last axis first
      const std::int64_t size = batch[batch.rank() - back];
      const std::int64_t size_a = back <= batch_a.rank() ? batch_a[batch_a.rank() - back] : 1;
      const std::int64_t size_b = back <= batch_b.rank() ? batch_b[batch_b.rank() - back] : 1;
      if (size != 1) add(size, size_a == 1 ? 0 : step_a, size_b == 1 ? 0 : step_b);
      step_a *= size_a;
      step_b *= size_b;
    }
  }

 private:
  void add(std::int64_t size, std::int64_t stride_a, std::int64_t stride_b) {
    const auto at = static_cast<std::size_t>(rank);
    if (rank > 0 && stride_a == a[at - 1] * extent[at - 1] && stride_b == b[at - 1] * extent[at - 1]) {
      extent[at - 1] *= size;
      return;
    }
    extent[at] = size;
    a[at] = stride_a;
    b[at] = stride_b;
    ++rank;
  }
};

// op(a) op(b) for operands of at least two axes that are known to fit; row-major, no history.
Tensor product(const Tensor& a_in, const Tensor& b_in, bool trans_a, bool trans_b) {
  const Tensor a = detail::row_major(a_in), b = detail::row_major(b_in);
  const Shape &sa = a.shape(), &sb = b.shape();
  const std::int64_t m = trans_a ? sa.back() : rows_of(sa), k = trans_a ? rows_of(sa) : sa.back(),
                     n = trans_b ? rows_of(sb) : sb.back();
  const Device device = a.device();
  const DType dtype = a.dtype();
  Gemm call{
      .trans_a = trans_a, .trans_b = trans_b, .m = m, .n = n, .k = k, .lda = sa.back(), .ldb = sb.back(), .ldc = n};

  if (sa.rank() == 2 && sb.rank() == 2) {
    const Tensor c = detail::make({m, n}, dtype, device);
    detail::gemm(device, dtype, call, a.arg(), b.arg(), c.arg(), nullptr, "matmul");
    return c;
  }
  const Shape batch_a = batch_of(sa), batch_b = batch_of(sb), batch = broadcast_shapes(batch_a, batch_b, "matmul");
  const Tensor c = detail::make(with_matrix(batch, m, n), dtype, device);
  if (c.count() == 0) return c;
  if (!trans_a && batch_b.count() == 1 && batch == batch_a) {  // one matrix for all rows there are
    call.m = m * batch.count();
    detail::gemm(device, dtype, call, a.arg(), b.arg(), c.arg(), nullptr, "matmul");
    return c;
  }

  const BatchAxes axes(batch, batch_a, batch_b);
  call.batch = axes.rank > 0 ? axes.extent[0] : 1;
  call.stride_a = axes.rank > 0 ? axes.a[0] * m * k : 0;
  call.stride_b = axes.rank > 0 ? axes.b[0] * k * n : 0;
  call.stride_c = m * n;
  std::array<std::int64_t, Shape::kMaxRank> at{};
  const std::int64_t launches = batch.count() / call.batch;
  for (std::int64_t i = 0; i < launches; ++i) {
    std::int64_t item_a = 0, item_b = 0;
    for (int axis = 1; axis < axes.rank; ++axis) {
      const auto j = static_cast<std::size_t>(axis);
      item_a += at[j] * axes.a[j];
      item_b += at[j] * axes.b[j];
    }
    const std::size_t size = size_of(dtype);
    const Arg arg_a(a.buffer(), a.offset() + static_cast<std::size_t>(item_a * m * k), size);
    const Arg arg_b(b.buffer(), b.offset() + static_cast<std::size_t>(item_b * k * n), size);
    const Arg arg_c(c.buffer(), c.offset() + static_cast<std::size_t>(i * call.batch * m * n), size);
    detail::gemm(device, dtype, call, arg_a, arg_b, arg_c, nullptr, "matmul");
    for (std::size_t j = 1; j < at.size() && ++at[j] == axes.extent[j]; ++j) at[j] = 0;
  }
  return c;
}

// dB for op(B) shared by all of a's leading axes: one product over all their rows instead of a sum of many.
Tensor shared_b_gradient(const Tensor& a, const Tensor& dy, bool trans_b) {
  const Tensor rows_a = detail::view(detail::row_major(a), {a.count() / a.shape().back(), a.shape().back()});
  const Tensor rows_dy = detail::view(detail::row_major(dy), {dy.count() / dy.shape().back(), dy.shape().back()});
  return trans_b ? product(rows_dy, rows_a, true, false) : product(rows_a, rows_dy, true, false);
}

std::vector<Tensor> product_gradient(const Tensor& a, const Tensor& b, bool trans_a, bool trans_b, const Tensor& dy,
                                     autograd::Needs needs) {
  std::vector<Tensor> grads(2);
  if (needs[0]) {
    const Tensor da = trans_a ? product(b, dy, trans_b, true) : product(dy, b, false, !trans_b);
    grads[0] = detail::sum_to(da, a.shape());
  }
  if (needs[1]) {
    if (!trans_a && b.rank() == 2 && a.rank() > 2 && a.count() > 0 && dy.count() > 0) {
      grads[1] = shared_b_gradient(a, dy, trans_b);
    } else {
      const Tensor db = trans_b ? product(dy, a, true, trans_a) : product(a, dy, !trans_a, false);
      grads[1] = detail::sum_to(db, b.shape());
    }
  }
  return grads;
}

// dz^T x and the column sums of dz in one call of a library; both undefined where none does that.
std::pair<Tensor, Tensor> weight_and_bias_gradient(const Tensor& dz, const Tensor& x, std::int64_t count,
                                                   std::int64_t out, std::int64_t in) {
  const Gemm call{.trans_a = true, .m = out, .n = in, .k = count, .lda = out, .ldb = in, .ldc = in};
  const Device device = dz.device();
  if (!detail::has_gemm_slot(device)) return {};
  const Tensor weight = detail::make({out, in}, dz.dtype(), device), bias = detail::make({out}, dz.dtype(), device);
  if (!detail::gemm_with_row_sums(device, dz.dtype(), call, dz.arg(), x.arg(), weight.arg(), bias.arg(), "linear"))
    return {};
  return {weight, bias};
}

[[noreturn]] void refuse_matmul(const Tensor& a, const Tensor& b, const std::string& why) {
  throw Error(ErrorCode::invalid_argument,
              "matmul: a " + a.shape().to_string() + " and b " + b.shape().to_string() + " " + why);
}

void check_matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
  detail::require_defined(a, "matmul", "a");
  detail::require_defined(b, "matmul", "b");
  detail::require_same_device(a, b, "matmul");
  detail::require_same_dtype(a, b, "matmul");
  detail::require_floating(a, "matmul");
  if (a.rank() == 0 || b.rank() == 0) refuse_matmul(a, b, "need at least one axis each; mul() multiplies by a scalar");
  if ((options.trans_a && a.rank() == 1) || (options.trans_b && b.rank() == 1))
    refuse_matmul(a, b, "cannot both be transposed as asked: one axis has no transpose; leave the option out");
  const std::int64_t inner_a = options.trans_a ? rows_of(a.shape()) : a.shape().back();
  const std::int64_t inner_b = b.rank() == 1 || options.trans_b ? b.shape().back() : rows_of(b.shape());
  if (inner_a != inner_b)
    refuse_matmul(a, b,
                  "do not fit: op(a) has " + std::to_string(inner_a) + " columns, op(b) has " +
                      std::to_string(inner_b) + " rows; trans_a and trans_b transpose");
}

}  // namespace

Tensor matmul(const Tensor& a_in, const Tensor& b_in, MatmulOptions options) {
  check_matmul(a_in, b_in, options);
  // One axis: a row on the left, a column on the right, and that axis is absent from the result.
  const bool row = a_in.rank() == 1, column = b_in.rank() == 1;
  if (row || column) {
    const Tensor a = row ? a_in.reshape({1, a_in.dim(0)}) : a_in;
    const Tensor b = column ? b_in.reshape({1, b_in.dim(0)}) : b_in;
    const Tensor y = matmul(a, b, {.trans_a = options.trans_a, .trans_b = column || options.trans_b});
    Shape shape;
    for (int axis = 0; axis < y.rank(); ++axis) {
      const bool dropped = (column && axis == y.rank() - 1) || (row && axis == y.rank() - 2);
      if (!dropped) shape.push_back(y.shape()[axis]);
    }
    return y.reshape(shape);
  }
  const Tensor y = product(a_in, b_in, options.trans_a, options.trans_b);
  if (!autograd::needed({&a_in, &b_in})) return y;
  return autograd::record(
      "matmul", y, {a_in, b_in},
      [a = autograd::Saved(a_in), b = autograd::Saved(b_in), options](const Tensor& dy, autograd::Needs needs) {
        return product_gradient(a.get(), b.get(), options.trans_a, options.trans_b, dy, needs);
      });
}

Tensor linear(const Tensor& x_in, const Tensor& weight, const Tensor& bias, Activation activation) {
  detail::require_defined(x_in, "linear", "x");
  detail::require_defined(weight, "linear", "weight");
  detail::require_same_device(x_in, weight, "linear");
  detail::require_same_dtype(x_in, weight, "linear");
  detail::require_floating(x_in, "linear");
  if (weight.rank() != 2)
    throw Error(ErrorCode::invalid_argument,
                "linear: weight " + weight.shape().to_string() + " must be [out, in]; flatten() or reshape() it");
  const std::int64_t out = weight.dim(0), in = weight.dim(1);
  if (x_in.rank() == 0 || x_in.shape().back() != in)
    throw Error(ErrorCode::invalid_argument, "linear: x " + x_in.shape().to_string() + " needs " + std::to_string(in) +
                                                 " features in its last axis for weight " + weight.shape().to_string());
  if (bias.defined()) {
    detail::require_same_device(x_in, bias, "linear");
    detail::require_same_dtype(x_in, bias, "linear");
    if (bias.shape() != Shape{out})
      throw Error(ErrorCode::invalid_argument, "linear: bias " + bias.shape().to_string() + " must be [" +
                                                   std::to_string(out) + "] for weight " + weight.shape().to_string());
  }

  const Tensor x = detail::row_major(x_in), w = detail::row_major(weight);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = out;
  Shape leading = x.shape();
  leading[leading.rank() - 1] = 1;
  const bool recorded = autograd::needed({&x_in, &weight, &bias});
  Gemm call{.trans_b = true,
            .m = leading.count(),
            .n = out,
            .k = in,
            .lda = in,
            .ldb = in,
            .ldc = out,
            .activation = activation};
  const Device device = x.device();
  const std::optional<Arg> shift = bias.defined() ? std::optional(bias.arg()) : std::nullopt;
  const Arg* const b = shift ? &*shift : nullptr;
  Tensor y = detail::make(shape, x.dtype(), device);
  // relu's gradient is in its result. gelu's needs what gelu was given, so a recorded gelu is a step of its own unless
  // a library hands out both.
  Tensor saved = activation == Activation::relu ? y : Tensor();
  if (recorded && (activation == Activation::gelu || activation == Activation::gelu_tanh)) {
    saved = y;
    y = detail::has_gemm_slot(device) ? detail::make(shape, x.dtype(), device) : Tensor();
    if (!y.defined() ||
        !detail::gemm_keeping_input(device, x.dtype(), call, x.arg(), w.arg(), y.arg(), saved.arg(), b, "linear")) {
      call.activation = Activation::none;
      detail::gemm(device, x.dtype(), call, x.arg(), w.arg(), saved.arg(), b, "linear");
      const NoGrad no_grad;
      y = gelu(saved, activation == Activation::gelu ? Gelu::exact : Gelu::tanh);
    }
  } else {
    detail::gemm(device, x.dtype(), call, x.arg(), w.arg(), y.arg(), b, "linear");
  }
  if (!recorded) return y;

  autograd::Saved kept = saved.defined() ? autograd::Saved(saved) : autograd::Saved();
  return autograd::record("linear", y, {x_in, weight, bias},
                          [x = autograd::Saved(x), w = autograd::Saved(w), kept = std::move(kept), activation, in, out,
                           count = leading.count()](const Tensor& dy, autograd::Needs needs) mutable {
                            std::vector<Tensor> grads(3);
                            Tensor dz = detail::row_major(dy);
                            if (activation == Activation::none && needs[1] && needs[2])
                              std::tie(grads[1], grads[2]) = weight_and_bias_gradient(dz, x.get(), count, out, in);
                            if (!grads[1].defined()) {
                              const Tensor given = activation == Activation::none ? Tensor() : kept.get();
                              detail::ActivationGradient made =
                                  detail::activation_gradient(dz, given, activation, out, needs[2]);
                              dz = made.dz;
                              grads[2] = made.bias;
                            }
                            const Tensor rows = detail::view(dz, {count, out});
                            const Shape shape = x.get().shape();
                            if (needs[1] && !grads[1].defined())
                              grads[1] = product(rows, detail::view(x.get(), {count, in}), true, false);
                            if (detail::frees_graph()) x = {};  // its gradient is as large
                            if (needs[0]) grads[0] = detail::view(product(rows, w.get(), false, false), shape);
                            return grads;
                          });
}

}  // namespace portico
