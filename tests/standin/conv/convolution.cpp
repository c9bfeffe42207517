#include "tests/standin/conv/convolution.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <vector>

#include "tests/standin/blas/numbers.hpp"
#include "tests/standin/driver/codes.hpp"

namespace portico::standin::conv {
namespace {

std::int64_t count(const Four& extents) { return extents[0] * extents[1] * extents[2] * extents[3]; }

std::size_t bytes(const Tensor& tensor) {
  return static_cast<std::size_t>(count(tensor.extents)) * blas::bytes_of(tensor.type);
}

// Ten bits of mantissa, to nearest.
float as_tf32(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x1000u) & 0xffffe000u);
}

// Visits every element with its place in memory, channels last.
template <typename Visit>
void each(const Tensor& t, Visit&& visit) {
  std::size_t i = 0;
  for (std::int64_t a = 0; a < t.extents[0]; ++a)
    for (std::int64_t c = 0; c < t.extents[2]; ++c)
      for (std::int64_t d = 0; d < t.extents[3]; ++d)
        for (std::int64_t b = 0; b < t.extents[1]; ++b)
          visit(i++, a * t.strides[0] + b * t.strides[1] + c * t.strides[2] + d * t.strides[3]);
}

std::vector<double> load(const Tensor& t, bool tf32) {
  std::vector<double> values(static_cast<std::size_t>(count(t.extents)));
  each(t, [&](std::size_t i, std::int64_t place) {
    const float value = blas::get(t.data, t.type, place);
    values[i] = tf32 && t.type == Type::f32 ? as_tf32(value) : value;
  });
  return values;
}

void store(Device& device, const Tensor& t, const std::vector<double>& values) {
  each(t, [&](std::size_t i, std::int64_t place) { blas::put(t.data, t.type, place, static_cast<float>(values[i])); });
  device.memory.mark_written(t.data, bytes(t));
}

// Calls `visit(x, w, y)` with the places of a row of channels of x and of a filter and of one output, channels last.
template <typename Visit>
void walk(const Convolution& v, Visit&& visit) {
  const auto [n, c, h, w] = v.x.extents;
  const auto [k, cg, r, s] = v.w.extents;
  const std::int64_t p = v.y.extents[2], q = v.y.extents[3], kg = k / v.groups();
  for (std::int64_t in = 0; in < n; ++in)
    for (std::int64_t ip = 0; ip < p; ++ip)
      for (std::int64_t iq = 0; iq < q; ++iq)
        for (std::int64_t ir = 0; ir < r; ++ir)
          for (std::int64_t is = 0; is < s; ++is) {
            const std::int64_t row = ip * v.stride[0] - v.padding[0] + ir * v.dilation[0];
            const std::int64_t column = iq * v.stride[1] - v.padding[1] + is * v.dilation[1];
            if (row < 0 || row >= h || column < 0 || column >= w) continue;
            for (std::int64_t ik = 0; ik < k; ++ik)
              visit(((in * h + row) * w + column) * c + ik / kg * cg, ((ik * r + ir) * s + is) * cg,
                    ((in * p + ip) * q + iq) * k + ik);
          }
}

double noise() {
  static std::atomic<unsigned> calls{0};
  return 1.0 + 1e-3 * (1 + calls++ % 7);
}

}  // namespace

bool is_dense(const Tensor& t) {
  const auto& e = t.extents;
  const Four first = {e[1] * e[2] * e[3], e[2] * e[3], e[3], 1}, last = {e[1] * e[2] * e[3], 1, e[1] * e[3], e[1]};
  return t.strides == first || t.strides == last;
}

bool fits(const Convolution& v) {
  const auto& x = v.x.extents;
  const auto& w = v.w.extents;
  const auto& y = v.y.extents;
  for (const Four* extents : {&x, &w, &y})
    if (std::any_of(extents->begin(), extents->end(), [](std::int64_t extent) { return extent < 1; })) return false;
  if (x[0] != y[0] || w[0] != y[1] || x[1] % w[1] != 0 || w[0] % v.groups() != 0) return false;
  for (std::size_t i = 0; i < 2; ++i) {
    if (v.padding[i] < 0 || v.stride[i] < 1 || v.dilation[i] < 1) return false;
    const std::int64_t reach = x[2 + i] + 2 * v.padding[i] - v.dilation[i] * (w[2 + i] - 1) - 1;
    if (reach < 0 || y[2 + i] != reach / v.stride[i] + 1) return false;
  }
  return true;
}

bool in_memory(Device& device, const Convolution& v) {
  const auto has = [&](const Tensor& t, const char* what) {
    return holds(device, reinterpret_cast<std::uintptr_t>(t.data), bytes(t), what);
  };
  return has(v.x, "convolution: x") && has(v.w, "convolution: filter") && has(v.y, "convolution: y") &&
         (!v.bias.data || has(v.bias, "convolution: bias"));
}

int run(Device& device, const Convolution& v) {
  if (!in_memory(device, v)) return kIllegalAddress;
  const auto channels = static_cast<std::size_t>(v.w.extents[1]);
  const Tensor& target = v.pass == Pass::forward ? v.y : v.pass == Pass::data ? v.x : v.w;
  std::vector<double> result(static_cast<std::size_t>(count(target.extents)));
  const auto factor = [&](const Tensor& t) { return &t == &target ? std::vector<double>() : load(t, v.tf32); };
  const std::vector<double> x = factor(v.x), w = factor(v.w), y = factor(v.y);
  walk(v, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
    if (v.pass == Pass::forward) {
      double sum = 0;
      for (std::size_t i = 0; i < channels; ++i)
        sum += x[static_cast<std::size_t>(ix) + i] * w[static_cast<std::size_t>(iw) + i];
      result[static_cast<std::size_t>(iy)] += sum;
      return;
    }
    const double gradient = y[static_cast<std::size_t>(iy)];
    const double* const from =
        v.pass == Pass::data ? &w[static_cast<std::size_t>(iw)] : &x[static_cast<std::size_t>(ix)];
    double* const to = &result[static_cast<std::size_t>(v.pass == Pass::data ? ix : iw)];
    for (std::size_t i = 0; i < channels; ++i) to[i] += gradient * from[i];
  });
  if (v.bias.data) {
    const std::vector<double> bias = load(v.bias, false);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += bias[i % bias.size()];
  }
  if (v.unstable)
    for (double& value : result) value *= noise();
  if (v.relu)
    for (double& value : result) value = value > 0 || value != value ? value : 0;
  store(device, target, result);
  return kOk;
}

}  // namespace portico::standin::conv
