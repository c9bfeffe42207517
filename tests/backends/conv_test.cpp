// The conv slot against sums in double.
#include <bit>
#include <cmath>
#include <cstdlib>

#include "plugin.hpp"

namespace portico::test {
namespace {

struct Conv {
  uint32_t n, c, h, w, k, r, s, groups = 1;
  uint32_t stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
  uint32_t p(int axis) const {
    const uint32_t in = axis == 0 ? h : w, filter = axis == 0 ? r : s;
    return (in + 2 * padding[axis] - dilation[axis] * (filter - 1) - 1) / stride[axis] + 1;
  }
};

const std::vector<Conv> kConvs = {
    {2, 3, 7, 6, 5, 3, 3},
    {1, 8, 5, 5, 16, 1, 1},
    {2, 4, 9, 8, 6, 3, 2, 2, {2, 1}, {1, 0}},
    {1, 6, 6, 6, 6, 3, 3, 6, {1, 1}, {1, 1}},
    {1, 4, 9, 9, 4, 3, 3, 1, {2, 2}, {2, 2}, {2, 2}},
};

bool has_conv() {
  portico_device_info info{};
  info.struct_size = sizeof info;
  ok(backend().device_describe(0, &info));
  const bool found = backend().conv != nullptr && (info.features & PORTICO_FEATURE_CONV) != 0;
  for (const char* variable : {"PORTICO_CUDNN", "PORTICO_MIOPEN"})
    if (const char* given = std::getenv(variable); given && *given) REQUIRE(found);  // asked for, so it must be there
  return found;
}

// Steps of an eighth: every product and sum of these is exact in f32, and the factors in f16 and bf16.
float value_at(uint32_t seed, size_t i) { return static_cast<float>((i * 7 + seed * 13) % 17) / 8.0f - 1.0f; }
Floats values(size_t count, uint32_t seed) {
  Floats all(count);
  for (size_t i = 0; i < count; ++i) all[i] = value_at(seed, i);
  return all;
}

uint32_t width(int32_t dtype) { return dtype == PORTICO_F32 ? 4 : 2; }
uint16_t narrow(float value, int32_t dtype) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (dtype == PORTICO_BF16) return static_cast<uint16_t>(bits >> 16);
  if (value == 0) return 0;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 | (bits >> 13 & 0x3ff));
}
float widen(uint16_t bits, int32_t dtype) {
  if (dtype == PORTICO_BF16) return std::bit_cast<float>(uint32_t{bits} << 16);
  const float size = (bits >> 10 & 31) ? std::ldexp(1024.0f + (bits & 1023), (bits >> 10 & 31) - 25)
                                       : std::ldexp(float(bits & 1023), -24);
  return bits & 0x8000 ? -size : size;
}

// Begins some elements into its buffer, as views do.
class Operand {
 public:
  Operand(portico_stream* stream, const Floats& contents, int32_t dtype, size_t first)
      : buffer_(make_buffer((first + contents.size()) * width(dtype))),
        count_(contents.size()),
        first_(first),
        dtype_(dtype) {
    if (dtype == PORTICO_F32) {
      write(stream, buffer_.get(), contents, first);
      return;
    }
    std::vector<uint16_t> stored;
    for (const float value : contents) stored.push_back(narrow(value, dtype));
    ok(backend().write(stream, buffer_.get(), first * 2, stored.data(), 2 * stored.size()));
  }
  portico_arg arg() const {
    portico_arg made{.kind = PORTICO_ARG_BUFFER, .size = width(dtype_), .offset = first_, .value = {}};
    made.value.buffer = buffer_.get();
    return made;
  }
  Floats get(portico_stream* stream) const {
    if (dtype_ == PORTICO_F32) return read(stream, buffer_.get(), count_, first_);
    std::vector<uint16_t> stored(count_);
    ok(backend().read(stream, buffer_.get(), first_ * 2, stored.data(), 2 * count_));
    Floats wide;
    for (const uint16_t bits : stored) wide.push_back(widen(bits, dtype_));
    return wide;
  }

