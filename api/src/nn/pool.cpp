#include "nn/checks.hpp"
#include "portico/nn/layers.hpp"

namespace portico::nn {
namespace {

// What both kinds of pooling ask for; a wider padding would make windows that see no element at all.
void check_window(const char* layer, const Pair& kernel, const Pair& stride, const Pair& padding,
                  const Pair& dilation) {
  check_pair(kernel, 1, layer, "kernel");
  check_pair(stride, 1, layer, "stride");
  check_pair(padding, 0, layer, "padding");
  check_pair(dilation, 1, layer, "dilation");
  check(2 * padding[0] <= kernel[0] && 2 * padding[1] <= kernel[1], layer,
        "padding is " + text(padding) + "; it must be at most half the kernel " + text(kernel));
}

}  // namespace

MaxPool2d::MaxPool2d(const MaxPool2dOptions& options) : options_(options) {
  check_window("MaxPool2d", options.kernel, options.stride.value_or(options.kernel), options.padding, options.dilation);
}

std::string MaxPool2d::describe() const {
  return "MaxPool2d(kernel_size=" + text_short(options_.kernel) +
         ", stride=" + text_short(options_.stride.value_or(options_.kernel)) +
         ", padding=" + text_short(options_.padding) + ", dilation=" + text_short(options_.dilation) +
         ", ceil_mode=" + text(options_.ceil_mode) + ")";
}

AvgPool2d::AvgPool2d(const AvgPool2dOptions& options) : options_(options) {
  check_window("AvgPool2d", options.kernel, options.stride.value_or(options.kernel), options.padding, {1, 1});
  check(options.divisor_override.value_or(1) != 0, "AvgPool2d", "divisor_override is 0");
}

std::string AvgPool2d::describe() const {
  return "AvgPool2d(kernel_size=" + text_short(options_.kernel) +
         ", stride=" + text_short(options_.stride.value_or(options_.kernel)) +
         ", padding=" + text_short(options_.padding) + ")";
}

}  // namespace portico::nn
