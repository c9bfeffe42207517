// Softmax and log-softmax over one axis. Forward and gradient stand together: whoever changes one reads the other.
#include "ops/line.hpp"

namespace portico {
namespace {

using detail::Line;

const detail::KernelFamily kForward("softmax", "softmax_forward");
const detail::KernelFamily kBackward("softmax", "softmax_backward");

// A line of this length fits into the first-level cache beside what else is there.
constexpr std::int64_t kKept = 2048;

Kernel kernel(const detail::KernelFamily& family, const Line& line, DType dtype, bool log, const Device& device) {
  const bool stream = line.stream(dtype);
  const int keep = line.walk == 0 && line.len <= kKept ? 2 : !log && dtype == DType::f32 ? 1 : 0;
  return family.get(device, detail::key(int(dtype), int(log), line.key(), int(stream) << 2 | keep), [&] {
    return line.spec(dtype).set("LOG", log).set("KEEP", keep).set("KEPT", kKept).set("STREAM", stream);
  });
}

Tensor normalise(const char* name, const Tensor& given, int given_axis, bool log) {
  detail::require_defined(given, name, "x");
  detail::require_floating(given, name);
  if (given.rank() == 0)
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": x needs at least one axis, it is a scalar");
  const int axis = given.shape().axis(given_axis, name);
  const Tensor x = detail::row_major(given);
  const Device device = x.device();
  const Line line(x.shape(), axis, device);
  const std::uint32_t outer = detail::as_u32(line.outer, name), len = detail::as_u32(line.len, name),
                      inner = detail::as_u32(line.inner, name);
  Tensor y = detail::make(x.shape(), x.dtype(), device);
  if (y.count() > 0) kernel(kForward, line, x.dtype(), log, device)(line.grid, {x.arg(), y.arg(), outer, len, inner});
  if (!autograd::needed({&given})) return y;

  return autograd::record(name, y, {given},
                          [=, y = autograd::Saved(y)](const Tensor& given_dy, autograd::Needs) -> std::vector<Tensor> {
                            const Tensor& result = y.get();
                            const Tensor dy = detail::row_major(given_dy);
                            const Tensor dx = Tensor::empty_like(result);
                            if (dx.count() > 0)
                              kernel(kBackward, line, dx.dtype(), log, device)(
                                  line.grid, {result.arg(), dy.arg(), dx.arg(), outer, len, inner});
                            return {dx};
                          });
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return normalise("softmax", x, axis, false); }
Tensor log_softmax(const Tensor& x, int axis) { return normalise("log_softmax", x, axis, true); }

}  // namespace portico
