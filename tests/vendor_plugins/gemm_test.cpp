// The gemm slot: what it computes, in the contract's own words, and which algorithm it takes.
#include <bit>
#include <cmath>

#include "harness.hpp"

namespace portico::test {
namespace {

using Doubles = std::vector<double>;

// Storage of the tests' numbers, which f16 and bf16 hold exactly unless a gelu made them.
std::uint16_t narrow(double value, int32_t dtype) {
  if (dtype == PORTICO_BF16) return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(float(value)) >> 16);
  if (value == 0) return 0;
  int exponent = 0;
  const double mantissa = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  const auto steps = static_cast<int>(std::ldexp(mantissa, 11)) - 1024;
  return static_cast<std::uint16_t>((value < 0 ? 0x8000 : 0) | (exponent + 14) << 10 | steps);
}
double widen(std::uint16_t bits, int32_t dtype) {
  if (dtype == PORTICO_BF16) return std::bit_cast<float>(std::uint32_t{bits} << 16);
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double size = exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24);
  return bits & 0x8000 ? -size : size;
}

class Operand {
 public:
  Operand(portico_stream* stream, const Floats& values, int32_t dtype)
      : buffer_(make_buffer(values.size() * width(dtype))), count_(values.size()), dtype_(dtype) {
    std::vector<std::uint16_t> stored;
    for (const float value : values) stored.push_back(narrow(value, dtype));
    if (dtype == PORTICO_F32)
      write(stream, buffer_.get(), values);
    else
      ok(backend().write(stream, buffer_.get(), 0, stored.data(), 2 * stored.size()));
  }
  portico_arg arg(uint64_t first) const { return buffer_arg(buffer_.get(), first, width(dtype_)); }
  Doubles values(portico_stream* stream) const {
    if (dtype_ == PORTICO_F32) {
      const Floats floats = read(stream, buffer_.get(), count_);
      return {floats.begin(), floats.end()};
    }
    std::vector<std::uint16_t> stored(count_);
    ok(backend().read(stream, buffer_.get(), 0, stored.data(), 2 * count_));
    Doubles wide;
    for (const std::uint16_t bits : stored) wide.push_back(widen(bits, dtype_));
    return wide;
  }

 private:
  static uint32_t width(int32_t dtype) { return dtype == PORTICO_F32 ? 4 : 2; }

  Owned<portico_buffer> buffer_;
  std::size_t count_;
  int32_t dtype_;
};

struct GemmCase {
  uint32_t m, n, k, batch;
  bool trans_a, trans_b, bias;
  int32_t activation = PORTICO_ACT_NONE;
  float beta = 0.0f;
  uint32_t padding = 0;   // added to every leading dimension
  uint64_t odd = 0;       // elements that every operand starts behind the buffer
  bool repeat_b = false;  // all of the batch use one B
  int32_t dtype = PORTICO_F32;
  int32_t epilogue = PORTICO_EPILOGUE_FORWARD;
  bool aux = false;
};

double gelu(double x) { return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x))); }
double slope(double x) {
  constexpr double kStep = 1e-4;
  return (gelu(x + kStep) - gelu(x - kStep)) / (2 * kStep);
}

void check_near(const Doubles& actual, const Doubles& expected, double relative) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO("element " << i);
    REQUIRE(std::abs(actual[i] - expected[i]) <= relative * std::max(1.0, std::abs(expected[i])));
  }
}

// What this variant's library has no way to do.
bool declined(const GemmCase& c) {
  if (has_lt()) return !is_cuda() && c.aux && c.activation == PORTICO_ACT_RELU;
  return c.bias || c.aux || c.activation != PORTICO_ACT_NONE;
}

