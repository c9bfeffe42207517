// MIOpen, as far as the plugin uses it: descriptors and the immediate interface.
#include <algorithm>
#include <cstdint>

#include "backends/hip/miopen_api.hpp"
#include "tests/standin/conv/convolution.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/hip/enter.hpp"

namespace miopen = hip::miopen;
using namespace portico::standin;

namespace {

struct Handle {
  void* stream;
};
struct TensorSlot {
  conv::Tensor tensor;
  bool set = false;
};
struct ConvolutionSlot {
  conv::Convolution convolution;
  std::int64_t groups = 1;
  bool set = false, deterministic = false;
};

template <typename T>
struct Objects {
  static Table<T>& table() {
    static auto& made = *new Table<T>;
    return made;
  }
  template <typename H>
  static int add(H* out, T object) {
    if (!out) return miopen::kBadParm;
    *out = static_cast<H>(table().add(std::make_shared<T>(object)));
    ++machine().others;
    return miopen::kSuccess;
  }
  // Made all the same when it is to fail: what is left then would be the library's leak.
  static bool remove(void* handle) {
    const bool removed = table().remove(handle) != nullptr;
    if (removed) --machine().others;
    return removed;
  }
};
template <typename T>
std::shared_ptr<T> find(const void* handle) {
  return Objects<T>::table().find(handle);
}

// Ways to compute, best first as the heuristics have it. The first two are only offered where they may be.
struct Way {
  std::uint64_t id;
  std::size_t workspace;
  miopen::Algorithm algorithm;
  bool unstable;
};
constexpr Way kWays[] = {
    {88, 0, 1, true},              // sums by atomics
    {91, 0, miopen::kFft, false},  // not as exact as a direct sum
    {54, 8192, 5, false},
    {85, 0, 1, false},
};

// The three operands in the order x, filter, y; a status when they do not make a convolution.
int describe(const miopen::Tensor x, const miopen::Tensor w, const miopen::Tensor y, const miopen::Convolution c,
             conv::Pass pass, conv::Convolution& out, bool& deterministic) {
  const auto tx = find<TensorSlot>(x), tw = find<TensorSlot>(w), ty = find<TensorSlot>(y);
  const auto described = find<ConvolutionSlot>(c);
  if (!tx || !tw || !ty || !described || !tx->set || !tw->set || !ty->set || !described->set) return miopen::kBadParm;
  out = described->convolution;
  out.pass = pass;
  out.x = tx->tensor;
  out.w = tw->tensor;
  out.y = ty->tensor;
  deterministic = described->deterministic;
  if (!conv::fits(out) || out.groups() != described->groups) return miopen::kBadParm;
  if (out.x.type != out.w.type || out.x.type != out.y.type) return miopen::kNotImplemented;
  return conv::is_dense(out.x) && conv::is_dense(out.w) && conv::is_dense(out.y) ? miopen::kSuccess
                                                                                 : miopen::kNotImplemented;
}

int solutions(const void* handle, const conv::Convolution&, bool deterministic, std::size_t wanted, std::size_t* found,
              miopen::Solution* out) {
  if (!find<Handle>(handle) || !found || (wanted > 0 && !out)) return miopen::kBadParm;
  *found = 0;
  for (const Way& way : kWays)
    if (*found < wanted && !(deterministic && way.unstable))
      out[(*found)++] = {1.0f, way.workspace, way.id, way.algorithm};
  return miopen::kSuccess;
}

int execute(const void* handle, conv::Convolution v, void* workspace, std::size_t bytes, std::uint64_t id) {
  const auto owner = find<Handle>(handle);
  const auto way = std::find_if(std::begin(kWays), std::end(kWays), [&](const Way& one) { return one.id == id; });
  if (!owner || way == std::end(kWays)) return miopen::kBadParm;
  if (!v.x.data || !v.w.data || !v.y.data) return miopen::kBadParm;
  const auto stream = api::stream_of(owner->stream);
  if (!stream || bytes < way->workspace) return miopen::kBadParm;
  if (way->workspace > 0 &&
      !holds(stream->device, reinterpret_cast<std::uintptr_t>(workspace), bytes, "MIOpen: workspace"))
    return miopen::kBadParm;
  if (!conv::in_memory(stream->device, v)) return miopen::kInvalidValue;
  v.unstable = way->unstable;
  v.tf32 = way->algorithm == miopen::kFft;
  const int code = submit(*stream, {nullptr, [v, device = &stream->device] { return conv::run(*device, v); }});
  return code == kOk ? miopen::kSuccess : miopen::kInternalError;
}

}  // namespace

#define ENTER_MIOPEN  \
  ENTER_HIP(nothing); \
  if (current_device()->lost()) return miopen::kInternalError

