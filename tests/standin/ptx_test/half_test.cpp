// f16 and bf16: every value there and back, arithmetic against exact sums rounded once.
#include <bit>
#include <cmath>

#include "harness.hpp"

using namespace portico::standin::test;

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;

// The nearest value of a format with so many digits, ties to even, from a list of all its values: slow and obvious.
struct Format {
  int exponent_bits, mantissa_bits;
  double value(u16 h) const {
    const int exponent = h >> mantissa_bits & ((1 << exponent_bits) - 1), bias = (1 << (exponent_bits - 1)) - 1;
    const int mantissa = h & ((1 << mantissa_bits) - 1);
    const double sign = h & 0x8000 ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1) return mantissa ? NAN : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  }
  u16 infinity() const { return static_cast<u16>(((1 << exponent_bits) - 1) << mantissa_bits); }
  u16 nearest(long double v) const {
    if (std::isnan(v)) return 0x7fff;
    const u16 sign = std::signbit(v) ? 0x8000 : 0;
    const long double size = std::fabs(v);
    u16 low = 0, high = infinity();  // low <= size < high
    const long double past = 2 * static_cast<long double>(value(high - 1)) - value(high - 2);
    if (size >= past) return sign | high;
    while (high - low > 1) {
      const u16 middle = static_cast<u16>((low + high) / 2);
      (static_cast<long double>(value(middle)) <= size ? low : high) = middle;
    }
    const long double below = size - value(low),
                      above = (high == infinity() ? past : static_cast<long double>(value(high))) - size;
    return sign | (below < above || (below == above && low % 2 == 0) ? low : high);
  }
};
constexpr Format kHalf{5, 10}, kBrain{8, 7};

std::string per_thread(const std::string& text, int in_bytes, int out_bytes) {
  return kernel_text("mul.wide.u32 %rd4, %r1, " + std::to_string(in_bytes) +
                     "; add.s64 %rd5, %rd1, %rd4; mul.wide.u32 %rd4, %r1, " + std::to_string(out_bytes) +
                     "; add.s64 %rd6, %rd2, %rd4;\n" + text);
}

}  // namespace

