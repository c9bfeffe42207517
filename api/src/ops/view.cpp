// The differentiable members of Tensor that keep or copy memory: reshape, rows, conversions, moves between devices.
#include "ops/common.hpp"

namespace portico {
namespace {

// Fills in the one extent that may be -1.
Shape resolve(const Tensor& x, const Shape& wanted) {
  Shape shape = wanted;
  int open = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && open < 0) {
      open = i;
    } else {
      known *= shape[i];
    }
  }
  if (open >= 0 && known != 0 && x.count() % known == 0) shape[open] = x.count() / known;
  bool good = shape.count() == x.count();
  for (const std::int64_t dim : shape) good = good && dim >= 0;
  if (!good)
    throw Error(ErrorCode::invalid_argument, "reshape: " + x.shape().to_string() + " with " +
                                                 std::to_string(x.count()) + " elements does not fit " +
                                                 wanted.to_string());
  return shape;
}

}  // namespace

Tensor Tensor::reshape(const Shape& wanted) const {
  detail::require_defined(*this, "reshape", "the tensor");
  const Shape shape = resolve(*this, wanted);
  if (shape == this->shape()) return *this;
  const Tensor y = detail::view(detail::row_major(*this), shape);
  return autograd::record(
      "reshape", y, {*this}, [before = this->shape(), layout = this->layout()](const Tensor& dy, autograd::Needs) {
        // In x's layout, which is most likely what comes next wants: the one converted from is then free already.
        return std::vector<Tensor>{detail::in_layout(detail::view(detail::row_major(dy), before), layout)};
      });
}

Tensor Tensor::flatten(int start_axis, int end_axis) const {
  detail::require_defined(*this, "flatten", "the tensor");
  if (rank() == 0) return reshape({1});
  const int start = shape().axis(start_axis, "flatten");
  const int end = shape().axis(end_axis, "flatten");
  if (start > end)
    throw Error(ErrorCode::invalid_argument, "flatten: start axis " + std::to_string(start_axis) +
                                                 " comes after end axis " + std::to_string(end_axis) + " in " +
                                                 shape().to_string());
  Shape flat;
  std::int64_t merged = 1;
  for (int i = 0; i < rank(); ++i) {
    if (i < start || i > end) {
      flat.push_back(shape()[i]);
      continue;
    }
    merged *= shape()[i];
    if (i == end) flat.push_back(merged);
  }
  return reshape(flat);
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
  detail::require_defined(*this, "rows", "the tensor");
  if (rank() == 0 || begin < 0 || end < begin || end > shape()[0])
    throw Error(ErrorCode::invalid_argument, "rows: [" + std::to_string(begin) + ", " + std::to_string(end) +
                                                 ") does not lie in the first axis of " + shape().to_string());
  Shape part = shape();
  part[0] = end - begin;
  const std::int64_t row = shape()[0] == 0 ? 0 : count() / shape()[0];
  // The first axis is the slowest in either layout, so a slice of it is contiguous in both.
  const Tensor y = detail::view(*this, part, static_cast<std::size_t>(begin * row));
  y.impl()->layout = layout();
  return autograd::record("rows", y, {*this}, [like = detach(), begin, end](const Tensor& dy, autograd::Needs) {
    Tensor dx = zeros_like(like);
    dx.rows(begin, end).copy_from(dy);
    return std::vector<Tensor>{dx};
  });
}

Tensor Tensor::contiguous(Layout layout) const {
  detail::require_defined(*this, "contiguous", "the tensor");
  if (layout == this->layout()) return *this;
  if (layout == Layout::channels_last && rank() != 4)
    throw Error(ErrorCode::invalid_argument,
                "contiguous: channels_last needs four axes, the tensor is " + shape().to_string());
  return autograd::record("contiguous", detail::in_layout(*this, layout), {*this},
                          [](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy}; });
}

Tensor Tensor::clone() const {
  detail::require_defined(*this, "clone", "the tensor");
  return autograd::record("clone", detail::copy(*this), {*this},
                          [](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy}; });
}

Tensor Tensor::to(DType dtype) const {
  detail::require_defined(*this, "to", "the tensor");
  const DType before = this->dtype();
  if (dtype == before) return *this;
  Tensor y = detail::make(shape(), dtype, device(), layout());
  detail::copy_elements(y, *this);
  if (!is_floating(dtype) || !is_floating(before)) return y;
  return autograd::record("to", y, {*this},
                          [before](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy.to(before)}; });
}

Tensor Tensor::to(const Device& target) const {
  detail::require_defined(*this, "to", "the tensor");
  const Device before = device();
  if (target == before) return *this;
  Tensor y = detail::make(shape(), dtype(), target, layout());
  y.buffer().copy_from(0, buffer(), offset() * size_of(dtype()), bytes());
  return autograd::record("to", y, {*this},
                          [before](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy.to(before)}; });
}

}  // namespace portico
