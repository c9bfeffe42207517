// conv2d: forward and gradients stand together. Everything is channels-last in memory; weights are packed for the
// kernels and the packed form is kept with the weight until it changes.
#include <atomic>
#include <optional>

#include "ops/common.hpp"
#include "ops/conv_launch.hpp"

namespace portico {
namespace {

std::atomic<ConvAlgorithm> g_algorithm{ConvAlgorithm::automatic};
thread_local std::optional<ConvAlgorithm> t_algorithm;

}  // namespace

void set_conv_algorithm(ConvAlgorithm algorithm) { g_algorithm = algorithm; }
ConvAlgorithm conv_algorithm() { return t_algorithm.value_or(g_algorithm.load()); }

ConvAlgorithmScope::ConvAlgorithmScope(ConvAlgorithm algorithm)
    : previous_(t_algorithm.value_or(ConvAlgorithm::automatic)), had_previous_(t_algorithm.has_value()) {
  t_algorithm = algorithm;
}
ConvAlgorithmScope::~ConvAlgorithmScope() { t_algorithm = had_previous_ ? std::optional(previous_) : std::nullopt; }

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  using namespace detail;
  require_defined(x, "conv2d", "x");
  require_defined(weight, "conv2d", "weight");
  require_floating(x, "conv2d");
  require_same_device(x, weight, "conv2d");
  require_same_dtype(x, weight, "conv2d");
  if (bias.defined()) {
    require_same_device(x, bias, "conv2d");
    require_same_dtype(x, bias, "conv2d");
  }
  const ConvShape shape = conv_shape(x, weight, bias, options);
  const bool recorded = autograd::needed({&x, &weight, &bias});
  const bool is_gelu = options.activation == Activation::gelu || options.activation == Activation::gelu_tanh;
  if (is_gelu && recorded) {  // its gradient needs the value before it
    Conv2dOptions plain = options;
    plain.activation = Activation::none;
    return gelu(conv2d(x, weight, bias, plain), options.activation == Activation::gelu ? Gelu::exact : Gelu::tanh);
  }

  const Device device = x.device();
  const Tensor in = channels_last(x);
  Tensor y = make({shape.n, shape.k, shape.p, shape.q}, x.dtype(), device, Layout::channels_last);
  const ConvAlgorithm algorithm = options.algorithm == ConvAlgorithm::automatic ? conv_algorithm() : options.algorithm;
  run_forward(shape, in, weight, bias, y, options.activation, algorithm);
  if (!recorded) return y;

  // The input matters to the weights' gradients alone, the weight to the input's, the result to a relu's.
  std::optional<autograd::Saved> input, result;
  if (autograd::needed({&weight, &bias})) input.emplace(in);
  if (options.activation == Activation::relu) result.emplace(y);
  return autograd::record(
      "conv2d", y, {x, weight, bias},
      // `weight` is kept beside the Saved that watches it because its packed form is kept with that very handle.
      [shape, algorithm, weight, input, filter = autograd::Saved(weight), result](const Tensor& grad,
                                                                                  autograd::Needs needs) {
        Tensor dy = channels_last(grad);
        const Tensor passed = result ? result->get() : Tensor();
        WeightGradients made;
        if (needs[1] || needs[2]) {
          made = weight_gradients(shape, input->get(), dy, passed, needs[1], needs[2], passed.defined() && needs[0],
                                  algorithm);
          if (made.masked.defined()) dy = made.masked;
        } else if (passed.defined()) {
          dy = mask(dy, passed);
        }
        filter.get();
        const Tensor dx = needs[0] ? input_gradient(shape, dy, weight, algorithm) : Tensor();
        return std::vector<Tensor>{dx, made.weight, made.bias};
      });
}

}  // namespace portico