TEST_CASE("every half and every bf16 becomes the right float, and comes back") {
  with_each_variant([] {
    for (const auto& [name, format] : {std::pair<std::string, Format>{"f16", kHalf}, {"bf16", kBrain}}) {
      std::vector<u16> all(65536);
      for (u32 i = 0; i < 65536; ++i) all[i] = static_cast<u16>(i);
      Bench bench;
      bench.x = bench.buffer(all);
      bench.y = bench.buffer(65536 * 8);
      bench.run(per_thread("ld.global.b16 %h1, [%rd5]; cvt.f32." + name + " %f1, %h1; cvt.rn." + name +
                               ".f32 %h2, %f1; mov.b32 %r2, {%h2, %h2};\n" +
                               "st.global.f32 [%rd6], %f1; st.global.b32 [%rd6+4], %r2;",
                           2, 8),
                64, 1024);
      const std::vector<u32> y = bench.read<u32>(bench.y, 65536 * 2);
      int wrong = 0;
      for (u32 i = 0; i < 65536; ++i) {
        const double wanted = format.value(static_cast<u16>(i));
        const float got = std::bit_cast<float>(y[2 * i]);
        const u16 back = static_cast<u16>(std::isnan(wanted) ? 0x7fff : i);
        wrong += !(std::isnan(wanted) ? std::isnan(got) : static_cast<double>(got) == wanted) ||
                 (y[2 * i + 1] & 0xffff) != back;
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("arithmetic on halves is rounded once") {
  with_each_variant([] {
    constexpr std::size_t kCount = 4096;
    std::mt19937 random(7);
    for (const auto& [name, format] : {std::pair<std::string, Format>{"f16", kHalf}, {"bf16", kBrain}}) {
      std::vector<u16> x(4 * kCount);
      for (u16& v : x) {
        v = static_cast<u16>(random());
        if (random() % 2)
          v = static_cast<u16>((v & 0x83ff) | (name == "f16" ? 0x3c00 : 0x3f80));  // near one: many ties
      }
      Bench bench;
      bench.x = bench.buffer(x);
      bench.y = bench.buffer(kCount * 8);
      const std::string add = name == "f16" ? "add.rn.f16 %h4, %h1, %h2;\n" : "add.rn.bf16 %h4, %h1, %h2;\n";
      bench.run(
          per_thread(
              "ld.global.v4.b16 {%h1, %h2, %h3, _}, [%rd5];\n" + add + "mul." + name + " %h5, %h1, %h2;\n fma.rn." +
                  name + " %h6, %h1, %h2, %h3; mov.b32 %r2, {%h1, %h2}; mov.b32 %r3, {%h2, %h3}; sub." + name +
                  "x2 %r4, %r2, %r3;\n" + "mov.b32 {%h7, %h8}, %r4; st.global.v4.b16 [%rd6], {%h4, %h5, %h6, %h8};",
              8, 8),
          16, 256);
      const std::vector<u16> y = bench.read<u16>(bench.y, 4 * kCount);
      int wrong = 0;
      for (std::size_t i = 0; i < kCount; ++i) {
        const long double a = format.value(x[4 * i]), b = format.value(x[4 * i + 1]), c = format.value(x[4 * i + 2]);
        // 64 digits: exact for what is near, and far apart the small one cannot matter... it can for ties: those are
        // told apart by the exact sum of the parts, which the format's own range keeps within 64 digits here.
        wrong += y[4 * i] != format.nearest(a + b) && !std::isnan(a + b);
        wrong += y[4 * i + 1] != format.nearest(a * b) && !std::isnan(a * b);
        wrong += name == "f16" && y[4 * i + 2] != format.nearest(a * b + c) && !std::isnan(a * b + c);
        wrong += y[4 * i + 3] != format.nearest(b - c) && !std::isnan(b - c);
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("floats are rounded to halves in every direction, and packed") {
  Bench bench;
  const std::vector<float> x = {1.0f + 0x1p-11f, -1.0f - 0x1p-11f, 1.0f + 0x1.8p-10f, 70000.0f,
                                -70000.0f,       0x1p-25f,         -0x1p-25f,         65519.0f};
  bench.x = bench.buffer(x);
  bench.y = bench.buffer(8 * 16);
  bench.run(
      per_thread(
          "ld.global.f32 %f1, [%rd5]; cvt.rz.f16.f32 %h1, %f1; cvt.rm.f16.f32 %h2, %f1; cvt.rp.f16.f32 %h3, %f1;\n"
          "cvt.rn.f16.f32 %h4, %f1; mov.f32 %f2, 0f40000000; cvt.rn.f16x2.f32 %r2, %f2, %f1; cvt.rn.relu.f16.f32 %h5, "
          "%f1; mov.b32 %r3, {%h5, %h5};\n"
          "st.global.v4.b16 [%rd6], {%h1, %h2, %h3, %h4}; st.global.v2.b32 [%rd6+8], {%r2, %r3};",
          4, 16),
      1, 8);
  const std::vector<u16> y = bench.read<u16>(bench.y, 64);
  const u16 wanted[8][4] = {{0x3c00, 0x3c00, 0x3c01, 0x3c00}, {0xbc00, 0xbc01, 0xbc00, 0xbc00},
                            {0x3c01, 0x3c01, 0x3c02, 0x3c02}, {0x7bff, 0x7bff, 0x7c00, 0x7c00},
                            {0xfbff, 0xfc00, 0xfbff, 0xfc00}, {0, 0, 1, 0},
                            {0x8000, 0x8001, 0x8000, 0x8000}, {0x7bff, 0x7bff, 0x7c00, 0x7bff}};
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    for (int k = 0; k < 4; ++k) CHECK(y[8 * i + k] == wanted[i][k]);
    CHECK(y[8 * i + 4] == wanted[i][3]);
    CHECK(y[8 * i + 5] == 0x4000);
    CHECK(y[8 * i + 6] == (wanted[i][3] & 0x8000 ? 0 : wanted[i][3]));
  }
}

TEST_CASE("fma of bf16 sees what lies far below a tie") {
  with_each_variant([] {
    // (1 + 2^-7) * 1.5 and (1 + 2^-6) * 1.25 lie between two bf16 values; 2^-100 decides, which no double holds beside
    // them.
    Bench bench;
    const std::vector<u16> x = {0x3f81, 0x3fc0, 0x8d80, 0, 0x3f81, 0x3fc0, 0, 0,
                                0x3f82, 0x3fa0, 0x0d80, 0, 0x3f82, 0x3fa0, 0, 0};
    bench.x = bench.buffer(x);
    bench.y = bench.buffer(8);
    bench.run(
        per_thread(
            "ld.global.v4.b16 {%h1, %h2, %h3, _}, [%rd5]; fma.rn.bf16 %h4, %h1, %h2, %h3; st.global.b16 [%rd6], %h4;",
            8, 2),
        1, 4);
    CHECK(bench.read<u16>(bench.y, 4) == std::vector<u16>{0x3fc1, 0x3fc2, 0x3fa3, 0x3fa2});
  });
}
