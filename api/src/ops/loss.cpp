// Losses: cross-entropy and negative log-likelihood on index labels, and the mean squared error.
#include <algorithm>

#include "ops/line.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduce.hpp"
#include "runtime/device_impl.hpp"

namespace portico {
namespace {

using detail::Line;

const detail::KernelFamily kForward("cross_entropy", "loss_forward");
const detail::KernelFamily kBackward("cross_entropy", "loss_backward");
const detail::KernelFamily kTotal("loss_total", "loss_total");

void check(const char* name, const Tensor& x, const Tensor& labels, const CrossEntropyOptions& options) {
  detail::require_defined(x, name, "x");
  detail::require_defined(labels, name, "labels");
  detail::require_floating(x, name);
  detail::require_same_device(x, labels, name);
  const std::string subject = name;
  if (x.rank() != 2 || labels.rank() != 1 || labels.shape()[0] != x.shape()[0])
    throw Error(ErrorCode::invalid_argument, subject + ": x " + x.shape().to_string() + " and labels " +
                                                 labels.shape().to_string() + "; they must be [n, classes] and [n]");
  if (labels.dtype() != DType::i32)
    throw Error(ErrorCode::invalid_argument, subject + ": labels are " + name_of(labels.dtype()) +
                                                 ", they must be i32; convert with to(DType::i32)");
  if (!(options.label_smoothing >= 0.0f && options.label_smoothing <= 1.0f))
    throw Error(ErrorCode::invalid_argument,
                subject + ": label_smoothing " + std::to_string(options.label_smoothing) + " is not in [0, 1]");
}

// Both losses: their kernels differ in one definition.
Tensor label_loss(const char* name, bool likelihood, const Tensor& given, const Tensor& labels,
                  const CrossEntropyOptions& options) {
  check(name, given, labels, options);
  const Tensor x = detail::row_major(given);
  const Device device = x.device();
  const DType dtype = x.dtype();
  const std::uint32_t n = detail::as_u32(x.shape()[0], name), classes = detail::as_u32(x.shape()[1], name);
  const bool smooth = options.label_smoothing != 0.0f;
  const Line line(x.shape(), 1, device);

  const Tensor losses = detail::make({x.shape()[0]}, DType::f32, device);
  const Tensor stats = detail::make({x.shape()[0], 2}, DType::f32, device);
  if (n > 0) {
    detail::DeviceImpl& impl = detail::Access::impl(device);
    const Kernel forward =
        kForward.get(device, detail::key(int(dtype), int(likelihood) | int(smooth) << 1, line.key()),
                     [&] { return line.spec(dtype).set("NLL", likelihood).set("SMOOTH", smooth).set("MEAN", 0); });
    forward(line.grid, {x.arg(), labels.arg(), losses.arg(), stats.arg(), Arg(impl.report_word(), 0, 4), n, classes,
                        options.ignore_index, options.label_smoothing});
    impl.expect_report();
  }

  Tensor y, scale = stats;  // `scale` is read for a mean only
  const bool mean = options.reduction == Reduction::mean;
  if (options.reduction == Reduction::none) {
    y = losses;
    if (dtype != DType::f32) detail::copy_elements(y = detail::make({x.shape()[0]}, dtype, device), losses);
  } else {
    y = detail::make({}, dtype, device);
    scale = detail::make({}, DType::f32, device);
    const std::uint32_t group = line.cpu ? 1 : 256;
    const Kernel total = kTotal.get(device, detail::key(int(dtype), int(mean), group), [&] {
      return Spec().set("T", detail::word(dtype)).set("MEAN", mean).set("WG", group);
    });
    Grid grid;
    grid.local.x = group;
    total(grid, {losses.arg(), labels.arg(), y.arg(), scale.arg(), n, classes, options.ignore_index});
  }
  if (!autograd::needed({&given})) return y;

  return autograd::record(name, y, {given, labels},
                          [=, x = autograd::Saved(x), labels = autograd::Saved(labels)](
                              const Tensor& given_dy, autograd::Needs) -> std::vector<Tensor> {
                            const Tensor dy = detail::row_major(given_dy);
                            const Tensor dx = Tensor::empty_like(x.get());
                            if (dx.count() == 0) return {dx, {}};
                            const int weights = options.reduction == Reduction::none ? 0 : mean ? 1 : 2;
                            const Kernel backward = kBackward.get(
                                device, detail::key(int(dtype), int(likelihood) | weights << 1, line.key()), [&] {
                                  return line.spec(dtype).set("NLL", likelihood).set("SMOOTH", 0).set("MEAN", weights);
                                });
                            backward(line.grid, {x.get().arg(), labels.get().arg(), stats.arg(), dy.arg(), scale.arg(),
                                                 dx.arg(), n, classes, options.ignore_index, options.label_smoothing});
                            return {dx, {}};
                          });
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options) {
  return label_loss("cross_entropy", false, logits, labels, options);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& labels, const CrossEntropyOptions& options) {
  return label_loss("nll_loss", true, log_probabilities, labels, options);
}

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  using detail::Pointwise;
  detail::require_defined(x, "mse_loss", "x");
  detail::require_defined(target, "mse_loss", "target");
  detail::require_floating(x, "mse_loss");
  detail::require_same_device(x, target, "mse_loss");
  detail::require_same_dtype(x, target, "mse_loss");
  if (x.shape() != target.shape())
    throw Error(ErrorCode::invalid_argument, "mse_loss: x " + x.shape().to_string() + " and target " +
                                                 target.shape().to_string() + " differ; reshape one of them");
  const float scale = reduction == Reduction::mean ? 1.0f / static_cast<float>(x.count()) : 1.0f;
  Tensor y;
  if (reduction == Reduction::none) {
    y = detail::evaluate(detail::forward_of(Pointwise::squared_difference), {.a = &x, .b = &target}, x.shape(), 0.0f,
                         0.0f, "mse_loss");
  } else {
    y = detail::sum_squared_difference(x, detail::in_layout(target, x.layout()), scale);
  }
  if (!autograd::needed({&x, &target})) return y;
  return autograd::record(
      "mse_loss", y, {x, target},
      [x = autograd::Saved(x), target = autograd::Saved(target), scale](const Tensor& dy, autograd::Needs needs) {
        std::vector<Tensor> grads(2);
        const detail::Operands operands{.dy = &dy, .a = &x.get(), .b = &target.get()};
        for (int i = 0; i < 2; ++i)
          if (needs[i])
            grads[static_cast<std::size_t>(i)] =
                detail::evaluate(detail::derivative_of(Pointwise::squared_difference, i), operands, x.get().shape(),
                                 2.0f * scale, 0.0f, "mse_loss");
        return grads;
      });
}

}  // namespace portico
