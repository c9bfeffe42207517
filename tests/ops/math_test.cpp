// The functions of kernels/lanes_math.h over the whole range of floats, in units in the last place of the true result.
// Each is reached through the operation that is this function and nothing else.
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>

#include "catch.hpp"
#include "portico/portico.hpp"

namespace portico::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Floats of every exponent and both signs, unevenly spaced, with the special ones among them.
std::vector<float> sweep() {
  std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, kInfinity, -kInfinity, kNan};
  for (std::uint64_t bits = 1; bits < 0x7f800000; bits += 39119) {
    values.push_back(from_bits(static_cast<std::uint32_t>(bits)));
    values.push_back(-values.back());
  }
  for (int i = -4000; i <= 4000; ++i) values.push_back(static_cast<float>(i) * 0.026171f);
  return values;
}

// The distance between a result and the truth, in units in the last place of the truth as a float. Where a device takes
// denormal numbers for zero, a truth among them may be zero.
double ulps(float got, double truth) {
  const float rounded = static_cast<float>(truth);
  if (std::isnan(truth)) return std::isnan(got) ? 0.0 : kInfinity;
  if (std::isinf(rounded))
    return got == rounded || got == std::copysign(std::numeric_limits<float>::max(), rounded) ? 0.0 : kInfinity;
  if (std::fabs(truth) < std::numeric_limits<float>::min() && got == 0.0f) return 0.0;
  if (std::isnan(got) || std::isinf(got)) return kInfinity;
  const int exponent = std::max(std::ilogb(std::max(std::fabs(truth), 1e-300)), -126);
  return std::fabs(double{got} - truth) / std::ldexp(1.0, exponent - 23);
}

struct Worst {
  double ulps = 0;
  float x = 0, y = 0, got = 0;
  void see(double distance, float at, float exponent, float value) {
    if (distance > ulps) *this = {distance, at, exponent, value};
  }
};

void check(const char* name, Tensor (*op)(const Tensor&), double (*truth)(double), double bound,
           float low = -kInfinity) {
  std::vector<float> x;
  for (const float v : sweep())
    if (!(v < low)) x.push_back(v);
  const std::vector<float> y = op(Tensor::from(x, {static_cast<std::int64_t>(x.size())})).to_vector();
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::fabs(x[i]) > 0 && std::fabs(x[i]) < std::numeric_limits<float>::min()) continue;  // may be read as zero
    worst.see(ulps(y[i], truth(x[i])), x[i], 0, y[i]);
  }
  INFO(name << "(" << worst.x << ") = " << worst.got << ", " << worst.ulps << " units from " << truth(worst.x));
  CHECK(worst.ulps <= bound);
}

TEST_CASE("functions of one value keep their stated error over all floats") {
  check(
      "exp", [](const Tensor& x) { return exp(x); }, [](double x) { return std::exp(x); }, 2.0);
  check(
      "tanh", [](const Tensor& x) { return tanh(x); }, [](double x) { return std::tanh(x); }, 4.0);
  check(
      "log", [](const Tensor& x) { return log(x); }, [](double x) { return std::log(x); }, 3.0);
  check(
      "elu", [](const Tensor& x) { return elu(x); }, [](double x) { return x > 0 ? x : std::expm1(x); }, 2.0);
  // Its threshold is out of the way, so that it is log1p(exp(x)): the error of both, that of exp times its slope.
  check(
      "softplus", [](const Tensor& x) { return softplus(x, 1.0f, 80.0f); },
      [](double x) { return x > 80 ? x : std::log1p(std::exp(x)); }, 4.0);
}

TEST_CASE("pow keeps its stated error, with the signs and limits of C") {
  const float exponents[] = {0.0f,  -0.0f, 1.0f,   -1.0f,       2.0f,       3.0f,  -3.0f,  0.5f,      -0.5f,      2.5f,
                             7.25f, 33.0f, -17.0f, 16777217.0f, 1.0000001f, 1e30f, -1e30f, kInfinity, -kInfinity, kNan};
  std::vector<float> bases = sweep();
  for (int i = -300; i <= 300; ++i) bases.push_back(1.0f + static_cast<float>(i) * 1e-6f);
  std::vector<float> x, y;
  for (const float exponent : exponents)
    for (std::size_t i = 0; i < bases.size(); i += 3) {
      if (std::fabs(bases[i]) > 0 && std::fabs(bases[i]) < std::numeric_limits<float>::min()) continue;
      x.push_back(bases[i]);
      y.push_back(exponent);
    }
  const std::int64_t count = static_cast<std::int64_t>(x.size());
  const std::vector<float> result = pow(Tensor::from(x, {count}), Tensor::from(y, {count})).to_vector();
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst.see(ulps(result[i], std::pow(double{x[i]}, double{y[i]})), x[i], y[i], result[i]);
  INFO("pow(" << worst.x << ", " << worst.y << ") = " << worst.got << ", " << worst.ulps << " units from "
              << std::pow(double{worst.x}, double{worst.y}));
  CHECK(worst.ulps <= 16.0);  // OpenCL's bound for a compiler's own pow; ours in the CPU shape is at 2
}

}  // namespace
}  // namespace portico::test
