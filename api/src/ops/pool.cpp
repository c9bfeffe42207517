// Max and average pooling, forward and gradient together. Memory is channels-last throughout.
#include <algorithm>
#include <optional>
#include <string>

#include "ops/common.hpp"

namespace portico {
namespace detail {
namespace {

/// Extents of a pooling of x [n, c, h, w] to y [n, c, p, q].
struct PoolShape {
  const char* subject;
  bool max;
  std::int64_t n, c, h, w, p, q;
  Pair kernel, stride, padding, dilation;
  bool padded = true;  ///< average: the padding counts
  std::int64_t divisor = 0;
};

[[noreturn]] void refuse(const PoolShape& shape, const std::string& what) {
  throw Error(ErrorCode::invalid_argument, std::string(shape.subject) + ": " + what);
}

std::string text(const Pair& pair) { return "[" + std::to_string(pair[0]) + "," + std::to_string(pair[1]) + "]"; }

// Number of windows along one axis. In ceil mode a last, partial window counts when it starts inside the image or its
// leading padding.
std::int64_t windows(std::int64_t extent, std::int64_t covered, std::int64_t stride, std::int64_t padding, bool ceil) {
  const std::int64_t room = extent + 2 * padding - covered;
  std::int64_t count = (ceil ? divide_up(room, stride) : room / stride) + 1;
  if (ceil && (count - 1) * stride >= extent + padding) --count;
  return count;
}

void measure(PoolShape& shape, const Tensor& x, const std::optional<Pair>& stride, bool ceil) {
  const Shape& xs = x.shape();
  if (xs.rank() != 4) refuse(shape, "x " + xs.to_string() + " needs four axes [n, c, h, w]");
  shape.n = xs[0], shape.c = xs[1], shape.h = xs[2], shape.w = xs[3];
  shape.stride = stride.value_or(shape.kernel);
  for (int axis = 0; axis < 2; ++axis) {
    if (shape.kernel[axis] < 1) refuse(shape, "kernel " + text(shape.kernel) + " must be at least 1");
    if (shape.stride[axis] < 1) refuse(shape, "stride " + text(shape.stride) + " must be at least 1");
    if (shape.dilation[axis] < 1) refuse(shape, "dilation " + text(shape.dilation) + " must be at least 1");
    if (shape.padding[axis] < 0 || shape.padding[axis] > shape.kernel[axis] / 2)
      refuse(shape, "padding " + text(shape.padding) + " must be from 0 to half of kernel " + text(shape.kernel));
  }
  const Pair covered = {shape.dilation[0] * (shape.kernel[0] - 1) + 1, shape.dilation[1] * (shape.kernel[1] - 1) + 1};
  if (shape.h + 2 * shape.padding[0] < covered[0] || shape.w + 2 * shape.padding[1] < covered[1])
    refuse(shape, "a window of " + text(covered) + " is larger than x " + xs.to_string() + " with padding " +
                      text(shape.padding));
  shape.p = windows(shape.h, covered[0], shape.stride[0], shape.padding[0], ceil);
  shape.q = windows(shape.w, covered[1], shape.stride[1], shape.padding[1], ceil);
}

std::int32_t i32(const PoolShape& shape, std::int64_t value) {
  return static_cast<std::int32_t>(as_u32(value > INT32_MAX ? -1 : value, shape.subject));
}

// The position of a maximum in its window. The byte 255 stands for "nowhere".
DType which_type(const PoolShape& shape) { return shape.kernel[0] * shape.kernel[1] <= 255 ? DType::u8 : DType::i32; }

/// Launches a pooling kernel over the result `out`, `rows` of which lie in its first and third axes.
void run(const KernelFamily& family, const PoolShape& shape, const Tensor& in, const Tensor& which, const Tensor& out,
         bool forward, bool keep) {
  if (out.count() == 0) return;
  const Device device = in.device();
  const bool cpu = in.dtype() == DType::f32 && shape.c >= 16 && cpu_shape(device);
  const bool tiled =
      cpu && !forward && shape.stride == shape.kernel && shape.padding == Pair{0, 0} && shape.dilation == Pair{1, 1};
  const bool stream = cpu && out.count() * 4 > kStreamBytes;
  const Kernel kernel = family.get(device,
                                   key(tiled << 8 | stream << 7 | static_cast<int>(in.dtype()) << 4 | cpu << 3 |
                                           shape.max << 2 | keep << 1 | (which_type(shape) == DType::u8),
                                       shape.kernel[0], shape.kernel[1]),
                                   [&] {
                                     return Spec()
                                         .set("REAL", word(in.dtype()))
                                         .set("CPU_SHAPE", cpu)
                                         .set("MAX", shape.max)
                                         .set("R", shape.kernel[0])
                                         .set("S", shape.kernel[1])
                                         .set("WHICH", word(which_type(shape)))
                                         .set("KEEP", keep)
                                         .set("STREAM", stream)
                                         .set("TILED", tiled);
                                   });
  const Tensor& positions = which.defined() ? which : out;
  // The GPU shape counts elements in 32 bits.
  as_u32(out.count(), shape.subject);
  std::vector<Arg> args = forward ? std::vector<Arg>{in.arg(), out.arg(), positions.arg()}
                                  : std::vector<Arg>{in.arg(), positions.arg(), out.arg()};
  for (const std::int64_t value :
       {shape.n, shape.h, shape.w, shape.c, shape.p, shape.q, shape.stride[0], shape.stride[1], shape.padding[0],
        shape.padding[1], shape.dilation[0], shape.dilation[1], std::int64_t{shape.padded}, shape.divisor})
    args.emplace_back(i32(shape, value));
  if (!cpu) {
    kernel.launch(flat_grid(device, out.count()), args);
    return;
  }
  // About sixteen pieces a core even out what the cores do beside this.
  const std::int64_t all_rows = shape.n * (forward ? shape.p : tiled ? divide_up(shape.h, shape.kernel[0]) : shape.h);
  const std::int64_t rows = divide_up(all_rows, 16 * std::int64_t{std::max(device.info().compute_units, 1u)});
  args.emplace_back(i32(shape, rows));
  kernel.launch({.groups = {as_u32(divide_up(all_rows, rows), shape.subject)}, .local = {}}, args);
}

Tensor pool(const PoolShape& shape, const Tensor& x) {
  static const KernelFamily kForward("pool", "pool_forward");
  static const KernelFamily kGradient("pool", "pool_gradient");
  const Device device = x.device();
  const bool recorded = autograd::needed({&x});
  const Tensor in = channels_last(x);
  const Tensor y = make({shape.n, shape.c, shape.p, shape.q}, x.dtype(), device, Layout::channels_last);
  Tensor which;
  if (shape.max && recorded) which = make(y.shape(), which_type(shape), device, Layout::channels_last);
  run(kForward, shape, in, which, y, true, which.defined());
  if (!recorded) return y;
  return autograd::record(shape.subject, y, {x}, [shape, which](const Tensor& grad, autograd::Needs) {
    const Tensor dy = channels_last(grad);
    const Tensor dx = make({shape.n, shape.c, shape.h, shape.w}, dy.dtype(), dy.device(), Layout::channels_last);
    run(kGradient, shape, dy, which, dx, false, shape.max);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace
}  // namespace detail

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options) {
  using namespace detail;
  require_defined(x, "max_pool2d", "x");
  require_floating(x, "max_pool2d");
  PoolShape shape{};
  shape.subject = "max_pool2d";
  shape.max = true;
  shape.kernel = options.kernel;
  shape.padding = options.padding;
  shape.dilation = options.dilation;
  measure(shape, x, options.stride, options.ceil_mode);
  return pool(shape, x);
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
  using namespace detail;
  require_defined(x, "avg_pool2d", "x");
  require_floating(x, "avg_pool2d");
  PoolShape shape{};
  shape.subject = "avg_pool2d";
  shape.kernel = options.kernel;
  shape.padding = options.padding;
  shape.dilation = {1, 1};
  shape.padded = options.count_include_pad;
  shape.divisor = options.divisor_override.value_or(0);
  if (options.divisor_override && shape.divisor < 1)
    refuse(shape, "divisor_override " + std::to_string(shape.divisor) + " must be at least 1");
  measure(shape, x, options.stride, options.ceil_mode);
  return pool(shape, x);
}

}  // namespace portico
