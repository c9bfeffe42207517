// From tensors and formulas to launches of kernels/pointwise.cl.
#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "ops/copy.hpp"
#include "ops/pointwise.hpp"

namespace portico::detail {
namespace {

const KernelFamily kPointwise("pointwise", "pointwise");

constexpr int kMaxOuter = 5;

// How an operand's elements follow each other along a row.
enum Inner : std::uint32_t { kSplat = 0, kDense = 1, kPitched = 2, kDenseRows = 3 };

// Everything that a kernel is specialised by, small enough to be a key.
struct Variant {
  const Expression* formula;
  DType types[3] = {};
  Inner inner[3] = {kDense, kDense, kDense};
  DType result = DType::f32;
  Inner result_inner = kDense;
  bool accumulate = false;
  int outer = 0;
  bool quads = false;
  bool stream = false;
  bool cpu = false;

  bool integers() const {
    bool all = !is_floating(result);
    for (int i = 0; i < formula->arity; ++i) all = all && !is_floating(types[i]);
    return all;
  }

  std::uint64_t key() const {
    std::uint64_t key = formula->number;
    const auto push = [&key](std::uint64_t value, int bits) { key = key << bits | value; };
    for (int i = 0; i < 3; ++i) push(static_cast<std::uint64_t>(types[i]), 3), push(inner[i], 2);
    push(static_cast<std::uint64_t>(result), 3);
    push(result_inner, 2);
    push(static_cast<std::uint64_t>(outer), 3);
    push(accumulate, 1);
    push(quads, 1);
    push(stream, 1);
    push(cpu, 1);
    return key;
  }

  void choose_stream(std::int64_t count) {
    stream =
        cpu && result == DType::f32 && !integers() && result_inner == kDense && !accumulate && count * 4 > kStreamBytes;
  }

  Spec spec() const {
    constexpr const char* kName[] = {"NAME0", "NAME1", "NAME2"};
    constexpr const char* kType[] = {"T0", "T1", "T2"};
    constexpr const char* kInner[] = {"M0", "M1", "M2"};
    Spec spec;
    spec.set("ARITY", formula->arity).set("EXPR", formula->text).set("TY", word(result)).set("MY", result_inner);
    for (int i = 0; i < formula->arity; ++i)
      spec.set(kName[i], kNames[static_cast<int>(formula->names[i])])
          .set(kType[i], word(types[i]))
          .set(kInner[i], inner[i]);
    spec.set("ACCUMULATE", accumulate).set("RANK", outer).set("VEC", quads ? 4 : 1);
    spec.set("STREAM", stream).set("CPU_SHAPE", cpu).set("INTEGERS", integers());
    return spec;
  }
};

// Arguments in place: the hot path allocates nothing.
class Arguments {
 public:
  void push(const Arg& arg) { new (&storage_[count_++ * sizeof(Arg)]) Arg(arg); }
  std::span<const Arg> span() const { return {std::launder(reinterpret_cast<const Arg*>(storage_)), count_}; }

