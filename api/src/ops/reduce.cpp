// Reductions over any axes, as passes over [outer, len, inner], and their gradients.
#include "ops/reduce.hpp"

#include <algorithm>
#include <cmath>

#include "ops/pointwise.hpp"

namespace portico {
namespace detail {
namespace {

const KernelFamily kReduce("reduce", "reduce");
const KernelFamily kArgmax("argmax", "argmax");

enum class Kind : std::uint32_t { sum, max, min };
enum class Map : std::uint32_t { same, squared_difference };

/// One pass: [outer, len, inner] to [outer, inner].
struct Form {
  std::int64_t outer = 1;
  std::int64_t len = 1;
  std::int64_t inner = 1;
};

DType wide(DType dtype) { return is_floating(dtype) ? DType::f32 : DType::i32; }

// Threads of a GPU group for rows of this length; 1 where a thread takes a whole row.
std::uint32_t group_for(std::int64_t len) { return len >= 1024 ? 256 : len >= 64 ? 64 : 1; }

// How many segments `len` is cut into, so that the device has enough to do.
std::int64_t segments(const Device& device, const Form& form, bool cpu) {
  const std::int64_t units = std::max(device.info().compute_units, 1u);
  std::int64_t work, wanted, least;
  if (cpu) {  // a unit is a row, or 256 columns; a piece should have 8192 elements
    work = form.outer * divide_up(form.inner, 256);
    wanted = units * 4;
    least = std::max<std::int64_t>(1, 8192 / std::min<std::int64_t>(form.inner, 256));
  } else if (form.inner == 1) {  // a unit is a group
    work = form.outer;
    wanted = units * 4;
    least = 4096;
  } else {  // a unit is a thread; a second pass should not be longer than the first
    work = form.outer * form.inner;
    wanted = units * 1024;
    least = std::max<std::int64_t>(8, static_cast<std::int64_t>(std::sqrt(static_cast<double>(form.len))));
  }
  if (work == 0 || work >= wanted) return 1;
  return std::clamp<std::int64_t>(std::min(divide_up(wanted, work), form.len / least), 1, 65535);
}

void launch_pass(Kind kind, Map map, const Tensor& a, const Tensor* b, const Tensor& y, const Form& form,
                 std::int64_t segs, std::int64_t seg, float scale, const char* subject) {
  const Device device = a.device();
  const bool cpu = cpu_shape(device);
  const bool rows = form.inner == 1;
  const std::uint32_t group = cpu || !rows ? 1 : group_for(std::min(form.len, seg));
  const bool integers = !is_floating(a.dtype());
  const DType second = b == nullptr ? a.dtype() : b->dtype();
  const Kernel kernel =
      kReduce.get(device,
                  key(int(a.dtype()) | int(second) << 3 | int(y.dtype()) << 6,
                      int(kind) | int(map) << 2 | int(rows) << 3 | int(cpu) << 4, group),
                  [&] {
                    Spec spec;
                    spec.set("T0", word(a.dtype())).set("TY", word(y.dtype())).set("KIND", int(kind));
                    spec.set("ARITY", b == nullptr ? 1 : 2).set("ROWS", rows).set("WG", group).set("CPU_SHAPE", cpu);
                    spec.set("INTEGERS", integers).set("MAP", map == Map::same ? "a" : "(a - b) * (a - b)");
                    if (b != nullptr) spec.set("T1", word(second));
                    return spec;
                  });
  Grid grid;
  const std::int64_t units = std::max(device.info().compute_units, 1u);
  const std::int64_t lines = form.outer * segs;
  if (cpu) {
    const std::int64_t pieces = lines * (rows ? 1 : divide_up(form.inner, 256));
    const std::int64_t worth = divide_up(form.outer * form.len * form.inner, 4096);
    grid.groups.x = static_cast<std::uint32_t>(std::clamp<std::int64_t>(std::min(pieces, worth), 1, units * 8));
  } else if (rows && group > 1) {
    grid.groups.x = static_cast<std::uint32_t>(std::min<std::int64_t>(lines, units * 32));
    grid.local.x = group;
  } else {
    grid = flat_grid(device, lines * form.inner);
  }
  const auto u32 = [subject](std::int64_t value) { return as_u32(value, subject); };
  as_u32(form.outer * std::max<std::int64_t>(form.len, 1) * form.inner, subject);
  if (b == nullptr) {
    kernel(grid, {a.arg(), y.arg(), u32(form.outer), u32(form.len), u32(form.inner), u32(segs), u32(seg), scale});
  } else {
    kernel(grid,
           {a.arg(), b->arg(), y.arg(), u32(form.outer), u32(form.len), u32(form.inner), u32(segs), u32(seg), scale});
  }
}

// Reduces to y [outer * inner elements]; through partial results when one launch would leave the device idle.
void reduce_pass(Kind kind, Map map, const Tensor& a, const Tensor* b, const Tensor& y, const Form& form, float scale,
                 const char* subject) {
  if (form.outer * form.inner == 0) return;
  const Device device = a.device();
  const std::int64_t wanted = segments(device, form, cpu_shape(device));
  const std::int64_t seg = divide_up(form.len, wanted);
  const std::int64_t segs = seg == 0 ? 1 : divide_up(form.len, seg);
  if (segs <= 1) return launch_pass(kind, map, a, b, y, form, 1, std::max<std::int64_t>(form.len, 1), scale, subject);
  const Tensor partial = make({form.outer * segs * form.inner}, wide(a.dtype()), device);
  launch_pass(kind, map, a, b, partial, form, segs, seg, 1.0f, subject);
  reduce_pass(kind, Map::same, partial, nullptr, y, {form.outer, segs, form.inner}, scale, subject);
}

/// Which axes go, and the shape with them kept as 1.
struct Plan {
  bool reduced[Shape::kMaxRank] = {};
  Shape kept;     ///< with extents of 1
  Shape dropped;  ///< without them
  std::int64_t count = 1;
};

Plan plan(const Shape& shape, std::span<const int> axes, const char* subject) {
  Plan plan;
  if (axes.empty()) std::fill_n(plan.reduced, shape.rank(), true);
  for (const int given : axes) {
    bool& mark = plan.reduced[shape.axis(given, subject)];
    if (mark)
      throw Error(ErrorCode::invalid_argument,
                  std::string(subject) + ": axis " + std::to_string(given) + " is named twice");
    mark = true;
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (plan.reduced[axis]) plan.count *= shape[axis];
    plan.kept.push_back(plan.reduced[axis] ? 1 : shape[axis]);
    if (!plan.reduced[axis]) plan.dropped.push_back(shape[axis]);
  }
  return plan;
}

// A channels-last tensor is reduced as it lies when what stays is in row-major order without moving anything.
bool stays_ordered(const Tensor& x, const Plan& plan) {
  const Shape& s = x.shape();
  const bool channels_stay = !plan.reduced[1] && s[1] > 1;
  const bool pixels_stay = (!plan.reduced[2] && s[2] > 1) || (!plan.reduced[3] && s[3] > 1);
  return !(channels_stay && pixels_stay);
}

Tensor reduce(Kind kind, const Tensor& given, const Plan& plan, float scale, const char* subject) {
  Tensor x = given;
  if (x.layout() == Layout::channels_last && !stays_ordered(x, plan)) x = row_major(x);

  // Neighbouring axes of one kind merged, in memory order.
  std::int64_t extents[Shape::kMaxRank];
  bool reduced[Shape::kMaxRank];
  const int rank = extents_of(x.shape(), x.layout(), extents);
  std::copy_n(plan.reduced, rank, reduced);
  if (x.layout() == Layout::channels_last) std::rotate(reduced + 1, reduced + 2, reduced + 4);
  int blocks = 0;
  for (int axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 1) continue;
    if (blocks > 0 && reduced[blocks - 1] == reduced[axis]) {
      extents[blocks - 1] *= extents[axis];
    } else {
      extents[blocks] = extents[axis];
      reduced[blocks++] = reduced[axis];
    }
  }

