#include "ops/conv_vendor.hpp"

#include "ops/common.hpp"
#include "ops/conv_choice.hpp"
#include "ops/gemm.hpp"
#include "runtime/conv_slot.hpp"
#include "runtime/vendor_choice.hpp"

namespace portico::detail {
namespace {

std::uint32_t u32(std::int64_t value) { return as_u32(value, "conv2d"); }

ConvSlot slot_of(const ConvShape& shape, ConvSlotPass pass, DType dtype, Activation activation = Activation::none) {
  return {.pass = pass,
          .dtype = static_cast<std::int32_t>(dtype),
          .n = u32(shape.n),
          .c = u32(shape.c),
          .h = u32(shape.h),
          .w = u32(shape.w),
          .k = u32(shape.k),
          .r = u32(shape.r),
          .s = u32(shape.s),
          .p = u32(shape.p),
          .q = u32(shape.q),
          .groups = u32(shape.groups),
          .stride = {u32(shape.stride[0]), u32(shape.stride[1])},
          .padding = {u32(shape.padding[0]), u32(shape.padding[1])},
          .dilation = {u32(shape.dilation[0]), u32(shape.dilation[1])},
          .activation = static_cast<std::int32_t>(activation)};
}

struct ChannelsLastWeight {
  std::uint64_t version;
  Tensor weight;
};

// The form that the libraries' fastest kernels want, made once until the weight's contents change.
Tensor channels_last_weight(const Tensor& weight) {
  if (weight.layout() == Layout::channels_last) return weight;
  Kept& kept = weight.impl()->kept[4];
  const std::shared_ptr<const void> found = kept.load();
  const auto* known = static_cast<const ChannelsLastWeight*>(found.get());
  const std::uint64_t version = weight.buffer().version();
  if (known != nullptr && known->version == version) return known->weight;
  const Tensor made = channels_last(weight);
  kept.store(std::make_shared<const ChannelsLastWeight>(ChannelsLastWeight{version, made}));
  return made;
}

}  // namespace

bool vendor_takes(const Device& device, DType dtype, const ConvShape& shape, ConvPass pass, ConvAlgorithm algorithm) {
  if (algorithm != ConvAlgorithm::automatic || shape.pixels() == 0 || shape.c == 0 || shape.k == 0 ||
      !has_conv_slot(device) || !vendor_allowed())
    return false;
  const ConvChoice* choice = conv_choice(device, dtype, shape, pass);
  return choice == nullptr || choice->vendor != 0;
}

bool vendor_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y,
                    Activation activation, ConvAlgorithm algorithm) {
  const Device device = x.device();
  if (!vendor_takes(device, x.dtype(), shape, ConvPass::forward, algorithm)) return false;
  const Tensor filter = channels_last_weight(weight);
  const Arg shift = bias.defined() ? bias.arg() : Arg(y.arg());
  const Arg* given = bias.defined() ? &shift : nullptr;
  if (run_conv_slot(device, slot_of(shape, ConvSlotPass::forward, x.dtype(), activation), x.arg(), filter.arg(),
                    y.arg(), given, "conv2d"))
    return true;
  if (given == nullptr && activation == Activation::none) return false;
  // In a half type the product is rounded in between, which only relu can bear.
  if (x.dtype() != DType::f32 && (given != nullptr || activation != Activation::relu)) return false;
  if (!run_conv_slot(device, slot_of(shape, ConvSlotPass::forward, x.dtype()), x.arg(), filter.arg(), y.arg(), nullptr,
                     "conv2d"))
    return false;
  finish_product(device, x.dtype(), {.m = shape.pixels(), .n = shape.k, .ldc = shape.k, .activation = activation},
                 y.arg(), given, "conv2d");
  return true;
}

bool vendor_input_gradient(const ConvShape& shape, const Tensor& dy, const Tensor& weight, const Tensor& dx,
                           ConvAlgorithm algorithm) {
  const Device device = dy.device();
  return vendor_takes(device, dy.dtype(), shape, ConvPass::input_gradient, algorithm) &&
         run_conv_slot(device, slot_of(shape, ConvSlotPass::input_gradient, dy.dtype()), dx.arg(),
                       channels_last_weight(weight).arg(), dy.arg(), nullptr, "conv2d");
}

Tensor vendor_weight_gradient(const ConvShape& shape, const Tensor& x, const Tensor& dy) {
  const Device device = dy.device();
  const Tensor gradient = make({shape.k, shape.cg(), shape.r, shape.s}, dy.dtype(), device, Layout::channels_last);
  if (!run_conv_slot(device, slot_of(shape, ConvSlotPass::weight_gradient, dy.dtype()), x.arg(), gradient.arg(),
                     dy.arg(), nullptr, "conv2d"))
    return {};
  return row_major(gradient);
}

}  // namespace portico::detail
