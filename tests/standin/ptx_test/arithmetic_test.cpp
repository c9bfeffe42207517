// Every arithmetic instruction against the same sum on the host: to the last bit, in full and in partly filled warps.
#include <bit>
#include <cfenv>
#include <cmath>
#include <functional>
#include <limits>

#include "harness.hpp"

using namespace portico::standin::test;

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using u128 = unsigned __int128;

float f(u64 v) { return std::bit_cast<float>(static_cast<u32>(v)); }
double d(u64 v) { return std::bit_cast<double>(v); }
u64 bits(float v) { return std::isnan(v) ? 0x7fffffff : std::bit_cast<u32>(v); }
u64 bits(double v) { return std::isnan(v) ? 0x7fffffffffffffff : std::bit_cast<u64>(v); }

struct Case {
  std::string text;  // d from a, b, c: %rd10, %rd11, %rd12 (and %r10.., %f10.., %fd10.., %h10..)
  char in, out;      // q: 64 bits, w: 32, f: float, d: double, h: 16 bits
  std::function<u64(u64, u64, u64)> expected;
};

std::vector<u64> inputs(char kind, unsigned seed, std::size_t count) {
  std::mt19937_64 random(seed);
  const std::vector<u64> edges = {0,
                                  1,
                                  2,
                                  31,
                                  32,
                                  33,
                                  63,
                                  64,
                                  255,
                                  0x7f,
                                  0x80,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  0xffffffffffffffff};
  const std::vector<float> floats = {0.0f,     -0.0f,     1.0f,    -1.0f,         0.5f,           1.5f,
                                     2.5f,     1e-40f,    -1e-40f, 1e38f,         3e38f,          -3e38f,
                                     INFINITY, -INFINITY, NAN,     2147483648.0f, -2147483648.0f, 4294967296.0f,
                                     65504.0f, 65520.0f,  6e-8f};
  std::vector<u64> values;
  for (std::size_t i = 0; i < count; ++i) {
    u64 v = random();
    if (kind == 'f') {
      const float value =
          i % 3 == 0 ? floats[v % floats.size()]
                     : std::ldexp(static_cast<float>(static_cast<s32>(v)), static_cast<int>(v >> 40) % 40 - 50);
      v = std::bit_cast<u32>(value);
    } else if (kind == 'd') {
      const double value = i % 3 == 0
                               ? static_cast<double>(floats[v % floats.size()])
                               : std::ldexp(static_cast<double>(static_cast<s64>(v)), static_cast<int>(v & 127) - 100);
      v = std::bit_cast<u64>(value);
    } else if (i % 2 == 0) {
      v = edges[v % edges.size()];
    }
    values.push_back(v);
  }
  return values;
}

std::string load_of(char kind, const std::string& number) {
  switch (kind) {
    case 'q':
      return "";
    case 'w':
      return "cvt.u32.u64 %r" + number + ", %rd" + number + ";\n";
    case 'h':
      return "cvt.u16.u64 %h" + number + ", %rd" + number + ";\n";
    case 'f':
      return "{ .reg .b32 t; cvt.u32.u64 t, %rd" + number + "; mov.b32 %f" + number + ", t; }\n";
    default:
      return "mov.b64 %fd" + number + ", %rd" + number + ";\n";
  }
}
std::string store_of(char kind) {
  switch (kind) {
    case 'q':
      return "mov.b64 %rd20, %rd5;\n";
    case 'w':
      return "cvt.u64.u32 %rd20, %r5;\n";
    case 'h':
      return "cvt.u64.u16 %rd20, %h5;\n";
    case 'f':
      return "{ .reg .b32 t; mov.b32 t, %f5; cvt.u64.u32 %rd20, t; }\n";
    default:
      return "mov.b64 %rd20, %fd5;\n";
  }
}

