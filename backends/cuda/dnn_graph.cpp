#include "backends/cuda/dnn_graph.hpp"

#include <array>
#include <string>

#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

namespace dnn = cuda::dnn;

void dnn_failed(const dnn::Table& table, const char* what, dnn::Status status) {
  const bool memory = status == dnn::kHostAllocationFailed || status == dnn::kDeviceAllocationFailed;
  throw plugin::Failure{memory ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                        std::string("cuda: ") + what + " of cuDNN: " + table.cudnnGetErrorString(status) + " (status " +
                            std::to_string(status) + ")"};
}

DnnDescriptor::DnnDescriptor(const dnn::Table& table, dnn::Kind kind) : table_(&table) {
  const dnn::Status status = table.cudnnBackendCreateDescriptor(kind, &raw_);
  if (status != dnn::kSuccess) dnn_failed(table, "a descriptor", status);
}

DnnDescriptor::~DnnDescriptor() {
  if (raw_) table_->cudnnBackendDestroyDescriptor(raw_);
}

void DnnDescriptor::set_raw(dnn::Attribute attribute, dnn::Type type, std::int64_t count, const void* values,
                            const char* what) {
  const dnn::Status status = table_->cudnnBackendSetAttribute(raw_, attribute, type, count, values);
  if (status != dnn::kSuccess) throw DnnRefused{status, what};
}

void DnnDescriptor::finalize(const char* what) {
  const dnn::Status status = table_->cudnnBackendFinalize(raw_);
  if (status != dnn::kSuccess) throw DnnRefused{status, what};
}

namespace {

using Four = std::array<std::int64_t, 4>;

dnn::DataType data_type(std::int32_t dtype) {
  return dtype == PORTICO_F32 ? dnn::kFloat : dtype == PORTICO_F16 ? dnn::kHalf : dnn::kBfloat16;
}

// Extents are written N, C, H, W whatever the memory's order; the strides say that it is channels last.
DnnDescriptor tensor(const dnn::Table& table, DnnTensor name, dnn::DataType type, const Four& extents,
                     std::int64_t alignment, bool is_virtual) {
  DnnDescriptor made(table, dnn::kTensor);
  const Four strides = {extents[1] * extents[2] * extents[3], 1, extents[1] * extents[3], extents[1]};
  const auto id = static_cast<std::int64_t>(name);
  made.set(dnn::kTensorDataType, dnn::kTypeDataType, type, "a tensor's type");
  made.set(dnn::kTensorDimensions, dnn::kTypeInt64, extents.data(), 4, "a tensor's extents");
  made.set(dnn::kTensorStrides, dnn::kTypeInt64, strides.data(), 4, "a tensor's strides");
  made.set(dnn::kTensorUniqueId, dnn::kTypeInt64, id, "a tensor's name");
  made.set(dnn::kTensorAlignment, dnn::kTypeInt64, alignment, "a tensor's alignment");
  made.set(dnn::kTensorIsVirtual, dnn::kTypeBoolean, is_virtual, "a tensor's place");
  made.finalize("a tensor");
  return made;
}

DnnDescriptor convolution(const dnn::Table& table, const ConvShape& shape) {
  DnnDescriptor made(table, dnn::kConvolution);
  const auto pair = [](const std::int32_t* values) { return std::array<std::int64_t, 2>{values[0], values[1]}; };
  const std::array padding = pair(shape.padding), strides = pair(shape.stride), dilations = pair(shape.dilation);
  const std::int64_t dims = 2;
  made.set(dnn::kConvolutionComputeType, dnn::kTypeDataType, dnn::kFloat, "the sums' type");
  made.set(dnn::kConvolutionMode, dnn::kTypeConvolutionMode, dnn::kCrossCorrelation, "the convolution's mode");
  made.set(dnn::kConvolutionSpatialDims, dnn::kTypeInt64, dims, "the convolution's dimensions");
  made.set(dnn::kConvolutionPrePaddings, dnn::kTypeInt64, padding.data(), 2, "padding");
  made.set(dnn::kConvolutionPostPaddings, dnn::kTypeInt64, padding.data(), 2, "padding");
  made.set(dnn::kConvolutionStrides, dnn::kTypeInt64, strides.data(), 2, "strides");
  made.set(dnn::kConvolutionDilations, dnn::kTypeInt64, dilations.data(), 2, "dilations");
  made.finalize("a convolution");
  return made;
}

// The six attributes of each pass' operation.
struct Names {
  dnn::Kind kind;
  dnn::Attribute alpha, beta, convolution, weight, x, y;
};
constexpr Names kPasses[] = {
    {dnn::kConvolutionForward, dnn::kForwardAlpha, dnn::kForwardBeta, dnn::kForwardConvolution, dnn::kForwardW,
     dnn::kForwardX, dnn::kForwardY},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataAlpha, dnn::kBackwardDataBeta, dnn::kBackwardDataConvolution,
     dnn::kBackwardDataW, dnn::kBackwardDataDx, dnn::kBackwardDataDy},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterAlpha, dnn::kBackwardFilterBeta,
     dnn::kBackwardFilterConvolution, dnn::kBackwardFilterDw, dnn::kBackwardFilterX, dnn::kBackwardFilterDy},
};

