// Cross-entropy, negative log-likelihood, mean squared error.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

double log_total(const double* x, std::int64_t count) {
  const double peak = *std::max_element(x, x + count);
  double total = 0.0;
  for (std::int64_t c = 0; c < count; ++c) total += std::exp(x[c] - peak);
  return peak + std::log(total);
}

OpCase label_case(bool likelihood, std::int64_t n, std::int64_t classes, CrossEntropyOptions options,
                  double range = 3.0) {
  static constexpr const char* kReductions[] = {"none", "mean", "sum"};
  return {.name = std::string(likelihood ? "nll_loss" : "cross_entropy") + Shape{n, classes}.to_string() +
                  kReductions[static_cast<int>(options.reduction)] + std::to_string(options.label_smoothing) + "/" +
                  std::to_string(options.ignore_index),
          .inputs = {{n, classes}, {n}},
          .op =
              [=](const auto& in) {
                return likelihood ? nll_loss(in[0], in[1], options) : cross_entropy(in[0], in[1], options);
              },
          .reference =
              [=](const auto& in) {
                Doubles losses;
                double counted = 0.0, total = 0.0;
                for (std::int64_t row = 0; row < n; ++row) {
                  const double* x = in[0].data() + row * classes;
                  const auto label = static_cast<std::int64_t>(in[1][static_cast<std::size_t>(row)]);
                  double loss = 0.0;
                  if (label != options.ignore_index) {
                    const double shift = likelihood ? 0.0 : log_total(x, classes);
                    double average = 0.0;
                    for (std::int64_t c = 0; c < classes; ++c) average += x[c] / static_cast<double>(classes);
                    const double e = options.label_smoothing;
                    loss = shift - (1.0 - e) * x[label] - e * average;
                    counted += 1.0;
                  }
                  losses.push_back(loss);
                  total += loss;
                }
                if (options.reduction == Reduction::none) return losses;
                return Doubles{options.reduction == Reduction::sum ? total : total / counted};
              },
          .length = 16 + (options.reduction == Reduction::sum ? n : 0),
          .magnitude = range,
          .values = {{.low = -range, .high = range},
                     {.low = 0.0, .high = static_cast<double>(classes), .integers = DType::i32}}};
}

std::vector<OpCase> cases(bool likelihood) {
  std::vector<OpCase> list;
  for (const Shape& shape : {Shape{1, 1}, Shape{7, 10}, Shape{33, 16}, Shape{5, 31}, Shape{64, 10}, Shape{3, 1000},
                             Shape{2, 2000}, Shape{600, 70}})
    list.push_back(label_case(likelihood, shape[0], shape[1], {}));
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum})
    for (const float smoothing : {0.0f, 0.1f, 1.0f})
      list.push_back(
          label_case(likelihood, 9, 33, {.reduction = reduction, .ignore_index = 3, .label_smoothing = smoothing}));
  list.push_back(label_case(likelihood, 40, 3, {.reduction = Reduction::mean, .ignore_index = 1}));
  return list;
}

OpCase mse_case(Shape shape, Reduction reduction) {
  return {.name = "mse_loss" + shape.to_string() + std::to_string(static_cast<int>(reduction)),
          .inputs = {shape, shape},
          .op = [=](const auto& in) { return mse_loss(in[0], in[1], reduction); },
          .reference =
              [=](const auto& in) {
                Doubles each;
                double total = 0.0;
                for (std::size_t i = 0; i < in[0].size(); ++i) {
                  each.push_back((in[0][i] - in[1][i]) * (in[0][i] - in[1][i]));
                  total += each.back();
                }
                if (reduction == Reduction::none) return each;
                return Doubles{reduction == Reduction::sum ? total : total / static_cast<double>(each.size())};
              },
          .length = reduction == Reduction::none ? 1 : shape.count(),
          .magnitude = reduction == Reduction::mean ? 1.0 / static_cast<double>(shape.count()) : 1.0};
}

Tensor labels_of(std::vector<std::int32_t> labels) {
  return Tensor::from_ints(labels, {static_cast<std::int64_t>(labels.size())});
}

}  // namespace

TEST_CASE("losses on labels agree with their references", "[loss]") {
  for (const bool likelihood : {false, true})
    for (const OpCase& op : cases(likelihood)) check_forward(op);
}

TEST_CASE("losses in half types", "[loss]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const bool likelihood : {false, true}) {
    check_forward(label_case(likelihood, 33, 10, {}), dtype);
    check_forward(label_case(likelihood, 9, 70, {.reduction = Reduction::none, .label_smoothing = 0.1f}), dtype);
  }
  check_forward(mse_case({50}, Reduction::mean), dtype);
}

