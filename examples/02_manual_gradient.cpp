// Example 2: a network whose gradient is written by hand, from matrix products and two kernels of our own, and held
// against what autograd computes for the same network.
//
//   h = sigmoid(x W1)     y = sigmoid(h W2)     loss = sum((y - t)^2) / 2
//
//   dy = y - t
//   d2 = dy * y (1 - y)          gW2 = h^T d2
//   d1 = (d2 W2^T) * h (1 - h)   gW1 = x^T d1
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "portico/portico.hpp"

using portico::Device;
using portico::Tensor;

namespace {

// Both kernels work on any number of elements. The second one is the chain rule through a sigmoid: it needs the
// sigmoid's result only, not its argument.
constexpr const char* kSource = R"(
KERNEL void squash(OUT(f32, x), const uint count) {
  OFFSET(x);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) x[i] = 1.0f / (1.0f + exp(-x[i]));
}

KERNEL void through_sigmoid(IN(f32, y), OUT(f32, gradient), const uint count) {
  OFFSET(y);
  OFFSET(gradient);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) gradient[i] *= y[i] * (1.0f - y[i]);
}
)";

/// What a step of training needs.
struct Gradients {
  float loss;
  Tensor w1, w2;
};

class ByHand {
 public:
  explicit ByHand(const Device& device)
      : squash_(device.compile("manual_gradient", kSource, "squash", {})),
        through_sigmoid_(device.compile("manual_gradient", kSource, "through_sigmoid", {})) {}

  Gradients operator()(const Tensor& x, const Tensor& t, const Tensor& w1, const Tensor& w2) const {
    const portico::NoGrad no_grad;  // nothing below is recorded: the gradient is our own business

    const Tensor h = sigmoid(matmul(x, w1));
    const Tensor y = sigmoid(matmul(h, w2));
    const Tensor dy = y - t;
    const float loss = 0.5f * sum(square(dy)).item();

    const Tensor d2 = chain(y, dy);
    const Tensor gw2 = matmul(h, d2, {.trans_a = true});
    const Tensor d1 = chain(h, matmul(d2, w2, {.trans_b = true}));
    const Tensor gw1 = matmul(x, d1, {.trans_a = true});
    return {loss, gw1, gw2};
  }

 private:
  // Both change their argument in place: it is a fresh result that nobody else holds.
  Tensor sigmoid(const Tensor& fresh) const {
    squash_(kGrid, {fresh.arg(), static_cast<std::uint32_t>(fresh.count())});
    return fresh;
  }
  Tensor chain(const Tensor& y, const Tensor& gradient) const {
    through_sigmoid_(kGrid, {y.arg(), gradient.arg(), static_cast<std::uint32_t>(gradient.count())});
    return gradient;
  }

  static constexpr portico::Grid kGrid{.groups = {64}, .local = {64}};
  portico::Kernel squash_, through_sigmoid_;
};

Gradients by_autograd(const Tensor& x, const Tensor& t, const Tensor& w1, const Tensor& w2) {
  const Tensor a = w1.clone().detach().set_requires_grad(), b = w2.clone().detach().set_requires_grad();
  const Tensor y = sigmoid(matmul(sigmoid(matmul(x, a)), b));
  const Tensor loss = 0.5f * sum(square(y - t));
  loss.backward();
  return {loss.item(), a.grad(), b.grad()};
}

/// Largest difference, as a share of the largest value.
double difference(const Tensor& a, const Tensor& b) {
  const std::vector<float> left = a.to_vector(), right = b.to_vector();
  double worst = 0.0, scale = 0.0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    worst = std::max(worst, std::abs(double{left[i]} - right[i]));
    scale = std::max(scale, std::abs(double{right[i]}));
  }
  return worst / scale;
}

}  // namespace

int main() try {
  portico::seed(7);
  const Device device = Device::current();
  const Tensor x = Tensor::uniform({64, 20}, -1.0f, 1.0f);
  const Tensor t = Tensor::uniform({64, 4}, 0.1f, 0.9f);
  const Tensor w1 = Tensor::normal({20, 32}, 0.0f, 0.5f);
  const Tensor w2 = Tensor::normal({32, 4}, 0.0f, 0.5f);

  const ByHand by_hand(device);
  const Gradients first = by_hand(x, t, w1, w2);
  const Gradients expected = by_autograd(x, t, w1, w2);
  const double worst = std::max(difference(first.w1, expected.w1), difference(first.w2, expected.w2));
  std::printf("loss %.6f by hand, %.6f by autograd; the gradients differ by %.1e\n", first.loss, expected.loss, worst);
  if (!(worst < 1e-5)) {  // a NaN is not below anything
    std::fprintf(stderr, "error: the two gradients do not agree\n");
    return 1;
  }

  // Plain gradient descent with the gradient by hand.
  float loss = first.loss;
  for (int step = 1; step <= 200; ++step) {
    const Gradients gradients = by_hand(x, t, w1, w2);
    w1.copy_from(w1 - 0.05f * gradients.w1);
    w2.copy_from(w2 - 0.05f * gradients.w2);
    loss = gradients.loss;
    if (step % 50 == 0) std::printf("step %3d  loss %.4f\n", step, loss);
  }
  if (!(loss < 0.8f * first.loss)) {
    std::fprintf(stderr, "error: the loss went from %g to %g only\n", first.loss, loss);
    return 1;
  }
  std::printf("shown: a gradient by hand agrees with autograd to %.0e, and descends from %.2f to %.2f\n", worst,
              first.loss, loss);
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