DnnDescriptor pointwise(const dnn::Table& table, int mode) {
  DnnDescriptor made(table, dnn::kPointwise);
  made.set(dnn::kPointwiseMode, dnn::kTypePointwiseMode, mode, "a pointwise operation's mode");
  made.set(dnn::kPointwiseMathType, dnn::kTypeDataType, dnn::kFloat, "a pointwise operation's type");
  made.finalize("a pointwise operation");
  return made;
}

}  // namespace

const DnnDescriptor& DnnGraph::keep(DnnDescriptor made) {
  parts.push_back(std::move(made));
  return parts.back();
}

DnnGraph::DnnGraph(const dnn::Table& table, dnn::Handle handle, const ConvKey& key) {
  const ConvShape& s = key.shape;
  const dnn::DataType type = data_type(s.dtype);
  const bool forward = s.pass == PORTICO_CONV_FORWARD;
  const bool shifted = forward && key.has_bias, relu = forward && s.activation == PORTICO_ACT_RELU;
  const Four images = {s.n, s.k, s.p, s.q};
  parts.reserve(16);  // references into it stay good
  std::vector<dnn::Descriptor> operations;

  const DnnDescriptor& x = keep(tensor(table, DnnTensor::x, type, {s.n, s.c, s.h, s.w}, key.align_x, false));
  const DnnDescriptor& weight =
      keep(tensor(table, DnnTensor::weight, type, {s.k, s.c / s.groups, s.r, s.s}, key.align_weight, false));
  const DnnDescriptor& y = keep(tensor(table, DnnTensor::y, type, images, key.align_y, false));
  // What never reaches memory stays f32, so that the result is rounded once.
  const auto passing = [&](DnnTensor name) -> const DnnDescriptor& {
    return keep(tensor(table, name, dnn::kFloat, images, 16, true));
  };
  const DnnDescriptor& product = shifted || relu ? passing(DnnTensor::product) : y;
  const DnnDescriptor& described = keep(convolution(table, s));

  const Names& names = kPasses[s.pass];
  DnnDescriptor operation(table, names.kind);
  const float one = 1.0f, zero = 0.0f;
  operation.set(names.alpha, dnn::kTypeFloat, one, "alpha");
  operation.set(names.beta, dnn::kTypeFloat, zero, "beta");
  operation.set(names.convolution, described, "the convolution");
  operation.set(names.x, x, "x");
  operation.set(names.weight, weight, "the weight");
  operation.set(names.y, product, "y");
  operation.finalize("the convolution's operation");
  operations.push_back(keep(std::move(operation)).raw());

  const auto follow = [&](int mode, const DnnDescriptor& from, const DnnDescriptor* other, const DnnDescriptor& to) {
    const DnnDescriptor& what = keep(pointwise(table, mode));
    DnnDescriptor next(table, dnn::kPointwiseOperation);
    next.set(dnn::kPointwiseDescriptor, what, "a pointwise operation");
    next.set(dnn::kPointwiseX, from, "a pointwise operand");
    if (other) next.set(dnn::kPointwiseB, *other, "a pointwise operand");
    next.set(dnn::kPointwiseY, to, "a pointwise result");
    next.finalize("a pointwise operation");
    operations.push_back(keep(std::move(next)).raw());
  };
  const DnnDescriptor* last = &product;
  if (shifted) {
    const DnnDescriptor& bias = keep(tensor(table, DnnTensor::bias, type, {1, s.k, 1, 1}, key.align_bias, false));
    const DnnDescriptor& sum = relu ? passing(DnnTensor::shifted) : y;
    follow(dnn::kAdd, product, &bias, sum);
    last = &sum;
  }
  if (relu) follow(dnn::kReluForward, *last, nullptr, y);

  graph = DnnDescriptor(table, dnn::kOperationGraph);
  graph.set(dnn::kGraphHandle, dnn::kTypeHandle, handle, "the handle");
  graph.set(dnn::kGraphOperations, dnn::kTypeDescriptor, operations.data(),
            static_cast<std::int64_t>(operations.size()), "the operations");
  graph.finalize("the operation graph");
}

}  // namespace portico::cuda_hip
