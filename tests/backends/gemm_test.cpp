// The gemm slot against a product in double.
#include <cmath>
#include <cstdlib>

#include "plugin.hpp"

namespace portico::test {
namespace {

struct Gemm {
  uint32_t m, n, k, batch;
  bool trans_a, trans_b;
  float alpha, beta;
};

float value_at(uint32_t seed, size_t i) { return static_cast<float>((i * 7 + seed * 13) % 17) / 8.0f - 1.0f; }

// Row major, in double; the leading dimensions are 3 larger than they need be.
void check_gemm(const Gemm& g) {
  const uint32_t lda = (g.trans_a ? g.m : g.k) + 3, ldb = (g.trans_b ? g.k : g.n) + 3, ldc = g.n + 3;
  const uint64_t size_a = uint64_t{lda} * (g.trans_a ? g.k : g.m), size_b = uint64_t{ldb} * (g.trans_b ? g.n : g.k);
  const uint64_t size_c = uint64_t{ldc} * g.m;
  const size_t first = 5;
  Floats a(first + g.batch * size_a), b(first + size_b), c(first + g.batch * size_c);
  for (size_t i = 0; i < a.size(); ++i) a[i] = value_at(1, i);
  for (size_t i = 0; i < b.size(); ++i) b[i] = value_at(2, i);
  // Where beta is zero, C is output only: what the memory held before must not matter, not even a NaN.
  for (size_t i = 0; i < c.size(); ++i) c[i] = g.beta == 0.0f ? std::nanf("") : value_at(3, i);

  const auto stream = make_stream();
  const auto da = make_buffer(a.size() * 4), db = make_buffer(b.size() * 4), dc = make_buffer(c.size() * 4);
  write(stream.get(), da.get(), a);
  write(stream.get(), db.get(), b);
  write(stream.get(), dc.get(), c);
  portico_gemm call{};
  call.struct_size = sizeof call;
  call.dtype = PORTICO_F32;
  call.trans_a = g.trans_a;
  call.trans_b = g.trans_b;
  call.m = g.m;
  call.n = g.n;
  call.k = g.k;
  call.batch = g.batch;
  call.lda = lda;
  call.ldb = ldb;
  call.ldc = ldc;
  call.stride_a = size_a;
  call.stride_b = 0;
  call.stride_c = size_c;
  call.alpha = g.alpha;
  call.beta = g.beta;
  call.a = buffer_arg(da.get(), first);
  call.b = buffer_arg(db.get(), first);
  call.c = buffer_arg(dc.get(), first);
  Lender lender;
  call.scratch = Lender::lend;
  call.scratch_context = &lender;
  ok(backend().gemm(stream.get(), &call));
  if (std::getenv("TEST_BORROWS")) CHECK(!lender.lent.empty());
  const Floats got = read(stream.get(), dc.get(), c.size());

  Floats expected = c;
  for (uint32_t s = 0; s < g.batch; ++s)
    for (uint32_t i = 0; i < g.m; ++i)
      for (uint32_t j = 0; j < g.n; ++j) {
        double sum = 0.0;
        for (uint32_t p = 0; p < g.k; ++p)
          sum += double{a[first + s * size_a + (g.trans_a ? p * lda + i : i * lda + p)]} *
                 double{b[first + (g.trans_b ? j * ldb + p : p * ldb + j)]};
        float& at = expected[first + s * size_c + i * ldc + j];
        at = static_cast<float>(g.alpha * sum + (g.beta == 0.0f ? 0.0 : g.beta * at));
      }
  int wrong = 0;
  for (size_t i = 0; i < c.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(got[i])) continue;  // between the rows, and before the first
    const bool close = std::abs(double{got[i]} - double{expected[i]}) <= 1e-6 * (g.k + 1);  // false for a NaN
    wrong += !close;
  }
  CHECK(wrong == 0);
}

TEST_CASE("the gemm slot multiplies, or declines", "[plugin][gemm]") {
  portico_device_info info{};
  info.struct_size = sizeof info;
  ok(backend().device_describe(0, &info));
  if (!(info.features & PORTICO_FEATURE_GEMM)) {
    REQUIRE(std::getenv("PORTICO_CLBLAST_ON_CPU") == nullptr);  // asked for, so it must be there
    if (!backend().gemm) return;
    const auto stream = make_stream();
    portico_gemm call{};
    call.struct_size = sizeof call;
    CHECK(backend().gemm(stream.get(), &call) == PORTICO_UNSUPPORTED);
    return;
  }
  const auto flag_a = GENERATE(false, true), flag_b = GENERATE(false, true);
  check_gemm({5, 7, 9, 1, flag_a, flag_b, 1.0f, 0.0f});
  check_gemm({33, 17, 40, 1, flag_a, flag_b, 0.5f, 2.0f});
  check_gemm({8, 6, 4, 3, flag_a, flag_b, 1.0f, 1.0f});
}

}  // namespace
}  // namespace portico::test
