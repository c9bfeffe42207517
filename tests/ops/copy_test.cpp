// Copies, conversions and rearrangements.
#include <cmath>
#include <numeric>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

using Coordinates = std::vector<std::int64_t>;

// y[coordinates] = x[map(coordinates)]: the reference of everything that only moves elements.
OpCase moving_case(std::string name, Shape from, Shape to, std::function<Tensor(const Tensor&)> op,
                   std::function<Coordinates(Coordinates)> map) {
  return {.name = std::move(name) + from.to_string(),
          .inputs = {from},
          .op = [op](const auto& in) { return op(in[0]); },
          .reference =
              [=](const auto& in) {
                const auto strides = strides_of(from);
                const auto out = strides_of(to);
                Doubles y;
                for (std::int64_t i = 0; i < to.count(); ++i) {
                  Coordinates at;
                  for (int axis = 0; axis < to.rank(); ++axis)
                    at.push_back(i / out[static_cast<std::size_t>(axis)] % to[axis]);
                  const Coordinates source = map(at);
                  y.push_back(in[0][static_cast<std::size_t>(
                      std::inner_product(source.begin(), source.end(), strides.begin(), std::int64_t{0}))]);
                }
                return y;
              }};
}

OpCase permute_case(Shape from, std::vector<int> axes) {
  Shape to;
  std::string name = "permute";
  for (const int axis : axes) to.push_back(from[axis]), name += std::to_string(axis);
  return moving_case(
      name, from, to, [axes](const Tensor& x) { return permute(x, axes); },
      [axes](const Coordinates& at) {
        Coordinates source(at.size());
        for (std::size_t i = 0; i < axes.size(); ++i) source[static_cast<std::size_t>(axes[i])] = at[i];
        return source;
      });
}

OpCase slice_case(Shape from, int axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  Shape to = from;
  const std::int64_t first = begin < 0 ? begin + from[axis] : begin;
  const std::int64_t last = end < 0 ? end + from[axis] : std::min(end, from[axis]);
  to[axis] = std::max<std::int64_t>(0, (last - first + step - 1) / step);
  return moving_case(
      "slice", from, to, [=](const Tensor& x) { return slice(x, axis, begin, end, step); },
      [=](Coordinates at) {
        at[static_cast<std::size_t>(axis)] = first + step * at[static_cast<std::size_t>(axis)];
        return at;
      });
}

std::vector<OpCase> cases() {
  return {permute_case({}, {}),
          permute_case({7}, {0}),
          permute_case({3, 5}, {1, 0}),
          permute_case({33, 65}, {1, 0}),
          permute_case({128, 100}, {1, 0}),
          permute_case({2, 17, 31}, {0, 2, 1}),
          permute_case({3, 4, 5}, {2, 0, 1}),
          permute_case({2, 3, 40, 20}, {0, 2, 1, 3}),
          permute_case({2, 3, 40, 20}, {3, 2, 1, 0}),
          permute_case({5, 4, 3, 7}, {1, 3, 0, 2}),
          permute_case({2, 3, 2, 3, 2, 8}, {5, 3, 1, 4, 2, 0}),
          permute_case({1, 9, 1, 5}, {3, 2, 1, 0}),
          permute_case({0, 4}, {1, 0}),
          slice_case({10}, 0, 2, 7, 1),
          slice_case({10}, 0, -3, 100, 1),
          slice_case({40, 33}, 0, 1, 39, 3),
          slice_case({40, 33}, 1, 1, -1, 2),
          slice_case({4, 9, 17}, 1, 2, 8, 1),
          slice_case({4, 9, 17}, 1, 5, 2, 1),
          moving_case(
              "broadcast_to", {3, 1}, {2, 3, 21},
              [](const Tensor& x) {
                return broadcast_to(x, {2, 3, 21});
              },
              [](const Coordinates& at) {
                return Coordinates{at[1], 0};
              }),
          moving_case(
              "transpose", {2, 3, 4}, {2, 4, 3}, [](const Tensor& x) { return transpose(x); },
              [](const Coordinates& at) {
                return Coordinates{at[0], at[2], at[1]};
              })};
}