// The contract's own words, in row-major loops. Small whole numbers, so every order of summing gives the same.
void check_gemm(const GemmCase& c) {
  const bool gradient = c.epilogue == PORTICO_EPILOGUE_GRADIENT, sums = c.epilogue == PORTICO_EPILOGUE_ROW_SUMS;
  const bool relu = c.activation == PORTICO_ACT_RELU, has_gelu = c.activation == PORTICO_ACT_GELU_TANH;
  const uint32_t lda = (c.trans_a ? c.m : c.k) + c.padding, ldb = (c.trans_b ? c.k : c.n) + c.padding;
  const uint32_t ldc = c.n + c.padding, ld_aux = relu ? 128 : 8 * ((c.n + 7) / 8);
  const uint64_t stride_a = uint64_t{lda} * (c.trans_a ? c.k : c.m);
  const uint64_t one_b = uint64_t{ldb} * (c.trans_b ? c.n : c.k), stride_b = c.repeat_b ? 0 : one_b;
  const uint64_t stride_c = uint64_t{ldc} * c.m;
  const Floats a = numbers(c.odd + stride_a * c.batch, 7), b = numbers(c.odd + one_b * c.batch, 8);
  const Floats bias = numbers(c.odd + (sums ? c.m : c.n), 9), before = numbers(c.odd + stride_c * c.batch, 10);
  const float alpha = has_gelu ? 0.0625f : 2.0f;
  Floats given(ld_aux * c.m);  // a gradient's aux: what gelu was given; a mask is written by a first product
  for (std::size_t i = 0; i < given.size(); ++i) given[i] = 0.125f * static_cast<float>(i % 17) - 1.0f;

  const auto stream = make_stream();
  const Operand da(stream.get(), a, c.dtype), db(stream.get(), b, c.dtype), dbias(stream.get(), bias, c.dtype);
  const Operand dc(stream.get(), before, c.dtype), daux(stream.get(), given, c.dtype);
  portico_gemm call{.struct_size = sizeof(portico_gemm),
                    .dtype = c.dtype,
                    .trans_a = c.trans_a,
                    .trans_b = c.trans_b,
                    .m = c.m,
                    .n = c.n,
                    .k = c.k,
                    .batch = c.batch,
                    .lda = lda,
                    .ldb = ldb,
                    .ldc = ldc,
                    .stride_a = stride_a,
                    .stride_b = stride_b,
                    .stride_c = stride_c,
                    .alpha = alpha,
                    .beta = c.beta,
                    .a = da.arg(c.odd),
                    .b = db.arg(c.odd),
                    .c = dc.arg(c.odd),
                    .bias = c.bias ? dbias.arg(c.odd) : buffer_arg(nullptr, 0),
                    .activation = c.activation,
                    .precision = PORTICO_PRECISION_STRICT,
                    .epilogue = c.epilogue,
                    .ld_aux = c.aux ? ld_aux : 0,
                    .aux = c.aux ? daux.arg(0) : buffer_arg(nullptr, 0),
                    .scratch = nullptr,
                    .scratch_context = nullptr};
  Lender lender(call);
  const Doubles held = dc.values(stream.get());
  if (declined(c)) {
    CHECK(backend().gemm(stream.get(), &call) == PORTICO_UNSUPPORTED);
    CHECK(dc.values(stream.get()) == held);
    return;
  }

  Doubles expected = held, kept(given.begin(), given.end());
  Doubles collected(sums ? c.m : c.n, 0.0);
  std::vector<bool> passed(std::size_t{c.m} * c.n);
  if (gradient && relu) {  // the mask that the gradient reads is what an earlier product with the same operands wrote
    portico_gemm first = call;
    first.epilogue = PORTICO_EPILOGUE_FORWARD;
    first.bias = buffer_arg(nullptr, 0);
    ok(backend().gemm(stream.get(), &first));
    ok(backend().stream_synchronize(stream.get()));
  }
  for (uint32_t i = 0; i < c.batch; ++i)
    for (uint32_t row = 0; row < c.m; ++row)
      for (uint32_t col = 0; col < c.n; ++col) {
        double sum = 0;
        for (uint32_t p = 0; p < c.k; ++p)
          sum += double{a[c.odd + i * stride_a + (c.trans_a ? p * lda + row : row * lda + p)]} *
                 b[c.odd + i * stride_b + (c.trans_b ? col * ldb + p : p * ldb + col)];
        double& out = expected[c.odd + i * stride_c + row * ldc + col];
        double value = alpha * sum + c.beta * out;
        if (gradient) {
          value *= relu ? (value > 0 ? 1.0 : 0.0) : slope(given[row * ld_aux + col]);
          collected[col] += value;
        } else if (!sums) {
          value += c.bias ? double{bias[c.odd + col]} : 0.0;
          if (c.aux && has_gelu) kept[row * ld_aux + col] = value;
          value = relu ? std::max(value, 0.0) : has_gelu ? gelu(value) : value;
        }
        out = value;
      }
  if (sums)
    for (uint32_t row = 0; row < c.m; ++row)
      for (uint32_t p = 0; p < c.k; ++p) collected[row] += a[c.odd + (c.trans_a ? p * lda + row : row * lda + p)];

  ok(backend().gemm(stream.get(), &call));
  const double relative = has_gelu ? (c.dtype == PORTICO_F32 ? 1e-5 : c.dtype == PORTICO_F16 ? 2e-3 : 1e-2) : 0.0;
  check_near(dc.values(stream.get()), expected, relative);
  if (c.aux && !relu) check_near(daux.values(stream.get()), kept, relative);
  if (gradient || sums) {
    Doubles found = dbias.values(stream.get());
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(c.odd));
    if (c.bias) check_near(found, collected, relative);
  }
}

