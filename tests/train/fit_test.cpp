// The training loop: what it reports, how it stops, and what it does with a loss that is no number.
#include <algorithm>
#include <cmath>
#include <random>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

using data::Batch;
using data::ImageSet;
using data::Loader;

// 4x4 images of noise with a bright spot whose place is the class.
ImageSet make_set(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  ImageSet set{.count = count, .height = 4, .width = 4, .classes = 10};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::int32_t>(random() % 10);
    for (int p = 0; p < 16; ++p)
      set.pixels.push_back(static_cast<std::uint8_t>(random() % 100 + (p == label ? 150 : 0)));
    set.labels.push_back(label);
  }
  return set;
}

std::unique_ptr<nn::Sequential> make_model() {
  auto model = std::make_unique<nn::Sequential>();
  model->emplace<nn::Flatten>();
  model->emplace<nn::Linear>(16, 24);
  model->emplace<nn::ReLU>();
  model->emplace<nn::Dropout>(0.1f);
  model->emplace<nn::Linear>(24, 10);
  return model;
}

// The step, counted from 1, at which a plain loop that reads every loss first sees one that is no number.
std::pair<int, std::int64_t> first_bad_step(float lr) {
  seed(5);
  const auto model = make_model();
  optim::SGD optimizer(model->parameters(), {.lr = lr});
  Loader loader(make_set(200, 1), {.batch = 16, .shuffle = true});
  for (int epoch = 1; epoch < 100; ++epoch) {
    loader.start_epoch(epoch);
    std::int64_t step = 0;
    for (Batch batch; loader.next(batch);) {
      ++step;
      optimizer.clear_grad();
      const Tensor loss = cross_entropy((*model)(batch.images), batch.labels);
      loss.backward();
      optimizer.step();
      if (!std::isfinite(loss.item())) return {epoch, step};
    }
  }
  return {0, 0};
}

}  // namespace

TEST_CASE("fit learns, and reports every epoch", "[fit]") {
  seed(1);
  const auto model = make_model();
  optim::Adam optimizer(model->parameters(), {.lr = 0.01f});
  Loader train(make_set(500, 1), {.batch = 32, .shuffle = true}), test(make_set(103, 2), {.batch = 50});
  std::vector<train::EpochReport> seen;
  const train::FitResult result =
      train::fit(*model, optimizer, train, &test, {.epochs = 8, .on_epoch = [&](const auto& r) { seen.push_back(r); }});
  CHECK_FALSE(result.stopped);
  CHECK(result.examples == 8 * 500);
  CHECK(result.seconds > 0);
  REQUIRE(result.epochs.size() == 8);
  REQUIRE(seen.size() == 8);
  for (int i = 0; i < 8; ++i) {
    CHECK(seen[static_cast<std::size_t>(i)].epoch == i + 1);
    CHECK(seen[static_cast<std::size_t>(i)].epochs == 8);
    CHECK(seen[static_cast<std::size_t>(i)].examples == 500);
  }
  CHECK(seen.back().loss < 0.5 * seen.front().loss);
  CHECK(seen.back().test_accuracy > 0.9);
  CHECK(seen.back().test_accuracy == train::evaluate(*model, test).accuracy);
}

TEST_CASE("an epoch's loss is the mean over its examples, the short batch included", "[fit]") {
  // With a learning rate of 0 the model stands still, and the epoch's loss is the set's.
  seed(1);
  auto model = std::make_unique<nn::Sequential>();
  model->emplace<nn::Flatten>();
  model->emplace<nn::Linear>(16, 10);
  optim::SGD optimizer(model->parameters(), {.lr = 0.0f});
  const ImageSet set = make_set(37, 3);
  Loader train(set, {.batch = 16, .shuffle = true}), test(set, {.batch = 8}), whole(set, {.batch = 37});
  const auto result = train::fit(*model, optimizer, train, nullptr);
  Batch batch;
  REQUIRE(whole.next(batch));
  const double expected = cross_entropy((*model)(batch.images), batch.labels).item();
  CHECK(result.epochs.at(0).loss == Approx(expected).epsilon(1e-5));
  CHECK(result.epochs.at(0).test_accuracy == -1);
  CHECK(train::evaluate(*model, test).loss == Approx(expected).epsilon(1e-5));
}

