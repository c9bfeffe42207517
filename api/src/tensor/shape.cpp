#include "portico/shape.hpp"

#include <algorithm>

namespace portico {

Shape::Shape(std::span<const std::int64_t> dims) {
  for (const std::int64_t dim : dims) push_back(dim);
}

void Shape::push_back(std::int64_t dim) {
  if (rank_ == kMaxRank) throw Error(ErrorCode::invalid_argument, "shape: more than 8 axes");
  dims_[rank_++] = dim;
}

std::int64_t Shape::count() const noexcept {
  std::int64_t count = 1;
  for (const std::int64_t dim : *this) count *= dim;
  return count;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i == 0 ? "" : ",") + std::to_string(dims_[i]);
  return text + "]";
}

int Shape::axis(int axis, const char* subject) const {
  if (axis < -rank_ || axis >= rank_)
    throw Error(ErrorCode::invalid_argument,
                std::string(subject) + ": axis " + std::to_string(axis) + " does not exist in " + to_string());
  return axis < 0 ? axis + rank_ : axis;
}

bool Shape::operator==(const Shape& other) const noexcept {
  return std::equal(begin(), end(), other.begin(), other.end());
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* subject) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int i = 0; i < rank; ++i) {
    const int in_a = i - (rank - a.rank());
    const int in_b = i - (rank - b.rank());
    const std::int64_t x = in_a < 0 ? 1 : a[in_a];
    const std::int64_t y = in_b < 0 ? 1 : b[in_b];
    if (x != y && x != 1 && y != 1)
      throw Error(ErrorCode::invalid_argument, std::string(subject) + ": shapes " + a.to_string() + " and " +
                                                   b.to_string() + " do not broadcast: " + std::to_string(x) +
                                                   " against " + std::to_string(y) + " on axis " + std::to_string(i));
    result.push_back(x == 1 ? y : x);
  }
  return result;
}

}  // namespace portico