portico_gemm square(portico_buffer* a, portico_buffer* c, uint32_t size) {
  return {.struct_size = sizeof(portico_gemm),
          .dtype = PORTICO_F32,
          .trans_a = 0,
          .trans_b = 0,
          .m = size,
          .n = size,
          .k = size,
          .batch = 1,
          .lda = size,
          .ldb = size,
          .ldc = size,
          .stride_a = 0,
          .stride_b = 0,
          .stride_c = 0,
          .alpha = 1.0f,
          .beta = 0.0f,
          .a = buffer_arg(a, 0),
          .b = buffer_arg(a, 0),
          .c = buffer_arg(c, 0),
          .bias = buffer_arg(nullptr, 0),
          .activation = PORTICO_ACT_NONE,
          .precision = PORTICO_PRECISION_STRICT,
          .epilogue = PORTICO_EPILOGUE_FORWARD,
          .ld_aux = 0,
          .aux = buffer_arg(nullptr, 0),
          .scratch = nullptr,
          .scratch_context = nullptr};
}

using Products = StandIn::Products;
Products products() { return stand_in().products(); }
bool measures() { return std::string(variable("PORTICO_MEASURE")) != "0"; }

// One product of this size on a stream of its own, with scratch memory unless told otherwise; while the stream captures
// and by a replay where asked for. How many products the library saw, and the last one's algorithm.
Products multiply(uint32_t size, bool scratch = true, bool captured = false) {
  const auto stream = make_stream();
  const auto a = make_buffer(4 * size * size), c = make_buffer(4 * size * size);
  write(stream.get(), a.get(), Floats(size * size, 1.0f));
  portico_gemm call = square(a.get(), c.get(), size);
  Lender lender(call);
  if (!scratch) call.scratch = nullptr;
  const std::uint64_t before = products().count;
  if (captured) ok(backend().capture_begin(stream.get()));
  ok(backend().gemm(stream.get(), &call));
  if (captured) {
    portico_graph* graph = nullptr;
    ok(backend().capture_end(stream.get(), &graph));
    const Owned<portico_graph> owned(graph, backend().graph_destroy);
    ok(backend().graph_launch(stream.get(), graph));
  }
  CHECK(read(stream.get(), c.get(), size * size) == Floats(size * size, static_cast<float>(size)));
  Products now = products();
  now.count -= before;
  return now;
}

}  // namespace

TEST_CASE("gemm means the same as the contract's words") {
  const bool trans_a = GENERATE(false, true), trans_b = GENERATE(false, true);
  const int32_t relu = PORTICO_ACT_RELU, none = PORTICO_ACT_NONE;
  check_gemm({5, 7, 3, 1, trans_a, trans_b, false});
  check_gemm({5, 7, 3, 1, trans_a, trans_b, true});
  check_gemm({4, 6, 8, 1, trans_a, trans_b, true, relu, 1.0f, 3, 1});
  check_gemm({3, 2, 9, 4, trans_a, trans_b, false, relu, 0.5f, 2, 5});
  check_gemm({3, 2, 9, 4, trans_a, trans_b, false, none, -1.0f, 0, 0, true});
  check_gemm({1, 1, 1, 1, trans_a, trans_b, false, none, 0.0f, 0, 3});
  check_gemm({4, 6, 8, 1, trans_a, trans_b, true, PORTICO_ACT_GELU_TANH, 0.5f, 3, 1});
}

TEST_CASE("gemm of half types") {
  const int32_t dtype = GENERATE(PORTICO_F16, PORTICO_BF16), gelu_tanh = PORTICO_ACT_GELU_TANH;
  check_gemm({.m = 2, .n = 3, .k = 2, .batch = 1, .trans_a = false, .trans_b = true, .bias = false, .dtype = dtype});
  check_gemm({2, 3, 1, 3, true, false, true, PORTICO_ACT_RELU, 0.0f, 1, 2, false, dtype});
  check_gemm({4, 9, 8, 1, false, true, true, gelu_tanh, 0.0f, 0, 0, false, dtype, PORTICO_EPILOGUE_FORWARD, true});
}

