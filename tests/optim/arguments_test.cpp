// Options and parameters that an optimizer refuses.
#include <cmath>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

const auto kInvalid = ErrorCode::invalid_argument;

Tensor leaf(const Shape& shape = {3}) { return Tensor::ones(shape, {.requires_grad = true}); }

}  // namespace

TEST_CASE("options that make no sense are refused with their value", "[optim][errors]") {
  using optim::Adam, optim::AdamW, optim::SGD;
  check_error([] { SGD({leaf()}, {.lr = -0.5f}); }, kInvalid, "SGD: lr is -0.5; it must not be negative");
  check_error([] { SGD({leaf()}, {.lr = NAN}); }, kInvalid, "SGD: lr is nan");
  check_error([] { SGD({leaf()}, {.momentum = -1.0f}); }, kInvalid, "SGD: momentum is -1");
  check_error([] { SGD({leaf()}, {.weight_decay = -1.0f}); }, kInvalid, "SGD: weight_decay is -1");
  check_error([] { SGD({leaf()}, {.nesterov = true}); }, kInvalid, "SGD: momentum is 0; nesterov needs a positive one");
  check_error([] { SGD({leaf()}, {.momentum = 0.9f, .dampening = 0.5f, .nesterov = true}); }, kInvalid,
              "SGD: dampening is 0.5; nesterov needs it to be 0");
  check_error([] { Adam({leaf()}, {.beta1 = 1.0}); }, kInvalid, "Adam: beta1 is 1; it must lie in [0, 1)");
  check_error([] { Adam({leaf()}, {.beta2 = -0.1}); }, kInvalid, "Adam: beta2 is -0.1");
  check_error([] { AdamW({leaf()}, {.eps = -1.0f}); }, kInvalid, "AdamW: eps is -1");
  check_error([] { AdamW({leaf()}, {.weight_decay = -1.0f}); }, kInvalid, "AdamW: weight_decay is -1");
  Adam adam({leaf()});
  check_error([&] { adam.set_lr(-1.0f); }, kInvalid, "Adam: lr is -1");
  CHECK(adam.lr() == 1e-3f);
}

TEST_CASE("parameters that cannot be trained are refused", "[optim][errors]") {
  const auto refuse = [](std::vector<Tensor> parameters, const char* part) {
    check_error([&] { optim::SGD optimizer(parameters); }, kInvalid, part);
  };
  refuse({}, "SGD: there are no parameters");
  refuse({leaf(), Tensor()}, "SGD: parameter 1 is undefined");
  refuse({Tensor::ones({2})}, "SGD: parameter 0 requires no gradient");
  refuse({mul(leaf(), 2.0f)}, "SGD: parameter 0 is the result of an operation");
  const std::vector<std::int32_t> labels = {1, 2};
  refuse({Tensor::from_ints(labels, {2})}, "SGD: parameter 0 is i32[2]");

  const Tensor one = leaf();
  refuse({one, leaf(), one}, "SGD: parameters 0 and 2 share memory");
  Tensor memory = Tensor::ones({4, 3});
  Tensor low = memory.rows(0, 3).detach().set_requires_grad(), high = memory.rows(2, 4).detach().set_requires_grad();
  refuse({low, high}, "SGD: parameters 0 and 1 share memory");
  Tensor next = memory.rows(3, 4).detach().set_requires_grad();
  optim::SGD neighbours({low, next});
}

}  // namespace portico::test
