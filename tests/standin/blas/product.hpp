// The matrix product behind cuBLAS, cuBLASLt and rocBLAS: column major, f32 accumulation, computed by CBLAS.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/standin/driver/device.hpp"

namespace portico::standin::blas {

enum class Type { f32, f16, bf16 };
std::size_t bytes_of(Type type);

/// A column-major matrix, batched. Leading dimension and stride in elements.
struct Matrix {
  void* data = nullptr;
  Type type = Type::f32;
  std::int64_t rows = 0, columns = 0, leading = 0, stride = 0;
};

enum class Activation { none, relu, gelu };
enum class BiasGradient { none, of_d, of_a, of_b };

/// D_i = act(alpha op(A_i) op(B_i) + beta C_i + bias) for each i below batch. `a` and `b` are as they lie in memory.
struct Product {
  bool trans_a = false, trans_b = false;
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  float alpha = 1, beta = 0;
  Matrix a, b, c, d;
  Activation activation = Activation::none;
  bool backward = false;  ///< D is multiplied with the activation's derivative at aux instead
  /// Bias of m elements, an address or null; with a bias gradient it is written instead of read.
  void* bias = nullptr;
  Type bias_type = Type::f32;
  std::int64_t bias_stride = 0;
  BiasGradient bias_gradient = BiasGradient::none;
  /// For relu a bit an element, for gelu the value before it, of D's type.
  void* aux = nullptr;
  std::int64_t aux_leading = 0, aux_stride = 0;
};

/// Whether all that the product touches lies in memory of the device; says on stderr what does not.
bool in_memory(Device& device, const Product& product);

/// A code of the driver's.
int run(Device& device, const Product& product);

}  // namespace portico::standin::blas