TEST_CASE("losses' gradients agree with central differences", "[loss][gradient]") {
  for (const bool likelihood : {false, true})
    for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum})
      for (const float smoothing : {0.0f, 0.1f}) {
        check_gradient(
            label_case(likelihood, 9, 5, {.reduction = reduction, .ignore_index = 3, .label_smoothing = smoothing}));
        check_gradient(label_case(likelihood, 3, 70, {.reduction = reduction, .label_smoothing = smoothing}));
      }
}

TEST_CASE("mse_loss", "[loss]") {
  for (const Reduction reduction : {Reduction::none, Reduction::mean, Reduction::sum})
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{33}, Shape{3, 5}, Shape{100, 100}, Shape{2, 3, 4, 5}}) {
      check_forward(mse_case(shape, reduction));
      if (shape.count() < 1000) check_gradient(mse_case(shape, reduction));
    }
}

TEST_CASE("large logits", "[loss]") {
  Tensor x = Tensor::from({1e4f, 1e4f - 2.0f, 0.0f}, {1, 3}).set_requires_grad();
  const Tensor loss = cross_entropy(x, labels_of({1}));
  loss.backward();
  const double other = std::exp(-2.0), total = 1.0 + other;
  check_values(loss.to_vector(), {2.0 + std::log(total)}, DType::f32);
  check_values(x.grad().to_vector(), {1.0 / total, other / total - 1.0, 0.0}, DType::f32);
}

TEST_CASE("all labels ignored", "[loss]") {
  Tensor x = Tensor::ones({2, 3}).set_requires_grad();
  const Tensor labels = labels_of({-100, -100});
  CHECK(std::isnan(cross_entropy(x, labels).item()));
  const Tensor loss = cross_entropy(x, labels, {.reduction = Reduction::sum});
  CHECK(loss.item() == 0.0f);
  loss.backward();
  CHECK(x.grad().to_vector() == std::vector<float>(6, 0.0f));
}

TEST_CASE("an ignored line may hold anything", "[loss]") {
  Tensor x = Tensor::from({NAN, INFINITY, 1.0f, 1.0f}, {2, 2}).set_requires_grad();
  const Tensor loss = cross_entropy(x, labels_of({-100, 0}));
  loss.backward();
  check_values(loss.to_vector(), {std::log(2.0)}, DType::f32);
  check_values(x.grad().to_vector(), {0.0, 0.0, -0.5, 0.5}, DType::f32);
}

TEST_CASE("no samples", "[loss]") {
  CHECK(cross_entropy(Tensor::zeros({0, 3}), labels_of({}), {.reduction = Reduction::sum}).item() == 0.0f);
  CHECK(cross_entropy(Tensor::zeros({0, 3}), labels_of({}), {.reduction = Reduction::none}).to_vector().empty());
}

TEST_CASE("a label out of range is an error at the next wait, said once", "[loss][errors]") {
  const Tensor x = Tensor::zeros({4, 3});
  for (const std::int32_t wrong : {3, -1, 1000000}) {
    const Tensor loss = cross_entropy(x, labels_of({0, 1, wrong, 2}));
    check_error([&] { loss.item(); }, ErrorCode::invalid_argument,
                "label " + std::to_string(wrong) + " in row 2 is not in [0, 3)");
    CHECK(cross_entropy(x, labels_of({0, 1, 2, -100})).item() == Approx(std::log(3.0)));
  }
  nll_loss(x, labels_of({0, 3, 0, 0}));
  check_error([&] { x.device().synchronize(); }, ErrorCode::invalid_argument, "label 3 in row 1");
}

TEST_CASE("losses refuse what does not fit", "[loss][errors]") {
  const Tensor x = Tensor::zeros({4, 3}), labels = labels_of({0, 1, 2, 0});
  const auto bad = ErrorCode::invalid_argument;
  check_error([&] { cross_entropy(x, labels_of({0})); }, bad, "cross_entropy: x [4,3] and labels [1]");
  check_error([&] { cross_entropy(Tensor::zeros({4}), labels); }, bad, "cross_entropy: x [4]");
  check_error([&] { cross_entropy(x, Tensor::zeros({4})); }, bad, "cross_entropy: labels are f32");
  check_error([&] { cross_entropy(x, labels, {.label_smoothing = 1.5f}); }, bad, "cross_entropy: label_smoothing 1.5");
  check_error([&] { nll_loss(x.to(DType::i32), labels); }, bad, "nll_loss: needs f32");
  check_error([&] { cross_entropy(x, Tensor()); }, bad, "cross_entropy: labels is undefined");
  check_error([&] { mse_loss(x, Tensor::zeros({3, 4})); }, bad, "mse_loss: x [4,3] and target [3,4] differ");
  check_error([&] { mse_loss(x, x.to(DType::f16)); }, bad, "mse_loss: operands of two types");
}

}  // namespace portico::test