  // The innermost reduced block first: its pass reads neighbours, and what is left is smaller.
  Tensor current = x;
  const Tensor y = make(plan.kept, x.dtype(), x.device());
  int left = static_cast<int>(std::count(reduced, reduced + blocks, true));
  if (left == 0) {  // only axes of extent 1 go: y has x's shape
    evaluate_into(y, forward_of(Pointwise::mul_scalar), {.x = &current}, scale, 0.0f, false, subject);
    return y;
  }
  for (int block = blocks - 1; block >= 0; --block) {
    if (!reduced[block]) continue;
    Form form{.len = extents[block]};
    for (int i = 0; i < block; ++i) form.outer *= extents[i];
    for (int i = block + 1; i < blocks; ++i) form.inner *= extents[i];
    const bool last = --left == 0;
    const Tensor to = last ? y : make({form.outer * form.inner}, wide(x.dtype()), x.device());
    reduce_pass(kind, Map::same, current, nullptr, to, form, last ? scale : 1.0f, subject);
    current = to;
    extents[block] = 1;
  }
  return y;
}

void check_summable(const Tensor& x, const char* subject) {
  require_defined(x, subject, "x");
  if (x.dtype() == DType::u8)
    throw Error(ErrorCode::invalid_argument,
                std::string(subject) + ": u8 would overflow; convert with to(DType::i32) or to(DType::f32)");
}

Tensor shaped(const Tensor& y, const Plan& plan, bool keep_dims) { return keep_dims ? y : view(y, plan.dropped); }

// The gradient of a sum: dy for each of its terms, times `scale`.
Tensor spread(const Tensor& dy, const Shape& kept, const Shape& shape, float scale) {
  const Tensor rows = view(row_major(dy), kept);
  const Expression& formula = forward_of(scale == 1.0f ? Pointwise::copy : Pointwise::mul_scalar);
  return evaluate(formula, {.x = &rows}, shape, scale, 0.0f, "sum");
}

Tensor sum_scaled(const char* name, const Tensor& x, const Plan& plan, bool keep_dims, float scale) {
  const Tensor y = shaped(reduce(Kind::sum, x, plan, scale, name), plan, keep_dims);
  return autograd::record(name, y, {x},
                          [kept = plan.kept, shape = x.shape(), scale](const Tensor& dy, autograd::Needs) {
                            return std::vector<Tensor>{spread(dy, kept, shape, scale)};
                          });
}

Tensor extreme(Kind kind, const Tensor& x, std::span<const int> axes, bool keep_dims) {
  const char* name = kind == Kind::max ? "max" : "min";
  check_summable(x, name);
  const Plan plan = detail::plan(x.shape(), axes, name);
  if (plan.count == 0)
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + ": " + x.shape().to_string() + " has no element along a reduced axis");
  const Tensor kept = reduce(kind, x, plan, 1.0f, name);
  const Tensor y = shaped(kept, plan, keep_dims);
  if (!autograd::needed({&x})) return y;
  return autograd::record(
      name, y, {x},
      [plan, x = autograd::Saved(x), kept = autograd::Saved(kept), name](const Tensor& dy, autograd::Needs) {
        const Tensor &at = x.get(), &top = kept.get();
        const Tensor hits = evaluate(forward_of(Pointwise::equal), {.a = &at, .b = &top}, at.shape(), 0.0f, 0.0f, name);
        const Tensor ties = reduce(Kind::sum, hits, plan, 1.0f, name);
        const Tensor rows = view(row_major(dy), plan.kept);
        const Tensor share =
            evaluate(forward_of(Pointwise::div), {.a = &rows, .b = &ties}, plan.kept, 0.0f, 0.0f, name);
        const Operands operands{.dy = &share, .a = &at, .b = &top};
        return std::vector<Tensor>{
            evaluate(derivative_of(Pointwise::equal, 0), operands, at.shape(), 0.0f, 0.0f, name)};
      });
}

}  // namespace

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  int axes[Shape::kMaxRank];
  std::size_t count = 0;
  const int missing = x.rank() - shape.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (axis < missing || (shape[axis - missing] == 1 && x.shape()[axis] != 1)) axes[count++] = axis;
  if (count == 0) return view(row_major(x), shape);
  return view(reduce(Kind::sum, x, plan(x.shape(), {axes, count}, "sum"), 1.0f, "sum"), shape);
}

