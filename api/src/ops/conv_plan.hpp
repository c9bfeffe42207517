// The sizes of a convolution, and how its kernels are cut for a device: tiles, blocks of outputs, splits. conv.cpp
// launches what is planned here; nothing here touches a device.
#pragma once

#include <cstdint>

#include "portico/ops.hpp"

namespace portico::detail {

/// Extents of conv2d(x [n, c, h, w], weight [k, c / groups, r, s]) = y [n, k, p, q].
struct ConvShape {
  std::int64_t n, c, h, w, k, r, s, p, q, groups;
  Pair stride, padding, dilation;

  std::int64_t cg() const { return c / groups; }
  std::int64_t kg() const { return k / groups; }
  std::int64_t pixels() const { return n * p * q; }
};

/// Throws `Error{invalid_argument}` naming conv2d and the shapes that do not fit.
ConvShape conv_shape(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options);

/// One launch of conv_forward: over the result's pixels, or over one phase of the input's gradient.
struct ConvWalk {
  bool gradient;
  bool cpu;                 ///< the kernel's CPU shape
  std::int64_t pixels;      ///< walked
  std::int64_t p, q;        ///< a row and a column of them, per image
  std::int64_t row0, col0;  ///< where they start in the result (phases)
  std::int64_t block;       ///< outputs of a block, KB
  std::int64_t blocks;      ///< in one group
  std::int64_t tile;        ///< pixels of a tile
  std::int64_t tiles;       ///< that one work-item (CPU shape) takes
  std::int64_t chunks;      ///< groups of work that cover the pixels
  std::int64_t run;         ///< inputs along a filter row, when these few are one run of x; else 0
  bool weights_stay;
  bool stream;
  bool pooled;  ///< relu and 2x2 max-pooling follow at once: pixels, p and q count windows
};
ConvWalk plan_walk(const ConvShape& shape, bool gradient, bool cpu, std::uint32_t units, std::int64_t row0 = 0,
                   std::int64_t col0 = 0, std::int64_t tile = 0);  // tile: the CPU shape's, instead of the rule's
ConvWalk plan_pooled_walk(const ConvShape& shape, std::uint32_t units);

/// Outputs of a block for `lanes` outputs of a group.
std::int64_t conv_block(std::int64_t lanes, bool cpu);

/// The launch of conv_weight_gradient.
struct ConvWeightPlan {
  bool cpu;
  std::int64_t block, blocks;
  std::int64_t span, splits;     ///< pixels of a split, number of splits
  std::int64_t stage;            ///< pixels that are staged together
  std::int64_t tile, remainder;  ///< inputs of a tile and of the last, narrower one
  std::int64_t run, rows;        ///< as ConvWalk::run; filter rows handled at once
};
ConvWeightPlan plan_weight(const ConvShape& shape, bool cpu, std::uint32_t units);

/// The sparse gradients behind relu and 2x2 max-pooling (conv_pool.cl).
struct ConvPoolPlan {
  bool possible;         ///< else the operations run one by one
  bool sparse;           ///< else few input channels, whose gradient nobody wants: the dense kernel reads pooled dy
  std::int64_t vectors;  ///< of 16 channels that the weight gradient takes at a time
  std::int64_t frame;    ///< float16 vectors of its private piece of x
  std::int64_t band;     ///< rows of windows at a time
  std::int64_t windows;  ///< windows at a time, at most
  std::int64_t images;   ///< of a split
  std::int64_t splits;
  std::int64_t input_frame;  ///< float16 vectors of the input gradient's private image
};
ConvPoolPlan plan_pool(const ConvShape& shape, bool input_wanted, std::uint32_t units);

/// True when every index that the CPU shape keeps in 32 bits fits: a few images, counted in elements.
bool fits_cpu_shape(const ConvShape& shape);

}  // namespace portico::detail
