// Copies, conversions of type and layout, fills; and the members of Tensor that make filled tensors.
#include "ops/copy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace portico {
namespace detail {
namespace {

const KernelFamily kTranspose("transpose", "transpose");

// Axis numbers of a copy whose source and result have different innermost axes.
struct Tiling {
  int i;  ///< innermost in y
  int j;  ///< innermost in x
};

void launch_tiles(const Strided& y, const Strided& x, const std::int64_t* extents, int rank, Tiling axes,
                  const char* subject) {
  const Device device = y.buffer->device();
  const bool cpu = cpu_shape(device);
  const std::int64_t count_i = extents[axes.i], count_j = extents[axes.j];
  std::int64_t batches = 1;
  std::vector<Arg> args = {Arg(*x.buffer, x.offset, size_of(x.dtype)), Arg(*y.buffer, y.offset, size_of(y.dtype))};
  for (int axis = 0; axis < rank; ++axis)
    if (axis != axes.i && axis != axes.j) batches *= extents[axis];
  const bool integers = !is_floating(x.dtype) && !is_floating(y.dtype);
  const bool stream = cpu && y.dtype == DType::f32 && 4 * batches * count_i * count_j > kStreamBytes;
  const std::int64_t bands = divide_up(count_j, !cpu ? 32 : stream ? 64 : 16);  // BAND of the kernel
  for (const std::int64_t value : {batches, count_i, count_j, x.strides[axes.i], y.strides[axes.j], bands})
    args.emplace_back(as_u32(value, subject));
  for (int axis = 0; axis < rank; ++axis)
    if (axis != axes.i && axis != axes.j)
      for (const std::int64_t value : {extents[axis], x.strides[axis], y.strides[axis]})
        args.emplace_back(as_u32(value, subject));

  Grid grid;
  const std::int64_t units = cpu ? batches * bands : batches * bands * divide_up(count_i, 32);
  const std::int64_t compute_units = std::max(device.info().compute_units, 1u);
  grid.groups.x = as_u32(std::min(units, compute_units * (cpu ? 8 : 32)), subject);
  grid.local.x = cpu ? 1 : 256;
  const Kernel kernel = kTranspose.get(device, key(int(x.dtype), int(y.dtype), rank, int(stream) << 1 | int(cpu)), [&] {
    return Spec()
        .set("T0", word(x.dtype))
        .set("TY", word(y.dtype))
        .set("RANK", rank - 2)
        .set("CPU_SHAPE", cpu)
        .set("INTEGERS", integers)
        .set("STREAM", stream)
        .set("TILE", 32);
  });
  kernel.launch(grid, args);
}

}  // namespace

void copy_strided(const Strided& given_y, const Strided& given_x, std::span<const std::int64_t> given_extents,
                  const char* subject) {
  std::int64_t extents[Shape::kMaxRank + 1];
  std::copy(given_extents.begin(), given_extents.end(), extents);
  if (std::count(given_extents.begin(), given_extents.end(), 0) > 0) return;
  Strided y = given_y, x = given_x;
  Strided* views[] = {&y, &x};
  const int rank = collapse(extents, static_cast<int>(given_extents.size()), views, 2);
  if (rank >= 2 && rank <= 6 && y.strides[rank - 1] == 1 && x.strides[rank - 1] > 1) {
    for (int axis = 0; axis < rank - 1; ++axis)
      // Narrow tiles gain nothing over one strided access an element.
      if (x.strides[axis] == 1 && extents[axis] >= 4 && extents[rank - 1] >= 4)
        return launch_tiles(y, x, extents, rank, {.i = rank - 1, .j = axis}, subject);
  }
  launch_strided(forward_of(Pointwise::copy), {&x, 1}, y, {extents, static_cast<std::size_t>(rank)}, 0.0f, 0.0f, false,
                 subject);
}

void copy_elements(const Tensor& dst, const Tensor& src) {
  if (dst.layout() == src.layout())
    return evaluate_into(dst, forward_of(Pointwise::copy), {.x = &src}, 0.0f, 0.0f, false, "copy");
  const Shape& shape = dst.shape();
  std::int64_t extents[Shape::kMaxRank];
  const int rank = extents_of(shape, dst.layout(), extents);
  copy_strided(strided(dst, shape, dst.layout()), strided(src, shape, dst.layout()),
               {extents, static_cast<std::size_t>(rank)}, "copy");
}

void fill_elements(const Tensor& dst, float value) {
  evaluate_into(dst, forward_of(Pointwise::fill), {}, value, 0.0f, false, "fill");
}

void add_elements(const Tensor& dst, const Tensor& src) {
  evaluate_into(dst, forward_of(Pointwise::copy), {.x = &src}, 0.0f, 0.0f, true, "add");
}

}  // namespace detail

Tensor Tensor::full(const Shape& shape, float value, const TensorOptions& options) {
  Tensor tensor = empty(shape, options);
  detail::fill_elements(tensor, value);
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, const TensorOptions& options) { return full(shape, 0.0f, options); }
Tensor Tensor::ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1.0f, options); }

Tensor Tensor::zeros_like(const Tensor& like) {
  Tensor tensor = empty_like(like);
  detail::fill_elements(tensor, 0.0f);
  return tensor;
}

Tensor Tensor::arange(std::int64_t count, const TensorOptions& options) {
  if (count < 0) throw Error(ErrorCode::invalid_argument, "arange: count " + std::to_string(count) + " is negative");
  if (options.dtype == DType::i32) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), 0);
    return from_ints(values, {count}, options.device);
  }
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  return from(values, {count}, options);
}

void Tensor::fill(float value) const {
  detail::require_defined(*this, "fill", "the tensor");
  detail::fill_elements(*this, value);
  buffer().bump_version();
}

}  // namespace portico