 private:
  static_assert(std::is_trivially_destructible_v<Arg>);
  static constexpr std::size_t kMost = 3 + 1 + 2 + 4 + 4 + kMaxOuter * 5;
  alignas(Arg) std::byte storage_[kMost * sizeof(Arg)];
  std::size_t count_ = 0;
};

// How the CPU shape cuts rows into pieces and deals them out to groups.
struct Pieces {
  std::uint32_t per_row = 1;
  std::uint32_t length = 0;
  std::uint32_t groups = 1;
};

Pieces cut(const Device& device, std::uint32_t rows, std::uint32_t cols) {
  constexpr std::int64_t kLeast = 4096;  // elements worth a group of their own
  const std::int64_t count = std::int64_t{rows} * cols;
  const std::int64_t most = std::int64_t{std::max(device.info().compute_units, 1u)} * 8;
  const std::int64_t groups = std::clamp<std::int64_t>(divide_up(count, kLeast), 1, most);
  Pieces pieces;
  pieces.length = cols;
  if (rows < groups) {
    pieces.length = static_cast<std::uint32_t>(divide_up(divide_up(cols, divide_up(groups, rows)), 64) * 64);
    pieces.per_row = static_cast<std::uint32_t>(divide_up(cols, pieces.length));
  }
  pieces.groups = static_cast<std::uint32_t>(std::min<std::int64_t>(groups, std::int64_t{rows} * pieces.per_row));
  return pieces;
}

void push_sizes(Arguments& args, Grid& grid, const Device& device, const Variant& variant, float s, float s2,
                std::uint32_t rows, std::uint32_t cols) {
  Pieces pieces;
  if (variant.cpu) {
    pieces = cut(device, rows, cols);
    grid.groups.x = pieces.groups;
  } else {
    grid = flat_grid(device, std::int64_t{rows} * cols / (variant.quads ? 4 : 1));
  }
  args.push(s);
  args.push(s2);
  args.push(rows);
  args.push(cols);
  args.push(pieces.per_row);
  args.push(pieces.length);
}

// Operands as long as y, or of one element: no strides are needed.
void launch_flat(const Expression& formula, const Tensor* const* operands, const bool* splat, const Tensor& y,
                 std::int64_t count, float s, float s2, bool accumulate, const char* subject) {
  if (count == 0) return;
  const Device device = y.device();
  const TensorImpl& result = *y.impl();
  Variant variant{.formula = &formula, .result = result.dtype, .accumulate = accumulate, .cpu = cpu_shape(device)};
  bool quads = !variant.cpu && result.dtype == DType::f32 && result.offset % 4 == 0 && count % 4 == 0;
  Arguments args;
  for (int i = 0; i < formula.arity; ++i) {
    const TensorImpl& operand = *operands[i]->impl();
    variant.types[i] = operand.dtype;
    variant.inner[i] = splat[i] ? kSplat : kDense;
    quads = quads && operand.dtype == DType::f32 && (splat[i] || operand.offset % 4 == 0);
    args.push(operands[i]->arg());
  }
  variant.quads = quads;
  variant.choose_stream(count);
  args.push(y.arg());
  Grid grid;
  push_sizes(args, grid, device, variant, s, s2, 1, as_u32(count, subject));
  kPointwise.get(device, variant.key(), [&] { return variant.spec(); }).launch(grid, args.span());
}

}  // namespace

int collapse(std::int64_t* extents, int rank, Strided* const* views, int count) {
  int kept = 0;
  for (int axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 1) continue;
    bool merges = kept > 0;
    for (int v = 0; v < count && merges; ++v)
      merges = views[v]->strides[kept - 1] == views[v]->strides[axis] * extents[axis];
    const int to = merges ? kept - 1 : kept++;
    extents[to] = merges ? extents[to] * extents[axis] : extents[axis];
    for (int v = 0; v < count; ++v) views[v]->strides[to] = views[v]->strides[axis];
  }
  return kept;
}

void launch_strided(const Expression& formula, std::span<const Strided> given, const Strided& given_y,
                    std::span<const std::int64_t> given_extents, float s, float s2, bool accumulate,
                    const char* subject) {
  std::int64_t extents[Shape::kMaxRank + 1];
  std::int64_t count = 1;
  for (std::size_t i = 0; i < given_extents.size(); ++i) count *= extents[i] = given_extents[i];
  if (count == 0) return;
  Strided operands[3];
  Strided y = given_y;
  Strided* views[] = {&y, &operands[0], &operands[1], &operands[2]};
  for (std::size_t i = 0; i < given.size(); ++i) operands[i] = given[i];
  const int arity = formula.arity;
  int rank = collapse(extents, static_cast<int>(given_extents.size()), views, arity + 1);
  if (rank == 0) {  // one element
    extents[0] = 1;
    y.strides[0] = 1;
    for (Strided& operand : operands) operand.strides[0] = 0;
    rank = 1;
  }
  const int outer = rank - 1;
  if (outer > kMaxOuter)
    throw Error(ErrorCode::unsupported, std::string(subject) + ": broadcasts over " + std::to_string(rank) +
                                            " axes, kernels take 6; reshape the operands to fewer axes first");

  const Device device = y.buffer->device();
  Variant variant{
      .formula = &formula, .result = y.dtype, .accumulate = accumulate, .outer = outer, .cpu = cpu_shape(device)};
  Arguments args;
  const auto inner_of = [outer](const Strided& view) {
    const std::int64_t stride = view.strides[outer];
    return stride == 0 ? kSplat : stride == 1 ? kDense : kPitched;
  };
  for (int i = 0; i < arity; ++i) {
    variant.types[i] = operands[i].dtype;
    variant.inner[i] = inner_of(operands[i]);
    args.push(Arg(*operands[i].buffer, operands[i].offset, size_of(operands[i].dtype)));
  }
  std::int64_t dense = 1;
  bool contiguous = true;
  for (int axis = outer; axis >= 0; --axis) {
    contiguous = contiguous && y.strides[axis] == dense;
    dense *= extents[axis];
  }
  variant.result_inner = contiguous ? kDense : y.strides[outer] == 1 ? kDenseRows : kPitched;
  args.push(Arg(*y.buffer, y.offset, size_of(y.dtype)));

  variant.choose_stream(count);
  as_u32(count, subject);
  const auto u32 = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  Grid grid;
  push_sizes(args, grid, device, variant, s, s2, u32(count / extents[outer]), u32(extents[outer]));
  for (int i = 0; i < arity; ++i)
    if (variant.inner[i] == kPitched) args.push(u32(operands[i].strides[outer]));
  if (variant.result_inner == kPitched) args.push(u32(y.strides[outer]));
  for (int axis = 0; axis < outer; ++axis) {
    args.push(u32(extents[axis]));
    for (int i = 0; i < arity; ++i) args.push(as_u32(operands[i].strides[axis], subject));
    if (!contiguous) args.push(as_u32(y.strides[axis], subject));
  }
  kPointwise.get(device, variant.key(), [&] { return variant.spec(); }).launch(grid, args.span());
}