OpCase concat_case(std::vector<Shape> parts, int axis) {
  return {.name = "concat" + parts[0].to_string() + std::to_string(axis),
          .inputs = parts,
          .op = [axis](const auto& in) { return concat(in, axis); },
          .reference =
              [=](const auto& in) {
                const int at = axis < 0 ? axis + parts[0].rank() : axis;
                std::int64_t outer = 1;
                for (int i = 0; i < at; ++i) outer *= parts[0][i];
                Doubles y;
                for (std::int64_t o = 0; o < outer; ++o)
                  for (std::size_t p = 0; p < in.size(); ++p) {
                    const auto run = static_cast<std::int64_t>(in[p].size()) / std::max<std::int64_t>(outer, 1);
                    y.insert(y.end(), in[p].begin() + o * run, in[p].begin() + (o + 1) * run);
                  }
                return y;
              }};
}

std::vector<OpCase> concat_cases() {
  return {concat_case({{7}}, 0), concat_case({{5}, {0}, {33}}, 0), concat_case({{3, 4}, {3, 17}, {3, 1}}, -1),
          concat_case({{2, 3, 20}, {2, 5, 20}}, 1)};
}

const DType kAll[] = {DType::f32, DType::f16, DType::bf16, DType::i32, DType::u8};

}  // namespace

TEST_CASE("rearrangements agree with their index maps", "[copy]") {
  for (const OpCase& op : cases()) check_forward(op);
  for (const OpCase& op : concat_cases()) check_forward(op);
}

TEST_CASE("rearrangements in half types", "[copy]") {
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  for (const OpCase& op : {permute_case({33, 65}, {1, 0}), slice_case({40, 33}, 1, 1, -1, 2)}) check_forward(op, dtype);
  check_forward(concat_cases()[2], dtype);
}

TEST_CASE("rearrangements' gradients", "[copy][gradient]") {
  for (const OpCase& op : cases()) check_gradient(op, DType::f32, 16);
  for (const OpCase& op : concat_cases()) check_gradient(op);
}

TEST_CASE("every pair of types converts", "[copy]") {
  const std::int64_t count = GENERATE(0, 1, 33, 1000);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i % 200));
  for (const DType from : kAll)
    for (const DType to : kAll) {
      INFO(name_of(from) << " to " << name_of(to));
      const Tensor x = Tensor::from(values, {count}, {.dtype = from});
      CHECK(x.to(to).to_vector() == values);
      if (count > 1) CHECK(x.rows(1, count).to(to).to_vector() == std::vector<float>(values.begin() + 1, values.end()));
    }
}

TEST_CASE("conversions round to nearest even, and keep what is special", "[copy]") {
  std::vector<float> values = {1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, 1.0f + 0x1p-8f, 1.0f + 3 * 0x1p-8f, 65520.0f,
                               0x1p-25f,        -0x1.8p-25f,         INFINITY,       -INFINITY,          3.4e38f};
  for (int i = 0; i < 20; ++i) values.push_back(1.0f + 0.001f * static_cast<float>(i));
  const auto size = static_cast<std::int64_t>(values.size());
  const Tensor x = Tensor::from(values, {size});
  const std::vector<float> half = x.to(DType::f16).to_vector(), brain = x.to(DType::bf16).to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(half[i] == from_f16(to_f16(values[i])));
    CHECK(brain[i] == from_bf16(to_bf16(values[i])));
  }
  for (const DType dtype : {DType::f16, DType::bf16})
    CHECK(std::isnan(Tensor::from({NAN}, {1}).to(dtype).to(DType::f32).item()));
}

TEST_CASE("whole numbers are copied whole", "[copy]") {
  const std::vector<std::int32_t> values = {16777217, -16777219, 2147483647, -2147483647 - 1};
  const Tensor x = Tensor::from_ints(values, {2, 2});
  CHECK(x.clone().to_ints() == values);
  CHECK(transpose(x).to_ints() == std::vector<std::int32_t>{values[0], values[2], values[1], values[3]});
  CHECK(concat({x, x}, 0).rows(2, 4).to_ints() == values);
}