void check(const Case& c) {
  constexpr std::size_t kThreads = 32 * 14 + 7;
  const std::vector<u64> a = inputs(c.in, 1, kThreads), b = inputs(c.in, 2, kThreads),
                         third = inputs(c.in, 3, kThreads);
  std::vector<u64> all;
  for (std::size_t i = 0; i < kThreads; ++i) all.insert(all.end(), {a[i], b[i], third[i], 0});
  std::string body =
      "mul.wide.u32 %rd4, %r1, 32; add.s64 %rd4, %rd1, %rd4;\n"
      "ld.global.u64 %rd10, [%rd4]; ld.global.u64 %rd11, [%rd4+8]; ld.global.u64 %rd12, [%rd4+16];\n";
  for (const char* number : {"10", "11", "12"}) body += load_of(c.in, number);
  body += c.text + ";\n" + store_of(c.out) + "add.s64 %rd21, %rd2, %rd3; st.global.u64 [%rd21], %rd20;";
  INFO(c.text);
  Bench bench;
  bench.x = bench.buffer(all);
  bench.y = bench.buffer(kThreads * 8);
  bench.run(kernel_text(body), 1, kThreads);
  const std::vector<u64> got = bench.read<u64>(bench.y, kThreads);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kThreads; ++i) {
    const u64 wanted = c.expected(a[i], b[i], third[i]);
    if (got[i] == wanted || ++wrong > 3) continue;
    CAPTURE(i, a[i], b[i], third[i]);
    CHECK(got[i] == wanted);
  }
  CHECK(wrong == 0);
}

void check_all(const std::vector<Case>& cases) {
  with_each_variant([&] {
    for (const Case& c : cases) check(c);
  });
}

u32 w(u64 v) { return static_cast<u32>(v); }
s32 sw(u64 v) { return static_cast<s32>(v); }
s64 sq(u64 v) { return static_cast<s64>(v); }

// Directed rounding by the processor; volatile, so that nothing is computed elsewhere.
template <typename T>
T rounded(int mode, T (*operation)(T, T, T), T a, T b, T c) {
  volatile T x = a, y = b, z = c;
  std::fesetround(mode);
  volatile T r = operation(x, y, z);
  std::fesetround(FE_TONEAREST);
  return r;
}

}  // namespace

