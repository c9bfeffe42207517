// Tensors as values: making, host transfer, views, conversions, copies in place, errors.
#include <cmath>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/portico.hpp"

namespace portico::test {
namespace {

using Floats = std::vector<float>;

Tensor counting(const Shape& shape) {
  Floats values(static_cast<std::size_t>(shape.count()));
  std::iota(values.begin(), values.end(), 0.0f);
  return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("values reach the device and come back in every type", "[tensor]") {
  const Floats values = {0, 1, 2, 100, 3};
  const DType dtype = GENERATE(DType::f32, DType::f16, DType::bf16, DType::i32, DType::u8);
  const Tensor x = Tensor::from(values, {5}, {.dtype = dtype});
  CHECK(x.dtype() == dtype);
  CHECK(x.bytes() == 5 * size_of(dtype));
  CHECK(x.to_vector() == values);
  CHECK(x.to(DType::f32).to_vector() == values);
  CHECK(x.to_bytes().size() == x.bytes());
}

TEST_CASE("empty tensors are tensors", "[tensor]") {
  const Tensor x = Tensor::empty({0, 3});
  CHECK(x.count() == 0);
  CHECK(x.to_vector().empty());
  CHECK(x.clone().shape() == Shape{0, 3});
  CHECK(x.reshape({3, 0}).shape() == Shape{3, 0});
  CHECK(x.rows(0, 0).count() == 0);
  CHECK(Tensor::zeros({0}).to_vector().empty());
}

TEST_CASE("a scalar has no axes and one element", "[tensor]") {
  const Tensor x = Tensor::scalar(2.5f);
  CHECK(x.rank() == 0);
  CHECK(x.item() == 2.5f);
  CHECK(x.reshape({1, 1}).shape() == Shape{1, 1});
  check_error([] { (void)Tensor::zeros({2}).item(); }, ErrorCode::invalid_argument,
              "item: needs one element, got shape [2]");
}

TEST_CASE("copies share memory, clones do not", "[tensor]") {
  const Tensor x = Tensor::from({1, 2}, {2});
  const Tensor same = x, own = x.clone();
  x.fill(7.0f);
  CHECK(same.to_vector() == Floats{7, 7});
  CHECK(own.to_vector() == Floats{1, 2});
}

TEST_CASE("reshape and rows are views of row-major memory", "[tensor]") {
  const Tensor x = counting({4, 6});
  const Tensor view = x.reshape({2, -1});
  CHECK(view.shape() == Shape{2, 12});
  const Tensor middle = x.rows(1, 3);
  CHECK(middle.to_vector() == Floats{6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
  middle.fill(0.0f);
  CHECK(x.to_vector()[5] == 5.0f);
  CHECK(view.to_vector()[6] == 0.0f);
  CHECK(middle.rows(1, 2).reshape({3, 2}).shape() == Shape{3, 2});
  CHECK(x.flatten().shape() == Shape{24});
  CHECK(counting({2, 3, 4}).flatten(1).shape() == Shape{2, 12});
  CHECK(counting({2, 3, 4}).flatten(0, 1).shape() == Shape{6, 4});
  CHECK(Tensor::scalar(1).flatten().shape() == Shape{1});
}

TEST_CASE("channels-last is a matter of memory only", "[tensor]") {
  const Tensor x = counting({2, 3, 4, 5});
  const Tensor y = x.contiguous(Layout::channels_last);
  CHECK(y.layout() == Layout::channels_last);
  CHECK(y.shape() == x.shape());
  CHECK(y.to_vector() == x.to_vector());
  CHECK(y.rows(1, 2).to_vector() == x.rows(1, 2).to_vector());
  CHECK(y.flatten(1).to_vector() == x.flatten(1).to_vector());
  CHECK(y.clone().layout() == Layout::channels_last);
  CHECK(y.to(DType::f16).to_vector() == x.to_vector());
  CHECK(y.contiguous().layout() == Layout::row_major);
  y.copy_from(x.to_vector());
  CHECK(y.to_vector() == x.to_vector());
  check_error(
      [] {
        (void)Tensor::zeros({2, 3}).contiguous(Layout::channels_last);
      },
      ErrorCode::invalid_argument, "needs four axes");
}

TEST_CASE("contents are overwritten in place", "[tensor]") {
  const Tensor x = Tensor::zeros({2, 2});
  const auto before = x.buffer().version();
  x.copy_from(Tensor::from({1, 2, 3, 4}, {2, 2}, {.dtype = DType::f16}));
  CHECK(x.to_vector() == Floats{1, 2, 3, 4});
  CHECK(x.buffer().version() > before);
  check_error([&] { x.copy_from(Tensor::zeros({4})); }, ErrorCode::invalid_argument, "source [4] does not fit [2,2]");
  check_error([&] { x.copy_from(Floats{1}); }, ErrorCode::invalid_argument, "1 values for shape [2,2]");
}

TEST_CASE("what does not fit is refused with its values", "[tensor][errors]") {
  const auto invalid = ErrorCode::invalid_argument;
  const Tensor x = counting({2, 3});
  check_error([] { Tensor::from({1, 2, 3}, {2}); }, invalid, "3 values for shape [2], which has 2");
  check_error([] { Tensor::empty({-1}); }, invalid, "shape [-1] has a negative extent");
  check_error([] { Tensor::empty({1LL << 40, 1LL << 40}); }, invalid, "more elements");
  check_error([&] { (void)x.reshape({4}); }, invalid, "reshape: [2,3] with 6 elements does not fit [4]");
  check_error([&] { (void)x.reshape({-1, -1}); }, invalid, "[-1,-1]");
  check_error([&] { (void)x.reshape({-1, 4}); }, invalid, "[-1,4]");
  check_error([&] { (void)x.rows(1, 3); }, invalid, "[1, 3) does not lie in the first axis of [2,3]");
  check_error([&] { (void)x.rows(-1, 1); }, invalid, "rows");
  check_error([&] { (void)x.flatten(1, 0); }, invalid, "start axis 1 comes after end axis 0");
  check_error([&] { (void)x.dim(2); }, invalid, "axis 2");
  check_error([] { (void)Tensor().shape(); }, invalid, "undefined");
  check_error([] { (void)Tensor().clone(); }, invalid, "undefined");
  check_error([&] { (void)x.to_ints(); }, invalid, "needs i32 or u8, got f32");
  check_error([] { Tensor::from_bytes(std::vector<std::byte>(5), {1}, DType::f32); }, invalid,
              "no whole number of f32");
  CHECK(Tensor().describe() == "undefined");
  CHECK(x.describe() == "f32[2,3] on " + x.device().label());
}

}  // namespace portico::test
