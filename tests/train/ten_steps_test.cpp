// Ten steps of training, held against the same network, gradients and optimizer written out in double on the host. The
// network has each part of the quickstart's: convolution with padding, relu, max-pool, flatten, dense.
#include <algorithm>
#include <cmath>
#include <random>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

constexpr int kBatch = 8, kSide = 6, kChannels = 5, kPooled = kSide / 2, kFlat = kChannels * kPooled * kPooled;
constexpr int kClasses = 10, kSteps = 10;

/// Parameters in the order of the module: conv weight, conv bias, dense weight, dense bias.
using Parameters = std::vector<Doubles>;

struct Host {
  Parameters p;

  /// The loss of a batch, and its gradients.
  double step(const Doubles& x, const std::vector<std::int32_t>& labels, Parameters& gradients) const {
    gradients.clear();
    for (const Doubles& values : p) gradients.emplace_back(values.size(), 0.0);
    double loss = 0.0;
    for (int n = 0; n < kBatch; ++n)
      loss += example(&x[static_cast<std::size_t>(n * kSide * kSide)], labels[static_cast<std::size_t>(n)], gradients) /
              kBatch;
    return loss;
  }

  double example(const double* x, int label, Parameters& g) const {
    const auto at = [](auto... index) { return static_cast<std::size_t>((index + ...)); };
    Doubles pooled(kFlat);
    std::vector<int> where(kFlat);  // the pixel that won, -1 where relu cut it off
    for (int c = 0; c < kChannels; ++c)
      for (int py = 0; py < kPooled; ++py)
        for (int px = 0; px < kPooled; ++px) {
          const std::size_t slot = at(c * kPooled * kPooled, py * kPooled, px);
          double best = -1.0;
          for (int i = 0; i < 4; ++i) {
            const int y = 2 * py + i / 2, xx = 2 * px + i % 2;
            double sum = p[1][at(c)];
            for (int r = 0; r < 3; ++r)
              for (int s = 0; s < 3; ++s) sum += p[0][at(c * 9, r * 3, s)] * pixel(x, y + r - 1, xx + s - 1);
            const double value = std::max(sum, 0.0);
            if (value > best) {
              best = value;
              where[slot] = sum > 0.0 ? y * kSide + xx : -1;
            }
          }
          pooled[slot] = best;
        }

    Doubles logits(kClasses);
    for (int k = 0; k < kClasses; ++k) {
      logits[at(k)] = p[3][at(k)];
      for (int i = 0; i < kFlat; ++i) logits[at(k)] += p[2][at(k * kFlat, i)] * pooled[at(i)];
    }
    const double peak = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const double v : logits) sum += std::exp(v - peak);
    const double loss = peak + std::log(sum) - logits[at(label)];

    Doubles dpooled(kFlat, 0.0);
    for (int k = 0; k < kClasses; ++k) {
      const double d = (std::exp(logits[at(k)] - peak) / sum - (k == label ? 1.0 : 0.0)) / kBatch;
      g[3][at(k)] += d;
      for (int i = 0; i < kFlat; ++i) {
        g[2][at(k * kFlat, i)] += d * pooled[at(i)];
        dpooled[at(i)] += d * p[2][at(k * kFlat, i)];
      }
    }
    for (int i = 0; i < kFlat; ++i) {
      if (where[at(i)] < 0) continue;
      const int c = i / (kPooled * kPooled), y = where[at(i)] / kSide, xx = where[at(i)] % kSide;
      g[1][at(c)] += dpooled[at(i)];
      for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s) g[0][at(c * 9, r * 3, s)] += dpooled[at(i)] * pixel(x, y + r - 1, xx + s - 1);
    }
    return loss;
  }

  static double pixel(const double* x, int y, int xx) {
    return y < 0 || xx < 0 || y >= kSide || xx >= kSide ? 0.0 : x[y * kSide + xx];
  }
};

/// v = momentum v + g, p -= lr v
struct HostSGD {
  double lr, momentum;
  Parameters v = {};
  void step(Parameters& p, const Parameters& g) {
    if (v.empty())
      for (const Doubles& values : p) v.emplace_back(values.size(), 0.0);
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t j = 0; j < p[i].size(); ++j) p[i][j] -= lr * (v[i][j] = momentum * v[i][j] + g[i][j]);
  }
};

