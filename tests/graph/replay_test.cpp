// A replayed step gives, bit for bit, what the step itself gives, while everything that may change changes.
#include "catch.hpp"
#include "twins.hpp"

namespace portico::test {
namespace {

// Runs `steps` steps of two trainings, one eagerly and one as a graph, and holds them against each other after each.
// `before(training, step)` comes before each step of either.
void compare(
    const MakeOptimizer& make, int steps, float drop,
    const std::function<void(Training&, int)>& before = [](Training&, int) {}, Network network = Network::dense) {
  Training eager(make, drop, network), replayed(make, drop, network);
  const Graph graph = Graph::record([&] { replayed.step(); });
  std::uint64_t eager_position = 0, replayed_position = 0;
  for (int step = 0; step < steps; ++step) {
    INFO("step " << step);
    const auto run = [&](Training& training, std::uint64_t& position, const auto& call) {
      default_generator().reset(step < 3 ? 100 : 200, position);  // another seed from step 3 on
      training.load(step);
      before(training, step);
      call();
      position = default_generator().position();
    };
    run(eager, eager_position, [&] { eager.step(); });
    run(replayed, replayed_position, [&] { graph.replay(); });
    REQUIRE(eager.state() == replayed.state());
    CHECK(eager_position == replayed_position);
  }
}

}  // namespace

TEST_CASE("a replay is the step: Adam's step counts, another batch each time", "[graph]") { compare(adam(), 6, 0.0f); }

TEST_CASE("a replay is the step: AMSGrad with decay", "[graph]") {
  compare(adam({.lr = 0.01f, .weight_decay = 0.1f, .amsgrad = true}), 4, 0.0f);
}

TEST_CASE("a replay is the step: SGD, whose first step with momentum is a special one", "[graph]") {
  compare(sgd({.lr = 0.1f}), 3, 0.0f);
  compare(sgd({.lr = 0.1f, .momentum = 0.9f, .dampening = 0.5f}), 4, 0.0f);
  compare(sgd({.lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true}), 4, 0.0f);
}

TEST_CASE("a replay is the step: learning rate and loss scale change", "[graph]") {
  compare(adam(), 5, 0.0f, [](Training& training, int step) {
    training.optimizer->set_lr(0.02f / static_cast<float>(1 + step));
    training.scale.fill(static_cast<float>(1 << step));
  });
}

TEST_CASE("a replay is the step: convolutions and pooling", "[graph]") {
  const auto change = [](Training& training, int step) {
    training.optimizer->set_lr(0.02f / static_cast<float>(1 + step));
  };
  compare(adam(), 3, 0.0f, change, Network::convolutions);
  compare(sgd({.lr = 0.05f, .momentum = 0.9f}), 3, 0.3f, change, Network::convolutions);
}

TEST_CASE("a replay is the step: dropout has another mask each time", "[graph]") { compare(adam(), 7, 0.4f); }

}  // namespace portico::test