STANDIN_EXPORT int miopenGetVersion(std::size_t* major, std::size_t* minor, std::size_t* patch) {
  ENTER_MIOPEN;
  *major = 3;
  *minor = 2;
  *patch = 0;
  return miopen::kSuccess;
}
STANDIN_EXPORT const char* miopenGetErrorString(int status) {
  return status == miopen::kSuccess       ? "miopenStatusSuccess"
         : status == miopen::kAllocFailed ? "miopenStatusAllocFailed"
         : status == miopen::kBadParm     ? "miopenStatusBadParm"
                                          : "miopenStatusInternalError";
}
STANDIN_EXPORT int miopenCreateWithStream(miopen::Handle* out, hip::Stream stream) {
  ENTER_MIOPEN;
  if (stream && !machine().streams.find(stream)) return miopen::kBadParm;
  return Objects<Handle>::add(out, {stream});
}
STANDIN_EXPORT int miopenDestroy(miopen::Handle handle) {
  const bool removed = Objects<Handle>::remove(handle);
  STANDIN_ENTER(nothing);
  return removed ? miopen::kSuccess : miopen::kBadParm;
}
STANDIN_EXPORT int miopenCreateTensorDescriptor(miopen::Tensor* out) {
  ENTER_MIOPEN;
  return Objects<TensorSlot>::add(out, {});
}
STANDIN_EXPORT int miopenSetTensorDescriptor(miopen::Tensor handle, int type, int count, const int* extents,
                                             const int* strides) {
  ENTER_MIOPEN;
  const auto slot = find<TensorSlot>(handle);
  if (!slot || !extents || !strides || count != 4) return miopen::kBadParm;
  if (type != miopen::kFloat && type != miopen::kHalf && type != miopen::kBfloat16) return miopen::kNotImplemented;
  slot->tensor.type = type == miopen::kFloat  ? conv::Type::f32
                      : type == miopen::kHalf ? conv::Type::f16
                                              : conv::Type::bf16;
  for (std::size_t i = 0; i < 4; ++i) {
    if (extents[i] < 1 || strides[i] < 1) return miopen::kBadParm;
    slot->tensor.extents[i] = extents[i];
    slot->tensor.strides[i] = strides[i];
  }
  slot->set = true;
  return miopen::kSuccess;
}
STANDIN_EXPORT int miopenDestroyTensorDescriptor(miopen::Tensor handle) {
  const bool removed = Objects<TensorSlot>::remove(handle);
  STANDIN_ENTER(nothing);
  return removed ? miopen::kSuccess : miopen::kBadParm;
}
STANDIN_EXPORT int miopenCreateConvolutionDescriptor(miopen::Convolution* out) {
  ENTER_MIOPEN;
  return Objects<ConvolutionSlot>::add(out, {});
}
STANDIN_EXPORT int miopenInitConvolutionDescriptor(miopen::Convolution handle, int mode, int pad_h, int pad_w,
                                                   int stride_h, int stride_w, int dilation_h, int dilation_w) {
  ENTER_MIOPEN;
  const auto slot = find<ConvolutionSlot>(handle);
  if (!slot || pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1 || dilation_h < 1 || dilation_w < 1)
    return miopen::kBadParm;
  if (mode != miopen::kCrossCorrelation) return miopen::kNotImplemented;
  slot->convolution.padding = {pad_h, pad_w};
  slot->convolution.stride = {stride_h, stride_w};
  slot->convolution.dilation = {dilation_h, dilation_w};
  slot->set = true;
  return miopen::kSuccess;
}
STANDIN_EXPORT int miopenSetConvolutionGroupCount(miopen::Convolution handle, int groups) {
  ENTER_MIOPEN;
  const auto slot = find<ConvolutionSlot>(handle);
  if (!slot || groups < 1) return miopen::kBadParm;
  slot->groups = groups;
  return miopen::kSuccess;
}
STANDIN_EXPORT int miopenSetConvolutionAttribute(miopen::Convolution handle, int attribute, int value) {
  ENTER_MIOPEN;
  const auto slot = find<ConvolutionSlot>(handle);
  if (!slot || attribute != miopen::kDeterministic || (value != 0 && value != 1)) return miopen::kBadParm;
  slot->deterministic = value == 1;
  return miopen::kSuccess;
}
STANDIN_EXPORT int miopenDestroyConvolutionDescriptor(miopen::Convolution handle) {
  const bool removed = Objects<ConvolutionSlot>::remove(handle);
  STANDIN_ENTER(nothing);
  return removed ? miopen::kSuccess : miopen::kBadParm;
}

// The operands of each pass in its own order.
#define MIOPEN_PASS(name, pass, first, second, third, x, w, y)                                                         \
  STANDIN_EXPORT int miopenConvolution##name##GetSolution(                                                             \
      miopen::Handle handle, miopen::Tensor first, miopen::Tensor second, miopen::Convolution c, miopen::Tensor third, \
      std::size_t wanted, std::size_t* found, miopen::Solution* out) {                                                 \
    ENTER_MIOPEN;                                                                                                      \
    conv::Convolution v;                                                                                               \
    bool deterministic = false;                                                                                        \
    if (const int status = describe(x, w, y, c, pass, v, deterministic)) return status;                                \
    return solutions(handle, v, deterministic, wanted, found, out);                                                    \
  }                                                                                                                    \
  STANDIN_EXPORT int miopenConvolution##name##Immediate(                                                               \
      miopen::Handle handle, miopen::Tensor first, const void* first##_data, miopen::Tensor second,                    \
      const void* second##_data, miopen::Convolution c, miopen::Tensor third, void* third##_data, void* workspace,     \
      std::size_t bytes, std::uint64_t solution) {                                                                     \
    ENTER_MIOPEN;                                                                                                      \
    conv::Convolution v;                                                                                               \
    bool deterministic = false;                                                                                        \
    if (const int status = describe(x, w, y, c, pass, v, deterministic)) return status;                                \
    v.x.data = const_cast<void*>(static_cast<const void*>(x##_data));                                                  \
    v.w.data = const_cast<void*>(static_cast<const void*>(w##_data));                                                  \
    v.y.data = const_cast<void*>(static_cast<const void*>(y##_data));                                                  \
    return execute(handle, v, workspace, bytes, solution);                                                             \
  }
MIOPEN_PASS(Forward, conv::Pass::forward, w, x, y, x, w, y)
MIOPEN_PASS(BackwardData, conv::Pass::data, y, w, x, x, w, y)
MIOPEN_PASS(BackwardWeights, conv::Pass::filter, y, x, w, x, w, y)
