// Copies between any strides.
#pragma once

#include "ops/pointwise.hpp"

namespace portico::detail {

/// y = x over `extents`, converted; takes tiles where the innermost axes differ.
void copy_strided(const Strided& y, const Strided& x, std::span<const std::int64_t> extents, const char* subject);

/// Merges neighbouring axes that every view walks as one and drops those of extent 1; returns the number left.
int collapse(std::int64_t* extents, int rank, Strided* const* views, int count);

}  // namespace portico::detail
