// Launching the formulas of pointwise_table.hpp: over whole tensors, with broadcasting, or over any strides.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "ops/common.hpp"
#include "ops/pointwise_table.hpp"

namespace portico::detail {

/// Elements reached by strides over the axes of a result, slowest first.
struct Strided {
  const Buffer* buffer = nullptr;
  std::size_t offset = 0;
  DType dtype = DType::f32;
  std::int64_t strides[Shape::kMaxRank] = {};
};

/// y = formula(operands), element by element over `extents`; operands in the formula's order. With `accumulate`, y +=.
/// Throws `Error{unsupported}` when more than six axes remain once neighbouring ones are merged.
void launch_strided(const Expression& formula, std::span<const Strided> operands, const Strided& y,
                    std::span<const std::int64_t> extents, float s, float s2, bool accumulate, const char* subject);

/// What a formula's names stand for; those that it does not mention may be null.
struct Operands {
  const Tensor* dy = nullptr;
  const Tensor* a = nullptr;
  const Tensor* x = nullptr;
  const Tensor* b = nullptr;
  const Tensor* y = nullptr;

  const Tensor& operator[](Name name) const {
    const Tensor* const all[] = {dy, a, x, b, y};
    return *all[static_cast<int>(name)];
  }
};

/// A new tensor of `shape` from operands that broadcast to it. It is channels-last when an operand of its shape is.
Tensor evaluate(const Expression& formula, const Operands& operands, const Shape& shape, float s, float s2,
                const char* subject);

/// y = formula(operands) into y, which may be an operand when shapes and layouts agree.
void evaluate_into(const Tensor& y, const Expression& formula, const Operands& operands, float s, float s2,
                   bool accumulate, const char* subject);

/// A tensor's strides over the axes of `shape`, to which it broadcasts, ordered as `layout` orders them in memory.
Strided strided(const Tensor& x, const Shape& shape, Layout layout);

/// The extents of `shape` in the order of `layout`; returns the number of axes.
int extents_of(const Shape& shape, Layout layout, std::int64_t* extents);

}  // namespace portico::detail
