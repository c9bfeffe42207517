// Extents of a tensor, first axis slowest.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "portico/error.hpp"

namespace portico {

/// Up to eight extents, held in place: shapes are made on every call and must not allocate.
class PORTICO_API Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Throws `Error{invalid_argument}` for more than eight axes.
  explicit Shape(std::span<const std::int64_t> dims);

  int rank() const noexcept { return rank_; }
  bool empty() const noexcept { return rank_ == 0; }  ///< a scalar's shape
  std::int64_t operator[](int axis) const noexcept { return dims_[axis]; }
  std::int64_t& operator[](int axis) noexcept { return dims_[axis]; }
  const std::int64_t* begin() const noexcept { return dims_; }
  const std::int64_t* end() const noexcept { return dims_ + rank_; }
  std::int64_t back() const noexcept { return dims_[rank_ - 1]; }

  std::int64_t count() const noexcept;  ///< product of the extents; 1 for a scalar
  std::string to_string() const;        ///< "[2,3]"
  void push_back(std::int64_t dim);     ///< throws beyond eight axes

  /// `axis` counted from the end when negative. Throws `Error{invalid_argument}` naming `subject` when out of range.
  int axis(int axis, const char* subject) const;

  bool operator==(const Shape& other) const noexcept;

 private:
  std::int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};

/// The shape that both broadcast to (NumPy's rule). Throws `Error{invalid_argument}` naming `subject` and both shapes.
PORTICO_API Shape broadcast_shapes(const Shape& a, const Shape& b, const char* subject);

}  // namespace portico
