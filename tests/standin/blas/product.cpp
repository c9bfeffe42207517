#include "tests/standin/blas/product.hpp"

#include <cblas.h>

#include <algorithm>
#include <vector>

#include "tests/standin/blas/numbers.hpp"

namespace portico::standin::blas {
namespace {

char* at(const Matrix& matrix, std::int64_t batch) {
  return static_cast<char*>(matrix.data) + static_cast<std::size_t>(batch * matrix.stride) * bytes_of(matrix.type);
}

// The matrix as floats: itself, or converted into `room` with its rows as leading dimension.
const float* as_floats(const Matrix& matrix, std::int64_t batch, std::vector<float>& room, int& leading) {
  leading = static_cast<int>(matrix.leading);
  if (matrix.type == Type::f32) return reinterpret_cast<const float*>(at(matrix, batch));
  leading = static_cast<int>(std::max<std::int64_t>(matrix.rows, 1));
  room.resize(static_cast<std::size_t>(matrix.rows * matrix.columns));
  const char* data = at(matrix, batch);
  for (std::int64_t column = 0; column < matrix.columns; ++column)
    for (std::int64_t row = 0; row < matrix.rows; ++row)
      room[static_cast<std::size_t>(row + column * matrix.rows)] =
          get(data, matrix.type, row + column * matrix.leading);
  return room.data();
}

constexpr float kGelu = 0.7978845608028654f;  // sqrt(2 / pi)

float gelu(float x) { return 0.5f * x * (1.0f + std::tanh(kGelu * (x + 0.044715f * x * x * x))); }
float gelu_slope(float x) {
  const float t = std::tanh(kGelu * (x + 0.044715f * x * x * x));
  return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * kGelu * (1.0f + 3.0f * 0.044715f * x * x);
}

// What follows the product, for one element; `place` is its place in aux.
float epilogue(const Product& p, float x, std::int64_t place) {
  auto* const bits = static_cast<unsigned char*>(p.aux);
  switch (p.activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      if (p.backward) return bits[place / 8] >> (place % 8) & 1 ? x : 0.0f;
      if (bits) {
        const auto mask = static_cast<unsigned char>(1u << (place % 8));
        bits[place / 8] = static_cast<unsigned char>(x > 0 ? bits[place / 8] | mask : bits[place / 8] & ~mask);
      }
      return x > 0 || x != x ? x : 0.0f;
    case Activation::gelu:
      if (p.backward) return x * gelu_slope(get(p.aux, p.d.type, place));
      if (p.aux) put(p.aux, p.d.type, place, x);
      return gelu(x);
  }
  return x;
}

char* bias_at(const Product& p, std::int64_t batch) {
  return static_cast<char*>(p.bias) + static_cast<std::size_t>(batch * p.bias_stride) * bytes_of(p.bias_type);
}

void finish(const Product& p, std::int64_t batch, const std::vector<float>& result) {
  char* const d = at(p.d, batch);
  const bool adds = p.bias && p.bias_gradient == BiasGradient::none;
  std::vector<double> sums(p.bias_gradient == BiasGradient::of_d ? static_cast<std::size_t>(p.m) : 0);
  for (std::int64_t column = 0; column < p.n; ++column)
    for (std::int64_t row = 0; row < p.m; ++row) {
      float x = result[static_cast<std::size_t>(row + column * p.m)];
      if (adds) x += get(bias_at(p, batch), p.bias_type, row);
      x = epilogue(p, x, batch * p.aux_stride + row + column * p.aux_leading);
      put(d, p.d.type, row + column * p.d.leading, x);
      if (!sums.empty()) sums[static_cast<std::size_t>(row)] += x;
    }
  for (std::size_t i = 0; i < sums.size(); ++i)
    put(bias_at(p, batch), p.bias_type, static_cast<std::int64_t>(i), static_cast<float>(sums[i]));
}

// The sums over k of op(A)'s rows or op(B)'s columns.
void operand_sums(const Product& p, std::int64_t batch) {
  const bool of_a = p.bias_gradient == BiasGradient::of_a;
  const Matrix& matrix = of_a ? p.a : p.b;
  const bool along_columns = of_a ? p.trans_a : !p.trans_b;  // k runs down a stored column
  for (std::int64_t i = 0; i < (of_a ? p.m : p.n); ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < p.k; ++k)
      sum += get(at(matrix, batch), matrix.type, along_columns ? k + i * matrix.leading : i + k * matrix.leading);
    put(bias_at(p, batch), p.bias_type, i, static_cast<float>(sum));
  }
}

// From the first to the last element of a whole batch.
std::size_t extent(const Matrix& m, std::int64_t batch) {
  if (m.rows <= 0 || m.columns <= 0) return 0;
  return static_cast<std::size_t>((batch - 1) * m.stride + (m.columns - 1) * m.leading + m.rows) * bytes_of(m.type);
}

Matrix bias_of(const Product& p) {
  const std::int64_t count = p.bias_gradient == BiasGradient::of_b ? p.n : p.m;
  return {p.bias, p.bias_type, count, 1, count, p.bias_stride};
}

std::size_t aux_bytes(const Product& p) {
  if (p.activation == Activation::gelu)
    return extent({p.aux, p.d.type, p.m, p.n, p.aux_leading, p.aux_stride}, p.batch);
  return static_cast<std::size_t>((p.batch - 1) * p.aux_stride + p.aux_leading * p.n) / 8;
}

void mark_results(Memory& memory, const Product& p) {
  for (std::int64_t batch = 0; batch < p.batch; ++batch)
    for (std::int64_t column = 0; column < p.n; ++column)
      memory.mark_written(at(p.d, batch) + static_cast<std::size_t>(column * p.d.leading) * bytes_of(p.d.type),
                          static_cast<std::size_t>(p.m) * bytes_of(p.d.type));
  if (p.aux && !p.backward) memory.mark_written(p.aux, aux_bytes(p));
  if (p.bias && p.bias_gradient != BiasGradient::none) memory.mark_written(p.bias, extent(bias_of(p), p.batch));
}

}  // namespace