int extents_of(const Shape& shape, Layout layout, std::int64_t* extents) {
  const int rank = shape.rank();
  for (int i = 0; i < rank; ++i) extents[i] = shape[i];
  if (layout == Layout::channels_last) std::rotate(extents + 1, extents + 2, extents + 4);
  return rank;
}

Strided strided(const Tensor& x, const Shape& shape, Layout layout) {
  const Shape& own = x.shape();
  Strided view{.buffer = &x.buffer(), .offset = x.offset(), .dtype = x.dtype()};
  std::int64_t strides[Shape::kMaxRank] = {};
  std::int64_t stride = 1;
  const auto walk = [&](int axis) {
    strides[axis] = own[axis] == 1 ? 0 : stride;
    stride *= own[axis];
  };
  if (x.layout() == Layout::channels_last) {
    for (const int axis : {1, 3, 2, 0}) walk(axis);
  } else {
    for (int axis = own.rank() - 1; axis >= 0; --axis) walk(axis);
  }
  const int missing = shape.rank() - own.rank();
  for (int axis = 0; axis < own.rank(); ++axis) view.strides[axis + missing] = strides[axis];
  if (layout == Layout::channels_last) std::rotate(view.strides + 1, view.strides + 2, view.strides + 4);
  return view;
}

void evaluate_into(const Tensor& y, const Expression& formula, const Operands& operands, float s, float s2,
                   bool accumulate, const char* subject) {
  const Shape& shape = y.shape();
  const Layout layout = y.layout();
  const Tensor* list[3];
  Tensor converted[3];  // empty handles unless an operand lies otherwise
  bool splat[3];
  bool flat = true;
  const std::int64_t count = shape.count();
  for (int i = 0; i < formula.arity; ++i) {
    list[i] = &operands[formula.names[i]];
    const TensorImpl& operand = *list[i]->impl();
    const bool whole = operand.shape == shape;
    if (whole && operand.layout != layout) [[unlikely]] {
      converted[i] = in_layout(*list[i], layout);
      list[i] = &converted[i];
    }
    splat[i] = !whole && operand.shape.count() == 1;
    flat = flat && (whole || splat[i]);
  }
  if (flat) return launch_flat(formula, list, splat, y, count, s, s2, accumulate, subject);

  Strided views[3];
  for (int i = 0; i < formula.arity; ++i) views[i] = strided(*list[i], shape, layout);
  std::int64_t extents[Shape::kMaxRank];
  const int rank = extents_of(shape, layout, extents);
  launch_strided(formula, {views, formula.arity}, strided(y, shape, layout), {extents, static_cast<std::size_t>(rank)},
                 s, s2, accumulate, subject);
}

Tensor evaluate(const Expression& formula, const Operands& operands, const Shape& shape, float s, float s2,
                const char* subject) {
  Layout layout = Layout::row_major;
  const Tensor& first = operands[formula.names[0]];
  for (int i = 0; i < formula.arity; ++i) {
    const TensorImpl& operand = *operands[formula.names[i]].impl();
    if (operand.layout == Layout::channels_last && operand.shape == shape) layout = Layout::channels_last;
  }
  Tensor y = make(shape, first.dtype(), first.device(), layout);
  evaluate_into(y, formula, operands, s, s2, false, subject);
  return y;
}

}  // namespace portico::detail