Tensor sum_squared_difference(const Tensor& a, const Tensor& b, float scale) {
  const Tensor y = make({}, a.dtype(), a.device());
  reduce_pass(Kind::sum, Map::squared_difference, a, &b, y, {.len = a.count()}, scale, "mse_loss");
  return y;
}

}  // namespace detail

Tensor sum(const Tensor& x, std::span<const int> axes, bool keep_dims) {
  detail::check_summable(x, "sum");
  return detail::sum_scaled("sum", x, detail::plan(x.shape(), axes, "sum"), keep_dims, 1.0f);
}

Tensor mean(const Tensor& x, std::span<const int> axes, bool keep_dims) {
  detail::require_defined(x, "mean", "x");
  detail::require_floating(x, "mean");
  const detail::Plan plan = detail::plan(x.shape(), axes, "mean");
  // Of nothing: 0 * infinity, which is NaN as in NumPy.
  return detail::sum_scaled("mean", x, plan, keep_dims, 1.0f / static_cast<float>(plan.count));
}

Tensor max(const Tensor& x, std::span<const int> axes, bool keep_dims) {
  return detail::extreme(detail::Kind::max, x, axes, keep_dims);
}

Tensor min(const Tensor& x, std::span<const int> axes, bool keep_dims) {
  return detail::extreme(detail::Kind::min, x, axes, keep_dims);
}