 private:
  Owned<portico_buffer> buffer_;
  size_t count_, first_;
  int32_t dtype_;
};

// Visits every product: places in x, weight and y, channels last.
template <typename Visit>
void each_product(const Conv& v, Visit&& visit) {
  const uint32_t cg = v.c / v.groups, kg = v.k / v.groups;
  for (uint32_t n = 0; n < v.n; ++n)
    for (uint32_t p = 0; p < v.p(0); ++p)
      for (uint32_t q = 0; q < v.p(1); ++q)
        for (uint32_t k = 0; k < v.k; ++k)
          for (uint32_t r = 0; r < v.r; ++r)
            for (uint32_t s = 0; s < v.s; ++s)
              for (uint32_t c = 0; c < cg; ++c) {
                const int64_t row = int64_t{p} * v.stride[0] + r * v.dilation[0] - v.padding[0];
                const int64_t column = int64_t{q} * v.stride[1] + s * v.dilation[1] - v.padding[1];
                if (row < 0 || row >= v.h || column < 0 || column >= v.w) continue;
                visit(size_t(((n * v.h + row) * v.w + column) * v.c + k / kg * cg + c),
                      size_t(((k * v.r + r) * v.s + s) * cg + c), size_t(((n * v.p(0) + p) * v.p(1) + q) * v.k + k));
              }
}

struct Case {
  Conv conv;
  int32_t pass = PORTICO_CONV_FORWARD, dtype = PORTICO_F32, precision = PORTICO_PRECISION_STRICT;
  bool bias = false, relu = false, scratch = true;
  bool fine = false;  // factors of more bits than TF32 keeps
  size_t first = 0;
};

// Answers the slot's status; checks the result when it is OK.
portico_status run(const Case& one, double bound = 0) {
  const Conv& v = one.conv;
  const size_t sizes[] = {size_t{v.n} * v.c * v.h * v.w, size_t{v.k} * (v.c / v.groups) * v.r * v.s,
                          size_t{v.n} * v.k * v.p(0) * v.p(1)};
  const auto stream = make_stream();
  Floats contents[4];
  for (uint32_t i = 0; i < 3; ++i) contents[i] = values(sizes[i], i + 1);
  contents[3] = values(v.k, 4);
  if (one.fine)
    for (Floats& each : contents)
      for (float& value : each) value += value < 0 ? -0x1p-12f : 0x1p-12f;
  const int target = one.pass == PORTICO_CONV_FORWARD ? 2 : one.pass == PORTICO_CONV_INPUT_GRADIENT ? 0 : 1;
  std::vector<double> expected(sizes[target]);
  each_product(v, [&](size_t x, size_t w, size_t y) {
    const size_t at[] = {x, w, y};
    expected[at[target]] += double{contents[(target + 1) % 3][at[(target + 1) % 3]]} *
                            double{contents[(target + 2) % 3][at[(target + 2) % 3]]};
  });
  if (one.bias)
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += contents[3][i % v.k];
  if (one.relu)
    for (double& value : expected) value = std::max(value, 0.0);
  // What the result's memory held before must not matter, not even a NaN.
  for (float& value : contents[target]) value = std::nanf("");

  std::vector<Operand> operands;
  for (const Floats& each : contents) operands.emplace_back(stream.get(), each, one.dtype, one.first);
  Lender lender;
  portico_conv call{};
  call.struct_size = sizeof call;
  call.pass = one.pass;
  call.dtype = one.dtype;
  call.precision = one.precision;
  call.n = v.n, call.c = v.c, call.h = v.h, call.w = v.w, call.k = v.k, call.r = v.r, call.s = v.s;
  call.p = v.p(0), call.q = v.p(1), call.groups = v.groups;
  for (int i = 0; i < 2; ++i)
    call.stride[i] = v.stride[i], call.padding[i] = v.padding[i], call.dilation[i] = v.dilation[i];
  call.activation = one.relu ? PORTICO_ACT_RELU : PORTICO_ACT_NONE;
  call.x = operands[0].arg(), call.weight = operands[1].arg(), call.y = operands[2].arg();
  if (one.bias) call.bias = operands[3].arg();
  if (one.scratch) call.scratch = Lender::lend, call.scratch_context = &lender;

  const portico_status status = backend().conv(stream.get(), &call);
  if (status != PORTICO_OK) return status;
  const Floats got = operands[static_cast<size_t>(target)].get(stream.get());
  const double storage = one.dtype == PORTICO_F32 ? 1e-6 : one.dtype == PORTICO_F16 ? 0x1p-11 : 0x1p-8;
  int wrong = 0;
  for (size_t i = 0; i < got.size(); ++i)
    wrong += !(std::abs(got[i] - expected[i]) <= bound + storage * (1 + std::abs(expected[i])));
  CHECK(wrong == 0);
  // The same call, the same bits.
  for (int again = 0; again < 3; ++again) {
    ok(backend().conv(stream.get(), &call));
    CHECK(same(operands[static_cast<size_t>(target)].get(stream.get()), got));
  }
  return status;
}

}  // namespace

