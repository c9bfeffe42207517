// Convolutions: forward and both gradients of the shapes that the peers are compared on.
#include "conv_calls.hpp"
#include "suites.hpp"

namespace portico::bench {
namespace {

constexpr Conv kConvs[] = {{8, 64, 56, 56, 64, 3, 3, 1, 1},   {8, 128, 28, 28, 128, 3, 3, 1, 1},
                           {8, 256, 14, 14, 256, 3, 3, 1, 1}, {8, 512, 7, 7, 512, 3, 3, 1, 1},
                           {8, 64, 56, 56, 256, 1, 1, 1, 0},  {8, 3, 224, 224, 64, 7, 7, 2, 3},
                           {64, 1, 28, 28, 32, 3, 3, 1, 1},   {64, 32, 14, 14, 64, 3, 3, 1, 1}};

}  // namespace

void add_conv() {
  for (const Conv& conv : kConvs) {
    add("conv2d/forward" + conv.name(), conv.work(), [conv] { return conv_forward(conv); });
    add("conv2d/input_gradient" + conv.name(), conv.work(), [conv] { return conv_gradient(conv, true); });
    add("conv2d/weight_gradient" + conv.name(), conv.work(), [conv] { return conv_gradient(conv, false); });
  }
}

}  // namespace portico::bench