TEST_CASE("evaluate counts what a host would count", "[evaluate]") {
  seed(2);
  const auto model = make_model();
  const ImageSet set = make_set(41, 4);
  Loader loader(set, {.batch = 16}), whole(set, {.batch = 41});
  const train::Evaluation evaluation = train::evaluate(*model, loader);
  Batch batch;
  REQUIRE(whole.next(batch));
  const std::vector<float> p = train::predict(*model, batch.images).to_vector();
  int right = 0;
  for (std::size_t i = 0; i < 41; ++i) {
    const auto row = p.begin() + static_cast<long>(i * 10);
    right += std::max_element(row, row + 10) - row == set.labels[i];
    double sum = 0;
    for (int c = 0; c < 10; ++c) sum += row[c];
    CHECK(sum == Approx(1.0).epsilon(1e-5));
  }
  CHECK(evaluation.examples == 41);
  CHECK(evaluation.accuracy == Approx(right / 41.0));
}

TEST_CASE("a row with a NaN is never right", "[evaluate]") {
  auto model = std::make_unique<nn::Sequential>();
  model->emplace<nn::Flatten>();
  auto& linear = model->emplace<nn::Linear>(16, 10);
  linear.weight.fill(NAN);
  ImageSet set = make_set(20, 1);
  std::fill(set.labels.begin(), set.labels.end(), 0);
  Loader loader(set, {.batch = 16});
  CHECK(train::evaluate(*model, loader).accuracy == 0.0);
}

TEST_CASE("evaluate and predict leave every module in its own mode", "[evaluate]") {
  const auto model = make_model();
  model->train();
  (*model)[3].eval();  // dropout alone is frozen
  Loader loader(make_set(8, 1), {.batch = 8});
  train::evaluate(*model, loader);
  CHECK(model->training());
  CHECK((*model)[1].training());
  CHECK_FALSE((*model)[3].training());

  Batch batch;
  loader.start_epoch(0);
  REQUIRE(loader.next(batch));
  const auto first = train::predict(*model, batch.images).to_vector();
  model->train();
  CHECK(train::predict(*model, batch.images).to_vector() == first);  // no dropout in a prediction
  CHECK(model->training());
}

TEST_CASE("should_stop ends the run after the step it is asked in", "[fit]") {
  seed(1);
  const auto model = make_model();
  optim::Adam optimizer(model->parameters());
  Loader train(make_set(200, 1), {.batch = 20});
  int asked = 0, epochs = 0;
  const auto result = train::fit(
      *model, optimizer, train, nullptr,
      {.epochs = 5, .on_epoch = [&](const auto&) { ++epochs; }, .should_stop = [&] { return ++asked > 14; }});
  CHECK(result.stopped);
  CHECK(result.examples == 14 * 20);
  CHECK(epochs == 1);
  CHECK(result.epochs.size() == 1);
}

TEST_CASE("a loss that is no number is said once, with its first step", "[fit][nan]") {
  constexpr float kTooMuch = 1e20f;
  const auto [epoch, step] = first_bad_step(kTooMuch);
  REQUIRE(epoch > 0);
  REQUIRE(step > 1);  // else the test would not tell a step from the next

  seed(5);
  const auto model = make_model();
  optim::SGD optimizer(model->parameters(), {.lr = kTooMuch});
  Loader train(make_set(200, 1), {.batch = 16, .shuffle = true});
  std::vector<std::pair<int, std::int64_t>> said;
  train::fit(*model, optimizer, train, nullptr,
             {.epochs = epoch + 2, .on_nan = [&](int e, std::int64_t s) { said.emplace_back(e, s); }});
  CHECK(said == std::vector<std::pair<int, std::int64_t>>{{epoch, step}});

  seed(5);
  const auto again = make_model();
  optim::SGD plain(again->parameters(), {.lr = kTooMuch});
  check_error([&] { train::fit(*again, plain, train, nullptr, {.epochs = epoch + 2}); }, ErrorCode::invalid_argument,
              "from epoch " + std::to_string(epoch) + ", step " + std::to_string(step) + " on");
}

TEST_CASE("the learning rate follows its schedule and comes back", "[fit]") {
  const auto model = make_model();
  optim::SGD optimizer(model->parameters(), {.lr = 0.5f});
  Loader train(make_set(40, 1), {.batch = 10});
  std::vector<double> done;
  std::vector<float> rates;
  train::fit(*model, optimizer, train, nullptr,
             {.epochs = 2,
              .should_stop =
                  [&] {
                    rates.push_back(optimizer.lr());  // what the step before ran with
                    return false;
                  },
              .lr_factor =
                  [&](double share) {
                    done.push_back(share);
                    return static_cast<float>(1.0 - share);
                  }});
  CHECK(done == std::vector<double>{0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875});
  CHECK(rates.at(2) == Approx(0.5 * 0.875));
  CHECK(optimizer.lr() == 0.5f);
}

