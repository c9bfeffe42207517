// Operations on tensors. Every one is differentiable unless it says otherwise, and throws `Error{invalid_argument}`
// with the operation's name, the shapes and the way out when its arguments do not fit. Operands must be on one device.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "portico/tensor.hpp"

namespace portico {

// ---- Pointwise, with NumPy's broadcasting over at most six axes. Both operands have one dtype; scalars take the
// tensor's.

PORTICO_API Tensor add(const Tensor& a, const Tensor& b);
PORTICO_API Tensor sub(const Tensor& a, const Tensor& b);
PORTICO_API Tensor mul(const Tensor& a, const Tensor& b);
PORTICO_API Tensor div(const Tensor& a, const Tensor& b);
PORTICO_API Tensor pow(const Tensor& a, const Tensor& b);
PORTICO_API Tensor maximum(const Tensor& a, const Tensor& b);  ///< equal operands share the gradient half and half
PORTICO_API Tensor minimum(const Tensor& a, const Tensor& b);
PORTICO_API Tensor add(const Tensor& a, float b);
PORTICO_API Tensor sub(const Tensor& a, float b);
PORTICO_API Tensor sub(float a, const Tensor& b);
PORTICO_API Tensor mul(const Tensor& a, float b);
PORTICO_API Tensor div(const Tensor& a, float b);
PORTICO_API Tensor div(float a, const Tensor& b);
PORTICO_API Tensor pow(const Tensor& a, float exponent);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, float b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, float b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, float b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, float b) { return div(a, b); }
inline Tensor operator+(float a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(float a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(float a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(float a, const Tensor& b) { return div(a, b); }

PORTICO_API Tensor neg(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
PORTICO_API Tensor exp(const Tensor& x);
PORTICO_API Tensor log(const Tensor& x);
PORTICO_API Tensor sqrt(const Tensor& x);
PORTICO_API Tensor rsqrt(const Tensor& x);
PORTICO_API Tensor abs(const Tensor& x);  ///< gradient 0 at 0
PORTICO_API Tensor square(const Tensor& x);
PORTICO_API Tensor clamp(const Tensor& x, float low, float high);  ///< gradient 1 on the closed interval
PORTICO_API Tensor sigmoid(const Tensor& x);
PORTICO_API Tensor tanh(const Tensor& x);
PORTICO_API Tensor relu(const Tensor& x);  ///< gradient 0 at 0
PORTICO_API Tensor leaky_relu(const Tensor& x, float slope = 0.01f);
PORTICO_API Tensor elu(const Tensor& x, float alpha = 1.0f);
enum class Gelu { exact, tanh };  ///< tanh: approximate="tanh" in PyTorch, and what vendors' libraries fuse
PORTICO_API Tensor gelu(const Tensor& x, Gelu form = Gelu::exact);  ///< Hendrycks and Gimpel, arXiv:1606.08415
PORTICO_API Tensor silu(const Tensor& x);
PORTICO_API Tensor softplus(const Tensor& x, float beta = 1.0f, float threshold = 20.0f);

// ---- Rearranging. Results are row-major copies unless noted.

PORTICO_API Tensor permute(const Tensor& x, std::span<const int> axes);
inline Tensor permute(const Tensor& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}
PORTICO_API Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
PORTICO_API Tensor concat(std::span<const Tensor> parts, int axis);
inline Tensor concat(std::initializer_list<Tensor> parts, int axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}
/// Elements [begin, end) of `axis`, each `step`-th; negative positions count from the end and are clipped, as in NumPy.
PORTICO_API Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
PORTICO_API Tensor broadcast_to(const Tensor& x, const Shape& shape);

// ---- Reductions over `axes` (all when empty), in a fixed order.

PORTICO_API Tensor sum(const Tensor& x, std::span<const int> axes = {}, bool keep_dims = false);
PORTICO_API Tensor mean(const Tensor& x, std::span<const int> axes = {}, bool keep_dims = false);
/// Equal maxima share the gradient evenly. Throws for an empty reduction.
PORTICO_API Tensor max(const Tensor& x, std::span<const int> axes = {}, bool keep_dims = false);
PORTICO_API Tensor min(const Tensor& x, std::span<const int> axes = {}, bool keep_dims = false);
inline Tensor sum(const Tensor& x, std::initializer_list<int> axes, bool keep_dims = false) {
  return sum(x, std::span(axes.begin(), axes.size()), keep_dims);
}
inline Tensor mean(const Tensor& x, std::initializer_list<int> axes, bool keep_dims = false) {
  return mean(x, std::span(axes.begin(), axes.size()), keep_dims);
}
inline Tensor max(const Tensor& x, std::initializer_list<int> axes, bool keep_dims = false) {
  return max(x, std::span(axes.begin(), axes.size()), keep_dims);
}
inline Tensor min(const Tensor& x, std::initializer_list<int> axes, bool keep_dims = false) {
  return min(x, std::span(axes.begin(), axes.size()), keep_dims);
}
PORTICO_API Tensor argmax(const Tensor& x, int axis = -1,
                          bool keep_dims = false);  ///< i32, the first of equals; no gradient

// ---- Matrix products.

enum class Activation { none, relu, gelu, gelu_tanh };  ///< gelu is the exact form; Gelu says what the other is

struct MatmulOptions {
  bool trans_a = false;
  bool trans_b = false;
};
/// op(a) op(b). [m,k] x [k,n]; leading axes are batches and broadcast; one-axis operands as in torch.matmul.
PORTICO_API Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});
/// act(x W^T + b) over the last axis of x; W is [out, in], b [out] or undefined.
PORTICO_API Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                          Activation activation = Activation::none);

// ---- Convolution and pooling over x [n, c, h, w].

using Pair = std::array<std::int64_t, 2>;  ///< vertical, horizontal

/// How conv2d and its gradients are computed. Winograd's minimal filtering (Lavin and Gray, arXiv:1509.09308)
/// takes 2.25 (F(2x2)) or 4 times (F(4x4)) fewer multiplications for 3x3 filters with stride 1, dilation 1 and one
/// group; everything else is a direct sum whatever is asked for.
///
/// Its results differ by rounding. With L terms a sum, |x| <= X and |w| <= W, the error stays below
/// (L / 9 + 24) 2^-24 * A * L X W with A = 7.2 for F(2x2) and 69 for F(4x4), where the direct sum's bound is L 2^-24 *
/// L X W; that is the worst case. As rounding errors fall in practice, F(2x2) is as exact as the direct sum and F(4x4)
/// loses one bit. All algorithms are deterministic: the same device, shapes and values give the same bits.
enum class ConvAlgorithm {
  automatic,     ///< the scope's or the process' (below); at the end, what is expected to be fastest
  direct,        ///< every product, summed in order
  winograd_2x2,  ///< F(2x2, 3x3)
  winograd_4x4,  ///< F(4x4, 3x3)
};
/// What ConvAlgorithm::automatic means from here on, on all threads. set_conv_algorithm(automatic) restores the choice
/// by speed.
PORTICO_API void set_conv_algorithm(ConvAlgorithm algorithm);
PORTICO_API ConvAlgorithm conv_algorithm();  ///< of this thread's innermost scope, else the process'
/// The same for this thread while it lives, scopes within scopes. A gradient takes the algorithm that its forward pass
/// was recorded with.
class PORTICO_API ConvAlgorithmScope {
 public:
  explicit ConvAlgorithmScope(ConvAlgorithm algorithm);
  ~ConvAlgorithmScope();
  ConvAlgorithmScope(const ConvAlgorithmScope&) = delete;
  ConvAlgorithmScope& operator=(const ConvAlgorithmScope&) = delete;

 private:
  ConvAlgorithm previous_;
  bool had_previous_;
};

struct Conv2dOptions {
  Pair stride = {1, 1};
  Pair padding = {0, 0};
  Pair dilation = {1, 1};
  std::int64_t groups = 1;
  Activation activation = Activation::none;
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
};
/// Cross-correlation with weight [k, c / groups, r, s] and bias [k] or undefined: [n, k, ho, wo] with
/// ho = floor((h + 2 padding - dilation (r - 1) - 1) / stride) + 1.
PORTICO_API Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                          const Conv2dOptions& options = {});