Tensor argmax(const Tensor& x, int axis, bool keep_dims) {
  detail::check_summable(x, "argmax");
  const int at = x.shape().axis(axis, "argmax");
  const detail::Plan plan = detail::plan(x.shape(), {&at, 1}, "argmax");
  if (plan.count == 0)
    throw Error(ErrorCode::invalid_argument,
                "argmax: " + x.shape().to_string() + " has no element along axis " + std::to_string(axis));
  const Tensor source = detail::row_major(x);
  detail::Form form{.len = x.shape()[at]};
  for (int i = 0; i < at; ++i) form.outer *= x.shape()[i];
  for (int i = at + 1; i < x.rank(); ++i) form.inner *= x.shape()[i];

  const Device device = x.device();
  const bool cpu = detail::cpu_shape(device);
  const bool rows = form.inner == 1;
  const std::uint32_t group = cpu || !rows ? 1 : detail::group_for(form.len);
  const Kernel kernel = detail::kArgmax.get(device, detail::key(int(x.dtype()), int(rows) | int(cpu) << 1, group), [&] {
    return Spec()
        .set("T0", detail::word(x.dtype()))
        .set("ROWS", rows)
        .set("WG", group)
        .set("CPU_SHAPE", cpu)
        .set("INTEGERS", !is_floating(x.dtype()));
  });
  Grid grid = detail::flat_grid(device, form.outer * form.inner);
  if (cpu && rows) {
    grid = {};
    grid.groups.x = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(x.count() / 4096, 1, std::int64_t{std::max(device.info().compute_units, 1u)} * 8));
  } else if (group > 1) {
    grid.groups.x = static_cast<std::uint32_t>(std::min<std::int64_t>(form.outer, 65535));
    grid.local.x = group;
  }
  const Tensor y = detail::make(keep_dims ? plan.kept : plan.dropped, DType::i32, device);
  if (y.count() == 0) return y;
  detail::as_u32(x.count(), "argmax");
  kernel(grid, {source.arg(), y.arg(), detail::as_u32(form.outer, "argmax"), detail::as_u32(form.len, "argmax"),
                detail::as_u32(form.inner, "argmax")});
  return y;
}

}  // namespace portico
