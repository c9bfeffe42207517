// Which convolutions go by Winograd's algorithm, with which tile, and how much scratch they take at a time. Rules only,
// no device is touched.
#pragma once

#include <cstdint>

#include "ops/conv_plan.hpp"

namespace portico::detail {

/// A 3x3 convolution of stride 1 as Winograd's kernels see it: the forward pass, or the input's gradient, in which x
/// and y have changed places and filters are turned.
struct WinogradCall {
  std::int64_t tile;              ///< results along an axis of a tile: 2, 4
  std::int64_t n, c, h, w;        ///< what is read
  std::int64_t k, p, q;           ///< what is written
  Pair padding;                   ///< may be negative: a forward padding beyond 2
  std::int64_t tiles_p, tiles_q;  ///< of an image
  std::int64_t tiles() const { return n * tiles_p * tiles_q; }
  std::int64_t frequencies() const { return (tile + 2) * (tile + 2); }
};
WinogradCall winograd_call(const ConvShape& shape, std::int64_t tile, bool gradient);

enum class ConvPass { forward, input_gradient, weight_gradient };

/// The tile to take, or 0 for the direct sum. ConvAlgorithm::automatic asks a model of the work, and on GPUs, where
/// nothing has been timed, stays with the direct sum; a tile asked for by name is taken wherever there is such an
/// algorithm.
std::int64_t winograd_tile(const ConvShape& shape, ConvPass pass, ConvAlgorithm algorithm, bool cpu);

/// The forward kernel of a CPU (winograd_forward.cl).
struct WinogradCpuPlan {
  std::int64_t rows;     ///< T
  std::int64_t span;     ///< SPAN
  std::int64_t vectors;  ///< KV
  std::int64_t fused;    ///< FUSED
};
WinogradCpuPlan plan_winograd_cpu(const WinogradCall& call);

/// Tiles whose transformed operands, `floats` a tile, take at most `bytes`; at least 64, at most all.
std::int64_t winograd_chunk(std::int64_t tiles, std::int64_t floats, std::int64_t bytes);

}  // namespace portico::detail