TEST_CASE("integers of 32 bits") {
  check_all({
      {"add.s32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(a) + w(b); }},
      {"sub.s32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(a) - w(b); }},
      {"add.sat.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) {
         return w(static_cast<u64>(std::clamp<s64>(s64{sw(a)} + sw(b), INT32_MIN, INT32_MAX)));
       }},
      {"mul.lo.s32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(a) * w(b); }},
      {"mul.hi.u32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return (u64{w(a)} * w(b)) >> 32; }},
      {"mul.hi.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) { return w(static_cast<u64>((s64{sw(a)} * sw(b)) >> 32)); }},
      {"mul.wide.s32 %rd5, %r10, %r11", 'w', 'q',
       [](u64 a, u64 b, u64) { return static_cast<u64>(s64{sw(a)} * sw(b)); }},
      {"mul.wide.u32 %rd5, %r10, %r11", 'w', 'q', [](u64 a, u64 b, u64) { return u64{w(a)} * w(b); }},
      {"mad.lo.s32 %r5, %r10, %r11, %r12", 'w', 'w', [](u64 a, u64 b, u64 c) { return w(w(a) * w(b) + w(c)); }},
      {"mad.hi.u32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w(((u64{w(a)} * w(b)) >> 32) + w(c)); }},
      {"mad.wide.u32 %rd5, %r10, %r11, %rd12", 'w', 'q', [](u64 a, u64 b, u64 c) { return u64{w(a)} * w(b) + c; }},
      {"mul24.lo.u32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w((a & 0xffffff) * (b & 0xffffff)); }},
      {"div.u32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(b) == 0 ? 0xffffffff : w(a) / w(b); }},
      {"div.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) { return w(b) == 0 ? 0xffffffff : w(static_cast<u64>(s64{sw(a)} / sw(b))); }},
      {"rem.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) { return w(b) == 0 ? w(a) : w(static_cast<u64>(s64{sw(a)} % sw(b))); }},
      {"min.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) { return w(static_cast<u32>(std::min(sw(a), sw(b)))); }},
      {"max.u32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return std::max(w(a), w(b)); }},
      {"abs.s32 %r5, %r10", 'w', 'w', [](u64 a, u64, u64) { return sw(a) < 0 ? w(0 - a) : w(a); }},
      {"neg.s32 %r5, %r10", 'w', 'w', [](u64 a, u64, u64) { return w(0 - a); }},
      {"sad.u32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w((w(a) < w(b) ? w(b) - w(a) : w(a) - w(b)) + w(c)); }},
      {"add.cc.u32 %r6, %r10, %r11; addc.u32 %r5, %r12, 7", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w(w(c) + 7 + ((u64{w(a)} + w(b)) >> 32)); }},
      {"sub.cc.u32 %r6, %r10, %r11; subc.u32 %r5, %r12, 7", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w(w(c) - 7 - (w(a) < w(b) ? 1 : 0)); }},
      {"mad.lo.cc.u32 %r6, %r10, %r11, %r12; madc.hi.u32 %r5, %r10, %r11, 0", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w((u64{w(a)} * w(b) + w(c)) >> 32); }},
      {"dp4a.s32.s32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) {
         u32 r = w(c);
         for (int i = 0; i < 32; i += 8)
           r += static_cast<u32>(static_cast<std::int8_t>(a >> i) * static_cast<std::int8_t>(b >> i));
         return u64{r};
       }},
      {"selp.b32 %r5, %r10, %r11, %p1", 'w', 'w', [](u64, u64 b, u64) { return w(b); }},
  });
}

TEST_CASE("bits") {
  check_all({
      {"and.b32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(a & b); }},
      {"or.b64 %rd5, %rd10, %rd11", 'q', 'q', [](u64 a, u64 b, u64) { return a | b; }},
      {"xor.b32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(a ^ b); }},
      {"not.b64 %rd5, %rd10", 'q', 'q', [](u64 a, u64, u64) { return ~a; }},
      {"cnot.b32 %r5, %r10", 'w', 'w', [](u64 a, u64, u64) { return w(a) == 0 ? 1 : 0; }},
      {"shl.b32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(b) > 31 ? 0 : w(a << w(b)); }},
      {"shr.u32 %r5, %r10, %r11", 'w', 'w', [](u64 a, u64 b, u64) { return w(b) > 31 ? 0 : w(a) >> w(b); }},
      {"shr.s32 %r5, %r10, %r11", 'w', 'w',
       [](u64 a, u64 b, u64) { return w(static_cast<u32>(sw(a) >> std::min(w(b), 31u))); }},
      {"shl.b64 %rd5, %rd10, %r11", 'q', 'q', [](u64 a, u64, u64) { return a; }},
      {"shr.s64 %rd5, %rd10, 7", 'q', 'q', [](u64 a, u64, u64) { return static_cast<u64>(sq(a) >> 7); }},
      {"shf.l.wrap.b32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w((((u64{w(b)} << 32 | w(a)) << (c & 31)) >> 32)); }},
      {"shf.r.wrap.b32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w((u64{w(b)} << 32 | w(a)) >> (c & 31)); }},
      {"shf.r.clamp.b32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) { return w(c) >= 32 ? w(b) : w((u64{w(b)} << 32 | w(a)) >> w(c)); }},
      {"lop3.b32 %r5, %r10, %r11, %r12, 0x96", 'w', 'w', [](u64 a, u64 b, u64 c) { return w(a ^ b ^ c); }},
      {"lop3.b32 %r5, %r10, %r11, %r12, 0xca", 'w', 'w', [](u64 a, u64 b, u64 c) { return w((a & b) | (~a & c)); }},
      {"popc.b64 %r5, %rd10", 'q', 'w', [](u64 a, u64, u64) { return static_cast<u64>(std::popcount(a)); }},
      {"clz.b32 %r5, %r10", 'w', 'w', [](u64 a, u64, u64) { return static_cast<u64>(std::countl_zero(w(a))); }},
      {"brev.b32 %r5, %r10", 'w', 'w',
       [](u64 a, u64, u64) {
         u32 r = 0;
         for (int i = 0; i < 32; ++i) r |= w(a >> i & 1) << (31 - i);
         return u64{r};
       }},
      {"bfind.u32 %r5, %r10", 'w', 'w',
       [](u64 a, u64, u64) { return w(a) == 0 ? 0xffffffff : static_cast<u64>(31 - std::countl_zero(w(a))); }},
      {"bfe.u32 %r5, %r10, %r11, %r12", 'w', 'w',
       [](u64 a, u64 b, u64 c) {
         const u64 p = b & 255, n = c & 255;
         return p > 31 || n == 0 ? 0 : w(w(a) >> p) & (n > 31 ? 0xffffffff : (u64{1} << n) - 1);
       }},
      {"bfe.s32 %r5, %r10, 4, 8", 'w', 'w',
       [](u64 a, u64, u64) { return w(static_cast<u32>(static_cast<s32>(static_cast<std::int8_t>(a >> 4)))); }},
      {"bfi.b32 %r5, %r10, %r11, 5, 9", 'w', 'w',
       [](u64 a, u64 b, u64) { return w((b & ~(0x1ffull << 5)) | ((a & 0x1ff) << 5)); }},
      {"prmt.b32 %r5, %r10, %r11, 0x5410", 'w', 'w', [](u64 a, u64 b, u64) { return w((a & 0xffff) | (b << 16)); }},
      {"prmt.b32 %r5, %r10, %r11, 0xba98", 'w', 'w',
       [](u64 a, u64, u64) {
         u32 r = 0;
         for (int i = 0; i < 32; i += 8) r |= (a >> (i + 7) & 1) ? 0xffu << i : 0;
         return u64{r};
       }},
      {"mul.lo.s64 %rd5, %rd10, %rd11", 'q', 'q', [](u64 a, u64 b, u64) { return a * b; }},
      {"mul.hi.u64 %rd5, %rd10, %rd11", 'q', 'q',
       [](u64 a, u64 b, u64) { return static_cast<u64>((static_cast<u128>(a) * b) >> 64); }},
      {"div.u64 %rd5, %rd10, %rd11", 'q', 'q', [](u64 a, u64 b, u64) { return b == 0 ? ~u64{0} : a / b; }},
      {"min.s64 %rd5, %rd10, %rd11", 'q', 'q',
       [](u64 a, u64 b, u64) { return static_cast<u64>(std::min(sq(a), sq(b))); }},
      {"mov.b64 {%r6, %r7}, %rd10; mov.b64 %rd5, {%r7, %r6}", 'q', 'q',
       [](u64 a, u64, u64) { return a << 32 | a >> 32; }},
      {"mov.b32 {%h6, %h7}, %r10; mov.b32 %r5, {%h7, %h6}", 'w', 'w',
       [](u64 a, u64, u64) { return w(a << 16 | w(a) >> 16); }},
      {"add.s16 %h5, %h10, %h11", 'h', 'h', [](u64 a, u64 b, u64) { return static_cast<u16>(a + b); }},
  });
}

TEST_CASE("floats are exact, in all roundings") {
  using F = float (*)(float, float, float);
  static const F add = [](float a, float b, float) { return a + b; };
  static const F fma = [](float a, float b, float c) { return std::fma(a, b, c); };
  static const F div = [](float a, float b, float) { return a / b; };
  static const F root = [](float a, float, float) { return std::sqrt(a); };
  const auto by = [](F operation, int mode) {
    return [=](u64 a, u64 b, u64 c) { return bits(rounded<float>(mode, operation, f(a), f(b), f(c))); };
  };
  std::vector<Case> cases = {
      {"add.f32 %f5, %f10, %f11", 'f', 'f', by(add, FE_TONEAREST)},
      {"sub.f32 %f5, %f10, %f11", 'f', 'f', [](u64 a, u64 b, u64) { return bits(f(a) - f(b)); }},
      {"mul.f32 %f5, %f10, %f11", 'f', 'f', [](u64 a, u64 b, u64) { return bits(f(a) * f(b)); }},
      {"neg.f32 %f5, %f10", 'f', 'f', [](u64 a, u64, u64) { return u64{w(a) ^ 0x80000000}; }},
      {"abs.f32 %f5, %f10", 'f', 'f', [](u64 a, u64, u64) { return u64{w(a) & 0x7fffffff}; }},
      {"min.f32 %f5, %f10, %f11", 'f', 'f',
       [](u64 a, u64 b, u64) {
         return bits(f(a) == 0 && f(b) == 0 ? (std::signbit(f(a)) ? f(a) : f(b)) : std::fmin(f(a), f(b)));
       }},
      {"max.NaN.f32 %f5, %f10, %f11", 'f', 'f',
       [](u64 a, u64 b, u64) {
         return bits(std::isnan(f(a) + 0 * f(b)) && (std::isnan(f(a)) || std::isnan(f(b))) ? NAN
                     : f(a) == 0 && f(b) == 0 ? (std::signbit(f(a)) ? f(b) : f(a))
                                              : std::fmax(f(a), f(b)));
       }},
      {"add.ftz.f32 %f5, %f10, %f11", 'f', 'f',
       [](u64 a, u64 b, u64) {
         const auto flush = [](float v) { return std::fpclassify(v) == FP_SUBNORMAL ? std::copysign(0.0f, v) : v; };
         return bits(flush(flush(f(a)) + flush(f(b))));
       }},
      {"add.sat.f32 %f5, %f10, %f11", 'f', 'f',
       [](u64 a, u64 b, u64) {
         const float v = f(a) + f(b);
         return bits(v > 0 ? std::min(v, 1.0f) : 0.0f);
       }},
      {"copysign.f32 %f5, %f10, %f11", 'f', 'f',
       [](u64 a, u64 b, u64) { return u64{(w(b) & 0x7fffffff) | (w(a) & 0x80000000)}; }},
      {"setp.ltu.f32 %p1, %f10, %f11; selp.b32 %r5, 1, 0, %p1", 'f', 'w',
       [](u64 a, u64 b, u64) { return u64{!(f(a) >= f(b))}; }},
      {"setp.ne.f32 %p1, %f10, %f11; selp.b32 %r5, 1, 0, %p1", 'f', 'w',
       [](u64 a, u64 b, u64) { return u64{f(a) < f(b) || f(a) > f(b)}; }},
      {"setp.lt.f32 %p2, %f10, %f12; setp.gt.and.f32 %p1|%p3, %f10, %f11, !%p2; selp.b32 %r5, 1, 0, %p1; @%p3 add.s32 "
       "%r5, %r5, 2",
       'f', 'w',
       [](u64 a, u64 b, u64 c) {
         const bool q = !(f(a) < f(c)), p = f(a) > f(b);
         return u64{p && q} + (!p && q ? 2 : 0);
       }},
      {"set.le.u32.f32 %r5, %f10, %f11", 'f', 'w',
       [](u64 a, u64 b, u64) { return f(a) <= f(b) ? u64{0xffffffff} : u64{0}; }},
      {"testp.subnormal.f32 %p1, %f10; selp.b32 %r5, 1, 0, %p1", 'f', 'w',
       [](u64 a, u64, u64) { return u64{std::fpclassify(f(a)) == FP_SUBNORMAL}; }},
      {"slct.f32.f32 %f5, %f10, %f11, %f12", 'f', 'f',
       [](u64 a, u64 b, u64 c) { return f(c) >= 0 ? u64{w(a)} : u64{w(b)}; }},
      {"fma.rn.f64 %fd5, %fd10, %fd11, %fd12", 'd', 'd',
       [](u64 a, u64 b, u64 c) { return bits(std::fma(d(a), d(b), d(c))); }},
      {"div.rn.f64 %fd5, %fd10, %fd11", 'd', 'd', [](u64 a, u64 b, u64) { return bits(d(a) / d(b)); }},
      {"setp.eq.f64 %p1, %fd10, %fd11; selp.b32 %r5, 1, 0, %p1", 'd', 'w',
       [](u64 a, u64 b, u64) { return u64{d(a) == d(b)}; }},
  };
  const std::pair<const char*, int> modes[] = {
      {"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
  for (const auto& [name, mode] : modes) {
    const std::string m = name;
    cases.push_back({"add." + m + ".f32 %f5, %f10, %f11", 'f', 'f', by(add, mode)});
    cases.push_back({"fma." + m + ".f32 %f5, %f10, %f11, %f12", 'f', 'f', by(fma, mode)});
    cases.push_back({"div." + m + ".f32 %f5, %f10, %f11", 'f', 'f', by(div, mode)});
    cases.push_back({"sqrt." + m + ".f32 %f5, %f10", 'f', 'f', by(root, mode)});
    cases.push_back({"cvt." + m + ".f32.f64 %f5, %fd10", 'd', 'f', [mode = mode](u64 a, u64, u64) {
                       volatile double v = d(a);
                       std::fesetround(mode);
                       volatile float r = static_cast<float>(v);
                       std::fesetround(FE_TONEAREST);
                       return bits(static_cast<float>(r));
                     }});
    cases.push_back(
        {"cvt." + m + "i.s32.f32 %r5, %f10", 'f', 'w', [mode = mode](u64 a, u64, u64) {
           std::fesetround(mode);
           volatile double r = std::nearbyint(static_cast<double>(f(a)));
           std::fesetround(FE_TONEAREST);
           return std::isnan(r)
                      ? 0
                      : u64{w(static_cast<u64>(static_cast<s64>(std::clamp(double{r}, -2147483648.0, 2147483647.0))))};
         }});
    cases.push_back({"cvt." + m + ".f32.s64 %f5, %rd10", 'q', 'f', [mode = mode](u64 a, u64, u64) {
                       volatile s64 v = sq(a);
                       std::fesetround(mode);
                       volatile float r = static_cast<float>(v);
                       std::fesetround(FE_TONEAREST);
                       return bits(static_cast<float>(r));
                     }});
  }
  check_all(cases);
}

TEST_CASE("conversions between integers, and approximate functions within their error") {
  check_all({
      {"cvt.s64.s32 %rd5, %r10", 'w', 'q', [](u64 a, u64, u64) { return static_cast<u64>(s64{sw(a)}); }},
      {"cvt.u64.u32 %rd5, %r10", 'w', 'q', [](u64 a, u64, u64) { return u64{w(a)}; }},
      {"cvt.s32.s8 %r5, %h10", 'h', 'w',
       [](u64 a, u64, u64) { return w(static_cast<u32>(static_cast<std::int8_t>(a))); }},
      {"cvt.u16.u8 %h5, %h10", 'h', 'h', [](u64 a, u64, u64) { return a & 0xff; }},
      {"cvt.sat.u8.s32 %r5, %r10", 'w', 'w',
       [](u64 a, u64, u64) { return static_cast<u64>(std::clamp(sw(a), 0, 255)); }},
      {"cvt.sat.s16.s32 %h5, %r10", 'w', 'h',
       [](u64 a, u64, u64) { return u64{static_cast<u16>(std::clamp(sw(a), -32768, 32767))}; }},
      {"cvt.rn.f32.u32 %f5, %r10", 'w', 'f', [](u64 a, u64, u64) { return bits(static_cast<float>(w(a))); }},
      {"cvt.rzi.u32.f32 %r5, %f10", 'f', 'w',
       [](u64 a, u64, u64) {
         const double v = std::trunc(static_cast<double>(f(a)));
         return std::isnan(v) ? 0 : u64{static_cast<u32>(std::clamp(v, 0.0, 4294967295.0))};
       }},
      {"cvt.f64.f32 %fd5, %f10", 'f', 'd', [](u64 a, u64, u64) { return bits(static_cast<double>(f(a))); }},
      {"cvt.rmi.f32.f32 %f5, %f10", 'f', 'f', [](u64 a, u64, u64) { return bits(std::floor(f(a))); }},
      {"cvt.sat.f32.f32 %f5, %f10", 'f', 'f',
       [](u64 a, u64, u64) { return bits(f(a) > 0 ? std::min(f(a), 1.0f) : 0.0f); }},
      {"cvt.rna.tf32.f32 %r5, %f10", 'f', 'w',
       [](u64 a, u64, u64) { return std::isnan(f(a)) ? u64{0x7fffffff} : u64{w(w(a) + 0x1000) & ~0x1fffu}; }},
  });
  // Documented: ex2 2 ulp and less, lg2 absolute 2^-22 near 1, rcp and rsqrt 1 to 2 ulp, sin and cos 2^-20.5 near zero.
  const auto near = [](const std::string& text, double (*truth)(double), double low, double high, double relative,
                       double absolute) {
    constexpr std::size_t kThreads = 1000;
    std::vector<float> x(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i)
      x[i] = static_cast<float>(low + (high - low) * static_cast<double>(i) / kThreads);
    Bench bench;
    bench.x = bench.buffer(x);
    bench.y = bench.buffer(kThreads * 4);
    bench.run(kernel_text("mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4; add.s64 %rd6, %rd2, %rd4; "
                          "ld.global.f32 %f10, [%rd5];\n" +
                          text + " %f5, %f10; st.global.f32 [%rd6], %f5;"),
              1, kThreads);
    const std::vector<float> y = bench.read<float>(bench.y, kThreads);
    INFO(text);
    for (std::size_t i = 0; i < kThreads; ++i) {
      const double wanted = truth(static_cast<double>(x[i]));
      CAPTURE(x[i]);
      CHECK(std::fabs(static_cast<double>(y[i]) - wanted) <= std::fabs(wanted) * relative + absolute);
    }
  };
  const double ulp = std::ldexp(1.0, -23);
  near(
      "ex2.approx.f32", [](double v) { return std::exp2(v); }, -20, 20, 2 * ulp, 0);
  near(
      "lg2.approx.f32", [](double v) { return std::log2(v); }, 0.1, 40, 2 * ulp, 2 * ulp);
  near(
      "rcp.approx.f32", [](double v) { return 1 / v; }, 0.1, 40, ulp, 0);
  near(
      "rsqrt.approx.f32", [](double v) { return 1 / std::sqrt(v); }, 0.1, 40, 2 * ulp, 0);
  near(
      "sqrt.approx.f32", [](double v) { return std::sqrt(v); }, 0.1, 40, 2 * ulp, 0);
  near(
      "sin.approx.f32", [](double v) { return std::sin(v); }, -3, 3, 0, 5e-7);
  near(
      "cos.approx.f32", [](double v) { return std::cos(v); }, -3, 3, 0, 5e-7);
  near(
      "tanh.approx.f32", [](double v) { return std::tanh(v); }, -5, 5, 5e-4, 0);
}
