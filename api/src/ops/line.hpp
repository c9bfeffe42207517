// How kernels that normalise along one axis (kernels/line.h) walk it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/common.hpp"

namespace portico::detail {

/// A row-major tensor around one axis: [outer, len, inner], and the walk that kernels take over it.
struct Line {
  std::int64_t outer = 1;
  std::int64_t len = 1;
  std::int64_t inner = 1;
  bool cpu = false;
  std::uint32_t walk = 0;   ///< WALK of kernels/line.h
  std::uint32_t group = 1;  ///< WG
  Grid grid;

  Line(const Shape& shape, int axis, const Device& device) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    len = shape[axis];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
    choose(device);
  }

  /// Whether a result of dtype is larger than a processor's caches and worth writing past them.
  bool stream(DType dtype) const {
    return walk == 0 && dtype == DType::f32 && outer * len * inner * size_of(dtype) > kStreamBytes;
  }

  std::uint64_t key() const { return walk | std::uint64_t{group} << 4; }

  Spec spec(DType dtype) const {
    Spec spec;
    spec.set("T", word(dtype)).set("WALK", walk).set("WG", group).set("CPU_SHAPE", cpu);
    return spec;
  }

 private:
  void choose(const Device& device) {
    cpu = cpu_shape(device);
    const std::int64_t units = std::max(device.info().compute_units, 1u);
    if (cpu) {
      walk = inner == 1 ? 0 : 1;
      const std::int64_t lines = inner == 1 ? outer : outer * divide_up(inner, 16);
      const std::int64_t worth = divide_up(outer * len * inner, 2048);
      grid.groups.x = static_cast<std::uint32_t>(std::clamp<std::int64_t>(std::min(lines, worth), 1, units * 8));
    } else if (inner == 1 && len >= 64) {
      walk = 3;
      group = len >= 1024 ? 256 : 64;
      grid.local.x = group;
      grid.groups.x = static_cast<std::uint32_t>(std::min<std::int64_t>(outer, units * 64));
    } else {
      walk = 2;
      grid = flat_grid(device, outer * inner);
    }
  }
};

}  // namespace portico::detail
