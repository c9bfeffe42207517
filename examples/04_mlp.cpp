// Example 4: layers, an optimizer and a training loop written out: a perceptron with one hidden layer learns which of
// three spiral arms a point of the plane lies on. The points are made here; no data set is needed.
#include <cmath>
#include <cstdio>
#include <vector>

#include "portico/portico.hpp"

using portico::Tensor;
namespace nn = portico::nn;

namespace {

constexpr int kArms = 3, kPerArm = 200;

struct Spiral {
  std::vector<float> points;  // x, y
  std::vector<std::int32_t> arms;
};

Spiral make_spiral(std::uint64_t seed) {
  portico::Generator random(seed);  // the same numbers on every backend
  Spiral spiral;
  for (int i = 0; i < kArms * kPerArm; ++i) {
    const int arm = i % kArms;
    const float radius = static_cast<float>(i / kArms + 1) / kPerArm;
    const float noise = static_cast<float>(random.next()) / 4294967296.0f - 0.5f;
    const float angle = 6.2832f * static_cast<float>(arm) / kArms + 4.0f * radius + 0.5f * noise;
    spiral.points.push_back(radius * std::cos(angle));
    spiral.points.push_back(radius * std::sin(angle));
    spiral.arms.push_back(arm);
  }
  return spiral;
}

// A network is a Module with its layers as members; add_child gives their parameters a name ("hidden.weight", ...).
class Mlp : public nn::Module {
 public:
  Mlp() {
    add_child("hidden", hidden_);
    add_child("middle", middle_);
    add_child("output", output_);
  }
  Tensor forward(const Tensor& x) override { return output_(relu(middle_(relu(hidden_(x))))); }
  std::string describe() const override { return "Mlp(2, 64, 64, 3)"; }

 private:
  nn::Linear hidden_{2, 64}, middle_{64, 64}, output_{64, kArms};
};

double accuracy(Mlp& model, const Tensor& points, const std::vector<std::int32_t>& arms) {
  const portico::NoGrad no_grad;
  const std::vector<std::int32_t> guesses = argmax(model(points)).to_ints();
  int right = 0;
  for (std::size_t i = 0; i < arms.size(); ++i) right += guesses[i] == arms[i];
  return static_cast<double>(right) / static_cast<double>(arms.size());
}

}  // namespace

int main() try {
  portico::seed(3);
  const Spiral known = make_spiral(1), unknown = make_spiral(2);
  constexpr std::int64_t kCount = kArms * kPerArm;
  const Tensor points = Tensor::from(known.points, {kCount, 2}), fresh = Tensor::from(unknown.points, {kCount, 2});
  const Tensor arms = Tensor::from_ints(known.arms, {kCount});

  Mlp model;
  portico::optim::AdamW optimizer(model.parameters(), {.lr = 0.01f});
  for (int step = 1; step <= 300; ++step) {
    optimizer.clear_grad();
    const Tensor loss = cross_entropy(model(points), arms);
    loss.backward();
    optimizer.step();
    if (step % 100 == 0) std::printf("step %d  loss %.4f\n", step, loss.item());  // item() waits, so not every step
  }

  const double on_known = accuracy(model, points, known.arms), on_fresh = accuracy(model, fresh, unknown.arms);
  if (on_fresh < 0.9) {
    std::fprintf(stderr, "error: only %.3f of the points are assigned to their arm\n", on_fresh);
    return 1;
  }
  std::printf(
      "shown: an MLP of %lld parameters tells three spirals apart: %.3f of the known points, %.3f of new ones\n",
      static_cast<long long>(model.parameter_count()), on_known, on_fresh);
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