TEST_CASE("layouts convert both ways", "[copy]") {
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{1, 1, 3, 3}, Shape{2, 64, 14, 14}, Shape{3, 33, 1, 7},
                             Shape{2, 5, 1, 1}, Shape{0, 3, 4, 5}, Shape{2, 17, 6, 3}}) {
    INFO(shape.to_string());
    for (const DType dtype : {DType::f32, DType::bf16, DType::u8}) {
      std::vector<float> values;
      for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(static_cast<float>(i % 251));
      const Tensor x = Tensor::from(values, shape, {.dtype = dtype});
      const Tensor last = x.contiguous(Layout::channels_last);
      CHECK(last.layout() == Layout::channels_last);
      CHECK(last.to_vector() == values);
      // As it lies: N, H, W, C.
      std::vector<float> lying(values.size());
      std::size_t at = 0;
      for (std::int64_t n = 0; n < shape[0]; ++n)
        for (std::int64_t h = 0; h < shape[2]; ++h)
          for (std::int64_t w = 0; w < shape[3]; ++w)
            for (std::int64_t c = 0; c < shape[1]; ++c)
              lying[at++] = values[static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + h) * shape[3] + w)];
      CHECK(permute(x, {0, 2, 3, 1}).to_vector() == lying);
    }
  }
}

TEST_CASE("filling", "[copy]") {
  for (const DType dtype : kAll) {
    CHECK(Tensor::full({33}, 3.0f, {.dtype = dtype}).to_vector() == std::vector<float>(33, 3.0f));
    CHECK(Tensor::arange(100, {.dtype = dtype}).to_vector()[99] == 99.0f);
  }
  CHECK(Tensor::zeros({0}).to_vector().empty());
  const Tensor x = Tensor::zeros({40});
  x.rows(7, 9).fill(2.0f);
  CHECK(sum(x).item() == 4.0f);
  CHECK(x.to_vector()[7] == 2.0f);
  CHECK(Tensor::zeros_like(Tensor::ones({2, 3, 4, 5}).contiguous(Layout::channels_last)).layout() ==
        Layout::channels_last);
}

TEST_CASE("copy_from converts type and layout", "[copy]") {
  const Tensor x = Tensor::arange(120).reshape({2, 3, 4, 5});
  const Tensor y = Tensor::zeros({2, 3, 4, 5}, {.dtype = DType::f16}).contiguous(Layout::channels_last);
  y.copy_from(x);
  CHECK(y.to_vector() == x.to_vector());
  y.copy_from(x.contiguous(Layout::channels_last));
  CHECK(y.to_vector() == x.to_vector());
}

TEST_CASE("rearranging refuses what does not fit", "[copy][errors]") {
  const Tensor x = Tensor::zeros({2, 3});
  const auto bad = ErrorCode::invalid_argument;
  check_error([&] { permute(x, {0}); }, bad, "permute: 1 axes for x [2,3]");
  check_error([&] { permute(x, {0, 0}); }, bad, "permute: axis 0 is named twice");
  check_error([&] { permute(x, {0, 2}); }, bad, "permute");
  check_error([&] { transpose(x, 0, 5); }, bad, "transpose");
  check_error([&] { slice(x, 1, 0, 2, 0); }, bad, "slice: step 0");
  check_error([&] { slice(x, 2, 0, 2); }, bad, "slice");
  check_error([&] { concat(std::vector<Tensor>{}, 0); }, bad, "concat: no parts");
  check_error([&] { concat({x, Tensor::zeros({2, 4})}, 0); }, bad, "concat: part [2,4] does not fit [2,3]");
  check_error(
      [&] {
        concat({x, Tensor::zeros({2, 3}, {.dtype = DType::i32})}, 0);
      },
      bad, "concat: operands of two types");
  check_error([&] { concat({x, Tensor()}, 0); }, bad, "concat: a part is undefined");
  check_error([&] { broadcast_to(x, {3, 3}); }, bad, "broadcast_to");
  check_error([&] { broadcast_to(x, {3}); }, bad, "broadcast_to");
  check_error([&] { Tensor::arange(-1); }, bad, "arange: count -1");
  check_error([&] { Tensor::full({-1}, 0.0f); }, bad, "negative extent");
}

}  // namespace portico::test
