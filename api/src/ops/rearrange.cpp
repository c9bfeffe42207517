// Rearranging elements: each is a copy between two sets of strides, and so is its gradient.
#include <algorithm>
#include <vector>

#include "ops/copy.hpp"
#include "ops/reduce.hpp"

namespace portico {
namespace detail {
namespace {

// The parts of a row-major tensor around one axis: [outer, extent, inner].
struct Around {
  std::int64_t outer = 1;
  std::int64_t inner = 1;
};

Around around(const Shape& shape, int axis) {
  Around parts;
  for (int i = 0; i < axis; ++i) parts.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) parts.inner *= shape[i];
  return parts;
}

// `extent` positions of an axis of a row-major tensor from `begin` on, `step` apart, as [outer, extent, inner].
Strided along(const Tensor& x, int axis, std::int64_t begin, std::int64_t step) {
  const Around parts = around(x.shape(), axis);
  Strided view{.buffer = &x.buffer(), .offset = x.offset(), .dtype = x.dtype()};
  view.offset += static_cast<std::size_t>(begin * parts.inner);
  view.strides[0] = x.shape()[axis] * parts.inner;
  view.strides[1] = step * parts.inner;
  view.strides[2] = 1;
  return view;
}

// y's positions [y_begin, ...] of `axis` become x's [x_begin, ...]; both row-major.
void copy_along(const Tensor& y, std::int64_t y_begin, std::int64_t y_step, const Tensor& x, std::int64_t x_begin,
                std::int64_t x_step, int axis, std::int64_t extent, const char* subject) {
  const Around parts = around(x.shape(), axis);
  const std::int64_t extents[] = {parts.outer, extent, parts.inner};
  copy_strided(along(y, axis, y_begin, y_step), along(x, axis, x_begin, x_step), extents, subject);
}

Tensor permuted(const Tensor& given, std::span<const int> axes) {
  const Tensor x = row_major(given);
  const Shape& from = x.shape();
  const Strided source = strided(x, from, Layout::row_major);
  Strided view = source;
  Shape shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    shape.push_back(from[axes[i]]);
    view.strides[i] = source.strides[axes[i]];
  }
  const Tensor y = make(shape, x.dtype(), x.device());
  copy_strided(strided(y, shape, Layout::row_major), view, {shape.begin(), axes.size()}, "permute");
  return y;
}

}  // namespace
}  // namespace detail

Tensor permute(const Tensor& x, std::span<const int> axes) {
  detail::require_defined(x, "permute", "x");
  if (static_cast<int>(axes.size()) != x.rank())
    throw Error(ErrorCode::invalid_argument,
                "permute: " + std::to_string(axes.size()) + " axes for x " + x.shape().to_string());
  std::vector<int> order, inverse(axes.size(), -1);
  for (const int given : axes) {
    const int axis = x.shape().axis(given, "permute");
    if (inverse[static_cast<std::size_t>(axis)] >= 0)
      throw Error(ErrorCode::invalid_argument, "permute: axis " + std::to_string(given) + " is named twice");
    inverse[static_cast<std::size_t>(axis)] = static_cast<int>(order.size());
    order.push_back(axis);
  }
  return autograd::record("permute", detail::permuted(x, order), {x}, [inverse](const Tensor& dy, autograd::Needs) {
    return std::vector<Tensor>{detail::permuted(dy, inverse)};
  });
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  detail::require_defined(x, "transpose", "x");
  int axes[Shape::kMaxRank];
  for (int i = 0; i < x.rank(); ++i) axes[i] = i;
  std::swap(axes[x.shape().axis(axis_a, "transpose")], axes[x.shape().axis(axis_b, "transpose")]);
  return permute(x, std::span<const int>(axes, static_cast<std::size_t>(x.rank())));
}

Tensor concat(std::span<const Tensor> parts, int given_axis) {
  if (parts.empty()) throw Error(ErrorCode::invalid_argument, "concat: no parts");
  for (const Tensor& part : parts) detail::require_defined(part, "concat", "a part");
  const Tensor& first = parts[0];
  const int axis = first.shape().axis(given_axis, "concat");
  Shape shape = first.shape();
  std::vector<std::int64_t> extents;
  std::int64_t total = 0;
  for (const Tensor& part : parts) {
    detail::require_same_device(first, part, "concat");
    detail::require_same_dtype(first, part, "concat");
    bool fits = part.rank() == first.rank();
    for (int i = 0; fits && i < part.rank(); ++i) fits = i == axis || part.shape()[i] == shape[i];
    if (!fits)
      throw Error(ErrorCode::invalid_argument, "concat: part " + part.shape().to_string() + " does not fit " +
                                                   first.shape().to_string() + " beside axis " + std::to_string(axis));
    extents.push_back(part.shape()[axis]);
    total += extents.back();
  }
  shape[axis] = total;
  const Tensor y = detail::make(shape, first.dtype(), first.device());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    detail::copy_along(y, begin, 1, detail::row_major(parts[i]), 0, 1, axis, extents[i], "concat");
    begin += extents[i];
  }
  return autograd::record("concat", y, std::vector<Tensor>(parts.begin(), parts.end()),
                          [extents, axis](const Tensor& given, autograd::Needs needs) {
                            const Tensor dy = detail::row_major(given);
                            std::vector<Tensor> grads(extents.size());
                            std::int64_t begin = 0;
                            for (std::size_t i = 0; i < extents.size(); ++i) {
                              if (needs[static_cast<int>(i)]) {
                                Shape part = dy.shape();
                                part[axis] = extents[i];
                                grads[i] = detail::make(part, dy.dtype(), dy.device());
                                detail::copy_along(grads[i], 0, 1, dy, begin, 1, axis, extents[i], "concat");
                              }
                              begin += extents[i];
                            }
                            return grads;
                          });
}

Tensor slice(const Tensor& x, int given_axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  detail::require_defined(x, "slice", "x");
  const int axis = x.shape().axis(given_axis, "slice");
  if (step < 1) throw Error(ErrorCode::invalid_argument, "slice: step " + std::to_string(step) + " is not at least 1");
  const std::int64_t extent = x.shape()[axis];
  const auto clip = [extent](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent);
  };
  begin = clip(begin);
  end = clip(end);
  Shape shape = x.shape();
  shape[axis] = end > begin ? detail::divide_up(end - begin, step) : 0;
  const Tensor y = detail::make(shape, x.dtype(), x.device());
  detail::copy_along(y, 0, 1, detail::row_major(x), begin, step, axis, shape[axis], "slice");
  return autograd::record("slice", y, {x}, [before = x.shape(), axis, begin, step](const Tensor& dy, autograd::Needs) {
    const Tensor dx = Tensor::zeros(before, {.dtype = dy.dtype(), .device = dy.device()});
    detail::copy_along(dx, begin, step, detail::row_major(dy), 0, 1, axis, dy.shape()[axis], "slice");
    return std::vector<Tensor>{dx};
  });
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  detail::require_defined(x, "broadcast_to", "x");
  if (broadcast_shapes(x.shape(), shape, "broadcast_to") != shape)
    throw Error(ErrorCode::invalid_argument,
                "broadcast_to: x " + x.shape().to_string() + " does not broadcast to " + shape.to_string());
  const Tensor y =
      detail::evaluate(detail::forward_of(detail::Pointwise::copy), {.x = &x}, shape, 0.0f, 0.0f, "broadcast_to");
  return autograd::record("broadcast_to", y, {x}, [before = x.shape()](const Tensor& dy, autograd::Needs) {
    return std::vector<Tensor>{detail::sum_to(dy, before)};
  });
}

}  // namespace portico