struct MaxPool2dOptions {
  Pair kernel = {2, 2};
  std::optional<Pair> stride = {};  ///< the kernel's extents when absent
  Pair padding = {0, 0};            ///< at most half the kernel
  Pair dilation = {1, 1};
  bool ceil_mode = false;
};
/// The first of equal maxima (row-major in the window) receives the gradient; NaN wins.
PORTICO_API Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options = {});

struct AvgPool2dOptions {
  Pair kernel = {2, 2};
  std::optional<Pair> stride = {};
  Pair padding = {0, 0};
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};
PORTICO_API Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options = {});

// ---- Softmax and losses.

PORTICO_API Tensor softmax(const Tensor& x, int axis = -1);
PORTICO_API Tensor log_softmax(const Tensor& x, int axis = -1);

enum class Reduction { none, mean, sum };
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int32_t ignore_index = -100;  ///< labels that count for nothing
  float label_smoothing = 0.0f;      ///< in [0, 1]
};
/// Softmax and negative log-likelihood in one pass: logits [n, classes], labels i32 [n].
///
/// Labels are checked on the device: one outside [0, classes) that is not ignore_index makes the next call that waits
/// for this result's device (item(), to_vector(), synchronize()) throw `Error{invalid_argument}` naming the label and
/// its row.
PORTICO_API Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options = {});
PORTICO_API Tensor nll_loss(const Tensor& log_probabilities, const Tensor& labels,
                            const CrossEntropyOptions& options = {});
PORTICO_API Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);

/// Zeroes each element with probability p and scales the rest by 1 / (1 - p). The mask comes from the default Generator
/// and is made again in the gradient, not stored. p in [0, 1].
PORTICO_API Tensor dropout(const Tensor& x, float p);

}  // namespace portico
