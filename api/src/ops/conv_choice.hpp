// What the tuner says of a convolution's class (runtime/tuning), and what follows from it.
#pragma once

#include "ops/winograd_plan.hpp"
#include "runtime/tuning/conv_class.hpp"

namespace portico::detail {

ConvClass conv_class(DType dtype, const ConvShape& shape, ConvPass pass);

/// Null where the rules decide. What the tuner is trying just now comes first.
const ConvChoice* conv_choice(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass);

/// winograd_tile(), with the tuner's word instead of the rule where the algorithm is left open.
std::int64_t chosen_winograd_tile(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass,
                                  ConvAlgorithm algorithm, bool cpu);

/// Pixels of the direct kernel's tile in its CPU shape; 0 where the rule decides.
std::int64_t direct_tile(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass,
                         ConvAlgorithm algorithm);

}  // namespace portico::detail