/// Kingma and Ba, algorithm 1.
struct HostAdam {
  double lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  int steps = 0;
  Parameters m = {}, v = {};
  void step(Parameters& p, const Parameters& g) {
    if (m.empty())
      for (const Doubles& values : p) m.emplace_back(values.size(), 0.0), v.emplace_back(values.size(), 0.0);
    ++steps;
    for (std::size_t i = 0; i < p.size(); ++i)
      for (std::size_t j = 0; j < p[i].size(); ++j) {
        m[i][j] = beta1 * m[i][j] + (1 - beta1) * g[i][j];
        v[i][j] = beta2 * v[i][j] + (1 - beta2) * g[i][j] * g[i][j];
        p[i][j] -=
            lr * (m[i][j] / (1 - std::pow(beta1, steps))) / (std::sqrt(v[i][j] / (1 - std::pow(beta2, steps))) + eps);
      }
  }
};

Doubles doubles(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  return {values.begin(), values.end()};
}

std::unique_ptr<nn::Sequential> make_model() {
  seed(11);
  auto model = std::make_unique<nn::Sequential>();
  model->emplace<nn::Conv2d>(1, kChannels, 3, nn::Conv2dLayerOptions{.padding = {1, 1}});
  model->emplace<nn::ReLU>();
  model->emplace<nn::MaxPool2d>(2);
  model->emplace<nn::Flatten>();
  model->emplace<nn::Linear>(kFlat, kClasses);
  return model;
}

data::ImageSet make_set() {
  std::mt19937 random(3);
  data::ImageSet set{.count = kBatch * kSteps, .height = kSide, .width = kSide, .classes = kClasses};
  for (int i = 0; i < kBatch * kSteps; ++i) {
    for (int p = 0; p < kSide * kSide; ++p) set.pixels.push_back(static_cast<std::uint8_t>(random()));
    set.labels.push_back(static_cast<std::int32_t>(random() % kClasses));
  }
  return set;
}

/// Trains both; the largest difference of a loss and of a parameter, over all steps.
template <typename HostOptimizer>
std::pair<double, double> compare(optim::Optimizer& optimizer, nn::Sequential& model, HostOptimizer host_optimizer) {
  Host host;
  for (const Tensor& parameter : model.parameters()) host.p.push_back(doubles(parameter));
  data::Loader loader(make_set(), {.batch = kBatch, .shuffle = true, .mean = 0.5f, .deviation = 0.5f, .seed = 9});
  loader.start_epoch(1);
  double worst_loss = 0.0, worst_parameter = 0.0, first_loss = 0.0;
  int steps = 0;
  for (data::Batch batch; loader.next(batch); ++steps) {
    optimizer.clear_grad();
    const Tensor loss = cross_entropy(model(batch.images), batch.labels);
    loss.backward();
    optimizer.step();

    Parameters gradients;
    const double expected = host.step(doubles(batch.images), batch.labels.to_ints(), gradients);
    host_optimizer.step(host.p, gradients);
    if (steps == 0) first_loss = expected;
    worst_loss = std::max(worst_loss, std::abs(loss.item() - expected) / expected);
    const std::vector<Tensor> parameters = model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Doubles values = doubles(parameters[i]);
      for (std::size_t j = 0; j < values.size(); ++j)
        worst_parameter = std::max(worst_parameter, std::abs(values[j] - host.p[i][j]));
    }
  }
  REQUIRE(steps == kSteps);
  REQUIRE(first_loss > 0.5);
  return {worst_loss, worst_parameter};
}

}  // namespace

TEST_CASE("ten steps of SGD with momentum agree with a run in double", "[training]") {
  const auto model = make_model();
  optim::SGD optimizer(model->parameters(), {.lr = 0.1f, .momentum = 0.9f});
  const auto [loss, parameter] = compare(optimizer, *model, HostSGD{.lr = 0.1f, .momentum = 0.9f});
  INFO("loss " << loss << ", parameter " << parameter);
  CHECK(loss < 1e-6);
  CHECK(parameter < 1e-6);
}

TEST_CASE("ten steps of Adam agree with a run in double", "[training]") {
  const auto model = make_model();
  optim::Adam optimizer(model->parameters(), {.lr = 0.01f});
  const auto [loss, parameter] =
      compare(optimizer, *model, HostAdam{.lr = 0.01f, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8f});
  INFO("loss " << loss << ", parameter " << parameter);
  CHECK(loss < 1e-6);
  // Adam divides by the gradient's own size: where a gradient is close to 0, its relative error becomes the step's.
  CHECK(parameter < 5e-6);
}

}  // namespace portico::test