TEST_CASE("the conv slot computes every pass in every type, or declines", "[plugin][conv]") {
  if (!has_conv()) return;
  const int32_t pass = GENERATE(PORTICO_CONV_FORWARD, PORTICO_CONV_INPUT_GRADIENT, PORTICO_CONV_WEIGHT_GRADIENT);
  const int32_t dtype = GENERATE(PORTICO_F32, PORTICO_F16, PORTICO_BF16);
  CAPTURE(pass, dtype);
  for (const Conv& one : kConvs) ok(run({.conv = one, .pass = pass, .dtype = dtype}));
}

TEST_CASE("the conv slot adds bias and applies relu where its library can", "[plugin][conv]") {
  if (!has_conv()) return;
  const int32_t dtype = GENERATE(PORTICO_F32, PORTICO_F16, PORTICO_BF16);
  const bool bias = GENERATE(false, true), relu = GENERATE(false, true);
  CAPTURE(dtype, bias, relu);
  for (const Conv& one : kConvs) {
    const portico_status status = run({.conv = one, .dtype = dtype, .bias = bias, .relu = relu});
    const bool may_decline = backend_name() == "hip" || one.dilation[0] > 1;
    if ((bias || relu) && may_decline && status == PORTICO_UNSUPPORTED) continue;
    ok(status);
  }
}

TEST_CASE("the conv slot takes operands at odd places and calls without scratch memory", "[plugin][conv]") {
  if (!has_conv()) return;
  ok(run({.conv = kConvs[0], .first = 3}));
  ok(run({.conv = kConvs[0], .dtype = PORTICO_F16, .first = 1}));
  ok(run({.conv = kConvs[2], .scratch = false}));
}

TEST_CASE("the conv slot rounds factors only as far as it may", "[plugin][conv]") {
  if (!has_conv()) return;
  for (const int32_t pass : {PORTICO_CONV_FORWARD, PORTICO_CONV_INPUT_GRADIENT, PORTICO_CONV_WEIGHT_GRADIENT}) {
    ok(run({.conv = kConvs[0], .pass = pass, .fine = true}, 1e-5));
    ok(run({.conv = kConvs[0], .pass = pass, .precision = PORTICO_PRECISION_TF32, .fine = true}, 1e-1));
  }
}

TEST_CASE("a convolution library that will not do is declined with the reason", "[.][conv-reason]") {
  const char* const reason = std::getenv("TEST_CONV_REASON");
  REQUIRE(reason != nullptr);
  CHECK(run({.conv = kConvs[0]}) == PORTICO_UNSUPPORTED);
  CHECK(message_has(reason));
  CHECK(run({.conv = kConvs[0]}) == PORTICO_UNSUPPORTED);
  CHECK(message_has(reason));
}

TEST_CASE("the conv slot declines what it does not offer", "[plugin][conv]") {
  if (!has_conv()) return;
  CHECK(run({.conv = kConvs[0], .dtype = PORTICO_I32}) == PORTICO_UNSUPPORTED);
}

}  // namespace portico::test
