#include "ops/conv_choice.hpp"

#include "runtime/tuning/table.hpp"

namespace portico::detail {

ConvClass conv_class(DType dtype, const ConvShape& shape, ConvPass pass) {
  const auto exponent = [](std::int64_t value) { return nearest_exponent(static_cast<std::uint64_t>(value)); };
  const bool plain = shape.stride == Pair{1, 1} && shape.dilation == Pair{1, 1};
  const ConvFilter filter = shape.groups > 1               ? ConvFilter::grouped
                            : shape.r == 1 && shape.s == 1 ? ConvFilter::one
                            : shape.r != 3 || shape.s != 3 ? ConvFilter::other
                            : plain                        ? ConvFilter::three
                                                           : ConvFilter::three_strided;
  return {.dtype = static_cast<std::uint8_t>(dtype),
          .pass = static_cast<std::uint8_t>(pass),
          .filter = filter,
          .c = exponent(shape.c),
          .k = exponent(shape.k),
          .pixels = exponent(shape.pixels())};
}

const ConvChoice* conv_choice(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass) {
  if (const ConvChoice* forced = ForcedConvChoice::current()) return forced;
  return Tuning::of(device).find(conv_class(dtype, shape, pass));
}

std::int64_t chosen_winograd_tile(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass,
                                  ConvAlgorithm algorithm, bool cpu) {
  if (algorithm == ConvAlgorithm::automatic)
    if (const ConvChoice* choice = conv_choice(device, dtype, shape, pass); choice != nullptr && choice->winograd >= 0)
      algorithm = choice->winograd == 0   ? ConvAlgorithm::direct
                  : choice->winograd == 2 ? ConvAlgorithm::winograd_2x2
                                          : ConvAlgorithm::winograd_4x4;
  return winograd_tile(shape, pass, algorithm, cpu);
}

std::int64_t direct_tile(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass,
                         ConvAlgorithm algorithm) {
  if (algorithm != ConvAlgorithm::automatic) return 0;
  const ConvChoice* choice = conv_choice(device, dtype, shape, pass);
  return choice != nullptr ? choice->tile : 0;
}

}  // namespace portico::detail