std::size_t bytes_of(Type type) { return type == Type::f32 ? 4 : 2; }

bool in_memory(Device& device, const Product& p) {
  const auto has = [&](const void* data, std::size_t bytes, const char* what) {
    return bytes == 0 || holds(device, reinterpret_cast<std::uintptr_t>(data), bytes, what);
  };
  return has(p.a.data, extent(p.a, p.batch), "BLAS: matrix A") &&
         has(p.b.data, extent(p.b, p.batch), "BLAS: matrix B") &&
         has(p.d.data, extent(p.d, p.batch), "BLAS: matrix D") &&
         has(p.c.data, p.beta == 0 ? 0 : extent(p.c, p.batch), "BLAS: matrix C") &&
         has(p.bias, p.bias ? extent(bias_of(p), p.batch) : 0, "BLAS: bias") &&
         has(p.aux, p.aux ? aux_bytes(p) : 0, "BLAS: auxiliary data");
}

int run(Device& device, const Product& p) {
  if (!in_memory(device, p)) return kIllegalAddress;
  if (p.m == 0 || p.n == 0) return kOk;
  std::vector<float> room_a, room_b, result(static_cast<std::size_t>(p.m * p.n));
  for (std::int64_t batch = 0; batch < p.batch; ++batch) {
    if (p.beta != 0)
      for (std::int64_t column = 0; column < p.n; ++column)
        for (std::int64_t row = 0; row < p.m; ++row)
          result[static_cast<std::size_t>(row + column * p.m)] =
              get(at(p.c, batch), p.c.type, row + column * p.c.leading);
    int lda = 0, ldb = 0;
    const float* a = as_floats(p.a, batch, room_a, lda);
    const float* b = as_floats(p.b, batch, room_b, ldb);
    cblas_sgemm(CblasColMajor, p.trans_a ? CblasTrans : CblasNoTrans, p.trans_b ? CblasTrans : CblasNoTrans,
                static_cast<int>(p.m), static_cast<int>(p.n), static_cast<int>(p.k), p.alpha, a, lda, b, ldb, p.beta,
                result.data(), static_cast<int>(p.m));
    finish(p, batch, result);
    if (p.bias_gradient == BiasGradient::of_a || p.bias_gradient == BiasGradient::of_b) operand_sums(p, batch);
  }
  mark_results(device.memory, p);
  return kOk;
}

}  // namespace portico::standin::blas
