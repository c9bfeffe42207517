// Example 3: an operation of your own that autograd knows: a kernel forward, a kernel for the gradient, and one call of
// autograd::record that ties them together. From then on it mixes with the library's operations.
//
// The operation is "snake", x + sin(a x)^2 / a, an activation for periodic signals (Ziyin, Hartwig and Ueda,
// arXiv:2006.08195). Its derivative is 1 + sin(2 a x).
#include <cmath>
#include <cstdio>
#include <vector>

#include "portico/portico.hpp"

using portico::Tensor;

namespace {

// REAL comes from the specialisation below: one text for f32, f16 and bf16. LOAD and STORE convert, so that the
// arithmetic is always float.
constexpr const char* kSource = R"(
KERNEL void snake_forward(IN(REAL, x), OUT(REAL, y), const uint count, const float a) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    const float v = LOAD(x, i);
    const float s = sin(a * v);
    STORE(y, i, v + s * s / a);
  }
}

KERNEL void snake_backward(IN(REAL, x), IN(REAL, dy), OUT(REAL, dx), const uint count, const float a) {
  OFFSET(x);
  OFFSET(dy);
  OFFSET(dx);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE)
    STORE(dx, i, LOAD(dy, i) * (1.0f + sin(2.0f * a * LOAD(x, i))));
}
)";

portico::Kernel kernel(const Tensor& x, const char* function) {
  return x.device().compile("snake", kSource, function, portico::Spec().set("REAL", name_of(x.dtype())));
}

constexpr portico::Grid kGrid{.groups = {64}, .local = {64}};

Tensor snake(const Tensor& given, float a) {
  const Tensor x = given.contiguous();  // elements in row-major order, whatever made them
  const auto count = static_cast<std::uint32_t>(x.count());
  const Tensor y = Tensor::empty_like(x);
  kernel(x, "snake_forward")(kGrid, {x.arg(), y.arg(), count, a});

  // The closure keeps what the gradient needs. `dy` may lie in any order of elements, hence contiguous().
  return portico::autograd::record(
      "snake", y, {x}, [x = portico::autograd::Saved(x), a, count](const Tensor& dy, portico::autograd::Needs) {
        const Tensor dx = Tensor::empty_like(x.get());
        kernel(dx, "snake_backward")(kGrid, {x.get().arg(), dy.contiguous().arg(), dx.arg(), count, a});
        return std::vector<Tensor>{dx};
      });
}

}  // namespace

int main() try {
  // First, the gradient against central differences of the same formula in double.
  constexpr float kA = 2.0f;
  const std::vector<float> points = {-3.0f, -1.1f, -0.2f, 0.0f, 0.4f, 0.9f, 2.7f};
  const Tensor x = Tensor::from(points, {static_cast<std::int64_t>(points.size())}, {.requires_grad = true});
  sum(snake(x, kA)).backward();
  const std::vector<float> gradient = x.grad().to_vector();
  const auto formula = [](double v) { return v + std::pow(std::sin(kA * v), 2) / kA; };
  double worst = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    constexpr double kStep = 1e-5;
    const double expected = (formula(points[i] + kStep) - formula(points[i] - kStep)) / (2.0 * kStep);
    worst = std::max(worst, std::abs(gradient[i] - expected));
  }
  std::printf("gradient of snake: largest error %.1e\n", worst);
  if (!(worst < 1e-4)) {
    std::fprintf(stderr, "error: the gradient is wrong\n");
    return 1;
  }

  // Then in a network: two layers learn a wave, with snake between them.
  portico::seed(1);
  constexpr std::int64_t kPoints = 256;
  std::vector<float> inputs, wave;
  for (std::int64_t i = 0; i < kPoints; ++i) {
    inputs.push_back(-2.0f + 4.0f * static_cast<float>(i) / kPoints);
    wave.push_back(std::sin(5.0f * inputs.back()));
  }
  const Tensor in = Tensor::from(inputs, {kPoints, 1}), target = Tensor::from(wave, {kPoints, 1});
  portico::nn::Linear hidden(1, 32), output(32, 1);
  std::vector<Tensor> parameters = hidden.parameters();
  for (const Tensor& parameter : output.parameters()) parameters.push_back(parameter);
  portico::optim::Adam optimizer(parameters, {.lr = 0.01f});

  float first = 0.0f, last = 0.0f;
  for (int step = 1; step <= 400; ++step) {
    optimizer.clear_grad();
    const Tensor loss = mse_loss(output(snake(hidden(in), kA)), target);
    loss.backward();
    optimizer.step();
    if (step == 1) first = loss.item();
    if (step % 100 == 0) std::printf("step %d  loss %.5f\n", step, last = loss.item());
  }
  if (!(last < 0.1f * first)) {
    std::fprintf(stderr, "error: the loss went from %g to %g only\n", first, last);
    return 1;
  }
  std::printf("shown: an own kernel with its own gradient (error %.0e) trains a network from loss %.2f to %.4f\n",
              worst, first, last);
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