TEST_CASE("gemm's epilogues for training") {
  const bool bias = GENERATE(false, true);
  const int32_t activation = GENERATE(PORTICO_ACT_RELU, PORTICO_ACT_GELU_TANH);
  GemmCase c{.m = 5, .n = 9, .k = 6, .batch = 1, .trans_a = false, .trans_b = true, .bias = bias};
  c.padding = 2;
  c.activation = activation;
  c.aux = true;
  check_gemm(c);
  c.epilogue = PORTICO_EPILOGUE_GRADIENT;
  check_gemm(c);
  c = {.m = 5, .n = 9, .k = 6, .batch = 1, .trans_a = bias, .trans_b = false, .bias = true};
  c.odd = 3;
  c.epilogue = PORTICO_EPILOGUE_ROW_SUMS;
  check_gemm(c);
}

TEST_CASE("gemm declines what no library does") {
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64), c = make_buffer(4 * 64);
  write(stream.get(), a.get(), Floats(64, 1.0f));
  const auto status_of = [&](auto change) {
    portico_gemm call = square(a.get(), c.get(), 4);
    change(call);
    Lender lender(call);
    return backend().gemm(stream.get(), &call);
  };
  CHECK(status_of([](portico_gemm&) {}) == PORTICO_OK);
  CHECK(status_of([](portico_gemm& call) { call.activation = PORTICO_ACT_GELU; }) == PORTICO_UNSUPPORTED);
  CHECK(status_of([](portico_gemm& call) { call.dtype = PORTICO_I32; }) == PORTICO_UNSUPPORTED);
  CHECK(status_of([](portico_gemm& call) { call.m = 1u << 31; }) == PORTICO_UNSUPPORTED);
  // A mask's rows are multiples of 128 bits, a gelu's of 8 elements; neither goes with a batch.
  const auto keep = [&](portico_gemm& call, int32_t activation, uint32_t ld) {
    call.activation = activation;
    call.ld_aux = ld;
    call.aux = buffer_arg(a.get(), 0);
  };
  CHECK(status_of([&](portico_gemm& call) { keep(call, PORTICO_ACT_GELU_TANH, 12); }) == PORTICO_UNSUPPORTED);
  CHECK(status_of([&](portico_gemm& call) { keep(call, PORTICO_ACT_RELU, 64); }) == PORTICO_UNSUPPORTED);
  CHECK(status_of([&](portico_gemm& call) {
          keep(call, PORTICO_ACT_GELU_TANH, 8);
          call.batch = 2;
        }) == PORTICO_UNSUPPORTED);
}

TEST_CASE("one stream multiplies many shapes, each of them again") {
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64), c = make_buffer(4 * 64);
  write(stream.get(), a.get(), Floats(64, 1.0f));
  for (int round = 0; round < 2; ++round)
    for (uint32_t size = 1; size <= 8; ++size) {
      portico_gemm call = square(a.get(), c.get(), size);
      Lender lender(call);
      ok(backend().gemm(stream.get(), &call));
      CHECK(read(stream.get(), c.get(), size * size) == Floats(size * size, static_cast<float>(size)));
    }
}

TEST_CASE("one shape with another bias") {
  if (!has_lt()) return;
  const auto stream = make_stream();
  const auto a = make_buffer(256), c = make_buffer(256), first = make_buffer(256), second = make_buffer(256);
  write(stream.get(), a.get(), Floats(64, 1.0f));
  write(stream.get(), first.get(), Floats(64, 100.0f));
  write(stream.get(), second.get(), Floats(64, 200.0f));
  for (portico_buffer* bias : {first.get(), second.get(), first.get()}) {
    portico_gemm call = square(a.get(), c.get(), 2);
    call.bias = buffer_arg(bias, 0);
    Lender lender(call);
    ok(backend().gemm(stream.get(), &call));
    CHECK(read(stream.get(), c.get(), 4) == Floats(4, bias == first.get() ? 102.0f : 202.0f));
  }
}

// standin/lt offers 0 (3 ms), 1 (1 ms), 2 (does not work) and 3 (0.99 ms: the same within a measurement's error).
TEST_CASE("the fastest algorithm is measured once, for all streams, and remembered") {
  if (!has_lt()) return;
  g_memory = {};
  const Products first = multiply(17);
  CHECK(first.algorithm == (measures() ? 1 : 0));
  CHECK(first.count ==
        (measures() ? 3 * 4 + 1 : 1));  // three that work, once cold and three times timed; then the call
  CHECK(g_memory.entries.size() == (measures() ? 1 : 0));
  const Products second = multiply(17);  // on another stream
  CHECK(second.algorithm == first.algorithm);
  CHECK(second.count == 1);
}

