// The tape itself, with operations whose gradients are plain.
#include <vector>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/portico.hpp"

namespace portico::test {
namespace {

using Floats = std::vector<float>;

Tensor leaf(std::initializer_list<float> values) {
  Tensor x = Tensor::from(values, {static_cast<std::int64_t>(values.size())});
  x.set_requires_grad();
  return x;
}

}  // namespace

TEST_CASE("gradients follow the chain rule and add up over uses", "[autograd]") {
  const Tensor x = leaf({1, 2, 3});
  const Tensor y = x * x + x * 3.0f;  // dy/dx = 2x + 3
  sum(y).backward();
  CHECK(x.grad().to_vector() == Floats{5, 7, 9});
}

TEST_CASE("a second backward adds to the gradient, clear_grad forgets it", "[autograd]") {
  const Tensor x = leaf({1, 2});
  sum(x * 2.0f).backward();
  const Tensor first = x.grad();
  sum(x * 3.0f).backward();
  CHECK(x.grad().to_vector() == Floats{5, 5});
  CHECK(first.to_vector() == Floats{2, 2});  // a gradient that the user holds does not change behind his back
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("gradients that share memory stay apart", "[autograd]") {
  const Tensor a = leaf({1, 2}), b = leaf({3, 4});
  sum(a + b).backward();  // both gradients are the same tensor of ones
  sum(a * 5.0f).backward();
  CHECK(a.grad().to_vector() == Floats{6, 6});
  CHECK(b.grad().to_vector() == Floats{1, 1});
}

TEST_CASE("a diamond runs each node once, after all its uses", "[autograd]") {
  const Tensor x = leaf({2});
  const Tensor y = x * x;
  const Tensor z = y * y + y * 3.0f;  // x^4 + 3x^2: 4x^3 + 6x
  z.backward(Tensor::ones({1}));
  CHECK(x.grad().to_vector() == Floats{44});
}

TEST_CASE("nothing is recorded without need", "[autograd]") {
  const Tensor x = leaf({1});
  {
    const NoGrad guard;
    CHECK_FALSE(autograd::enabled());
    CHECK((x * 2.0f).is_leaf());
  }
  CHECK(autograd::enabled());
  CHECK_FALSE((x * 2.0f).is_leaf());
  CHECK((x.detach() * 2.0f).is_leaf());
  CHECK((Tensor::ones({1}) * 2.0f).is_leaf());
}

TEST_CASE("a freed graph says so when it is used again", "[autograd][errors]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x);
  y.backward({}, true);
  y.backward();
  CHECK(x.grad().to_vector() == Floats{4, 8});
  check_error([&] { y.backward(); }, ErrorCode::invalid_argument, "was freed by an earlier backward()");
  check_error([&] { (y * 2.0f).backward(); }, ErrorCode::invalid_argument, "keep_graph = true");
}

TEST_CASE("backward asks for what it needs", "[autograd][errors]") {
  const Tensor x = leaf({1, 2});
  const auto invalid = ErrorCode::invalid_argument;
  check_error([&] { (x * 2.0f).backward(); }, invalid, "[2] has several elements");
  check_error([&] { (x * 2.0f).backward(Tensor::ones({3})); }, invalid, "seed [3] does not fit [2]");
  check_error([] { Tensor::ones({1}).backward(); }, invalid, "has no history");
  check_error([&] { (x * 2.0f).set_requires_grad(); }, invalid, "detach() it first");
  check_error([] { Tensor::from_ints(std::vector<std::int32_t>{1}, {1}).set_requires_grad(); }, invalid, "needs f32");
  check_error([&] { x.set_grad(Tensor::ones({3})); }, invalid, "gradient [3] of a tensor [2]");
}

TEST_CASE("a tensor that the gradient needs must not change in between", "[autograd][errors]") {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x);
  x.fill(5.0f);
  check_error([&] { y.backward(); }, ErrorCode::invalid_argument, "was changed in place");
}

TEST_CASE("gradients reach leaves through views and conversions", "[autograd]") {
  const Tensor x = leaf({1, 2, 3, 4});
  const Tensor y = x.reshape({2, 2}).rows(1, 2).to(DType::f16).to(DType::f32);
  sum(y * 3.0f).backward();
  CHECK(x.grad().to_vector() == Floats{0, 0, 3, 3});

  Tensor image = Tensor::from({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2});
  image.set_requires_grad();
  const Tensor weights = Tensor::from({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2});
  sum(image.contiguous(Layout::channels_last).clone() * weights).backward();
  CHECK(image.grad().to_vector() == weights.to_vector());
}

TEST_CASE("an own operation gets its gradient by record", "[autograd]") {
  const Tensor x = leaf({1, 2, 3});
  const Tensor unused = Tensor::ones({3});
  bool asked_for_unused = true;
  Tensor y = autograd::record("cube", x.detach() * x.detach() * x.detach(), {x, unused},
                              [saved = autograd::Saved(x), &asked_for_unused](const Tensor& dy, autograd::Needs needs) {
                                asked_for_unused = needs[1];
                                return std::vector<Tensor>{dy * saved.get() * saved.get() * 3.0f};
                              });
  sum(y).backward();
  CHECK(x.grad().to_vector() == Floats{3, 12, 27});
  CHECK_FALSE(asked_for_unused);
}

TEST_CASE("a graph of a hundred thousand nodes neither overflows the stack nor leaks", "[autograd]") {
  const Device device = Device::current();
  const auto before = device.memory().in_use;
  {
    const Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < 100000; ++i)
      y = autograd::record("same", y.detach(), {y},
                           [](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy}; });
    const Tensor dropped = y;
    y = {};
    dropped.backward(Tensor::ones({1}));
    CHECK(x.grad().to_vector() == Floats{1});
    Tensor never_run = x;
    for (int i = 0; i < 100000; ++i)
      never_run = autograd::record("same", never_run.detach(), {never_run},
                                   [](const Tensor& dy, autograd::Needs) { return std::vector<Tensor>{dy}; });
  }
  CHECK(device.memory().in_use == before);
}

}  // namespace portico::test