TEST_CASE("progress is told at the end of an epoch at the latest", "[fit]") {
  const auto model = make_model();
  optim::SGD optimizer(model->parameters(), {.lr = 0.0f});
  Loader train(make_set(40, 1), {.batch = 10});
  std::int64_t last = 0, all = 0;
  double loss = 0;
  train::fit(*model, optimizer, train, nullptr,
             {.on_progress = [&](int, std::int64_t step, std::int64_t steps, double mean) {
               last = step, all = steps, loss = mean;
             }});
  CHECK(last == 4);
  CHECK(all == 4);
  CHECK(loss > 0);
}

TEST_CASE("fit refuses what cannot be trained", "[fit][errors]") {
  const auto model = make_model();
  optim::SGD optimizer(model->parameters());
  Loader small(make_set(7, 1), {.batch = 8, .drop_last = true});
  check_error([&] { train::fit(*model, optimizer, small, nullptr); }, ErrorCode::invalid_argument, "has no batch");
  Loader train(make_set(8, 1), {.batch = 8});
  check_error([&] { train::fit(*model, optimizer, train, nullptr, {.epochs = -1}); }, ErrorCode::invalid_argument,
              "fit: -1 epochs");
  ImageSet wrong = make_set(8, 1);
  wrong.labels[5] = 10;
  Loader labels(wrong, {.batch = 8});
  check_error([&] { train::fit(*model, optimizer, labels, nullptr); }, ErrorCode::invalid_argument, "10");
}

namespace {

struct Trained {
  train::FitResult result;
  std::vector<std::vector<float>> parameters;
};

// Two epochs of 13 full batches and a short one, with a learning rate that changes at every step.
Trained train_with(train::Capture capture, const std::function<std::unique_ptr<nn::Sequential>()>& make = make_model) {
  seed(3);
  const auto model = make();
  optim::Adam optimizer(model->parameters(), {.lr = 0.01f});
  Loader loader(make_set(213, 1), {.batch = 16, .shuffle = true});
  Trained trained;
  trained.result =
      train::fit(*model, optimizer, loader, nullptr,
                 {.epochs = 2, .capture = capture, .lr_factor = [](double done) { return 1.0f - float(done) / 2; }});
  for (const Tensor& parameter : model->parameters()) trained.parameters.push_back(parameter.to_vector());
  return trained;
}

// Looks at a value on the host, as a model that normalises by its own statistics might.
class Looking : public nn::Module {
 public:
  Tensor forward(const Tensor& x) override {
    last = sum(x).item();
    return x;
  }
  float last = 0;
};

std::unique_ptr<nn::Sequential> make_looking_model() {
  auto model = std::make_unique<nn::Sequential>();
  model->emplace<nn::Flatten>();
  model->emplace<Looking>();
  model->emplace<nn::Linear>(16, 10);
  return model;
}

}  // namespace

TEST_CASE("fit replays a recorded step, and nothing comes out otherwise", "[fit][capture]") {
  const Trained eager = train_with(train::Capture::off), replayed = train_with(train::Capture::on);
  CHECK(eager.result.steps == 28);
  CHECK(eager.result.replayed_steps == 0);
  CHECK(replayed.result.steps == 28);
  CHECK(replayed.result.replayed_steps == 24);  // not the first two, nor the short batches
  CHECK(replayed.result.capture_note.empty());
  CHECK(eager.parameters == replayed.parameters);
  for (std::size_t epoch = 0; epoch < 2; ++epoch)
    CHECK(eager.result.epochs[epoch].loss == replayed.result.epochs[epoch].loss);
}

TEST_CASE("fit goes on without a graph where a step cannot be recorded, and says why", "[fit][capture]") {
  const Trained eager = train_with(train::Capture::off, make_looking_model),
                automatic = train_with(train::Capture::automatic, make_looking_model);
  CHECK(automatic.result.replayed_steps == 0);
  CHECK(automatic.result.capture_note.find("item: cannot be recorded") != std::string::npos);
  CHECK(eager.parameters == automatic.parameters);
  try {
    train_with(train::Capture::on, make_looking_model);
    FAIL("a step that reads a value was recorded");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(std::string(error.what()).find("item: cannot be recorded") != std::string::npos);
  }
}

}  // namespace portico::test