TEST_CASE("what an earlier process found is taken while the library still offers it") {
  if (!has_lt() || !measures()) return;
  g_memory = {};
  multiply(18);
  REQUIRE(g_memory.entries.size() == 1);
  const auto& [key, found] = *g_memory.entries.begin();
  CHECK(key.find(is_cuda() ? "cuBLASLt 130000" : "hipBLASLt 1000") != std::string::npos);
  CHECK(key.find("stand-in") != std::string::npos);

  std::string other = found;  // algorithm 3, at bytes 6 and 7, and with no workspace
  const std::uint16_t third = 3;
  const std::uint32_t none = 0;
  std::memcpy(other.data() + 6, &third, 2);
  std::memcpy(other.data() + 8, &none, 4);
  g_memory.answer = other;
  const Products taken = multiply(19);
  CHECK(taken.algorithm == 3);
  CHECK(taken.count == 1);

  other[6] = 9;  // an algorithm that it does not offer
  g_memory.answer = other;
  CHECK(multiply(20).algorithm == 1);
  g_memory.answer = "short";
  CHECK(multiply(21).algorithm == 1);
  g_memory = {};
}

TEST_CASE("nothing is measured while a graph is captured, and the choice then made stays") {
  if (!has_lt()) return;
  g_memory = {};
  const Products during = multiply(22, true, true);
  CHECK(during.algorithm == 0);
  CHECK(during.count == 1);
  CHECK(multiply(22).algorithm == 0);
  CHECK(g_memory.entries.empty());
}

TEST_CASE("without scratch memory only algorithms that need none are taken") {
  if (!has_lt()) return;
  CHECK(multiply(23, false).algorithm == 3);
}

TEST_CASE("an algorithm that is refused when it runs gives way to the next") {
  if (!has_lt()) return;
  g_memory = {};
  CHECK(multiply(26, false, true).algorithm == 3);  // no scratch leaves the refused one and the one behind it
  g_memory = {};
}

TEST_CASE("scratch memory that is not to be had is out of memory, and a later call works") {
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64 * 64), c = make_buffer(4 * 64 * 64);
  write(stream.get(), a.get(), Floats(64 * 64, 1.0f));
  portico_gemm call = square(a.get(), c.get(), 24);
  Lender lender(call);
  lender.refuse = true;
  CHECK(backend().gemm(stream.get(), &call) == PORTICO_OUT_OF_MEMORY);
  lender.refuse = false;
  ok(backend().gemm(stream.get(), &call));
  CHECK(read(stream.get(), c.get(), 24 * 24) == Floats(24 * 24, 24.0f));
}

TEST_CASE("a library's failure is the call's") {
  if (!has_lt()) return;
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64 * 64), c = make_buffer(4 * 64 * 64);
  portico_gemm call = square(a.get(), c.get(), 25);
  Lender lender(call);
  fail_next("cublasLtMatmulAlgoGetHeuristic", "hipblasLtMatmulAlgoGetHeuristic", 13);
  CHECK(backend().gemm(stream.get(), &call) == PORTICO_INTERNAL);
  CHECK(t_message.find("status 13") != std::string::npos);
  ok(backend().gemm(stream.get(), &call));
}

TEST_CASE("precision is what the library is allowed") {
  if (!has_lt()) return;
  const auto stream = make_stream();
  const auto a = make_buffer(4 * 64), c = make_buffer(4 * 64);
  const int expected[] = {is_cuda() ? 68 : 2, is_cuda() ? 77 : 6, is_cuda() ? 75 : 5};
  for (const int32_t precision : {PORTICO_PRECISION_TF32, PORTICO_PRECISION_BF16, PORTICO_PRECISION_STRICT}) {
    portico_gemm call = square(a.get(), c.get(), 6);
    call.precision = precision;
    Lender lender(call);
    ok(backend().gemm(stream.get(), &call));
    CHECK(products().compute == expected[precision]);
  }
  portico_gemm call = square(a.get(), c.get(), 6);  // of f32 operands only: a half's product is as it is
  call.dtype = PORTICO_BF16;
  for (portico_arg* arg : {&call.a, &call.b, &call.c}) arg->size = 2;
  call.precision = PORTICO_PRECISION_TF32;
  Lender lender(call);
  ok(backend().gemm(stream.get(), &call));
  CHECK(products().compute == expected[PORTICO_PRECISION_STRICT]);
}

}  // namespace portico::test
