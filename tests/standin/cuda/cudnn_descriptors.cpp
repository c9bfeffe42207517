#include "tests/standin/cuda/cudnn_descriptors.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace portico::standin::cudnn {
namespace {

namespace dnn = cuda::dnn;

// An attribute of a kind: its elements' type, how many there may be, whether it can be left out.
struct Rule {
  dnn::Kind kind;
  dnn::Attribute attribute;
  dnn::Type type;
  std::int64_t least, most;
  bool required = true;
};

// Every line is a line of the vendor's documentation.
constexpr Rule kRules[] = {
    {dnn::kTensor, dnn::kTensorUniqueId, dnn::kTypeInt64, 1, 1},
    {dnn::kTensor, dnn::kTensorDataType, dnn::kTypeDataType, 1, 1},
    {dnn::kTensor, dnn::kTensorAlignment, dnn::kTypeInt64, 1, 1},
    {dnn::kTensor, dnn::kTensorDimensions, dnn::kTypeInt64, 1, 8},
    {dnn::kTensor, dnn::kTensorStrides, dnn::kTypeInt64, 1, 8},
    {dnn::kTensor, dnn::kTensorIsVirtual, dnn::kTypeBoolean, 1, 1, false},
    {dnn::kConvolution, dnn::kConvolutionComputeType, dnn::kTypeDataType, 1, 1},
    {dnn::kConvolution, dnn::kConvolutionMode, dnn::kTypeConvolutionMode, 1, 1},
    {dnn::kConvolution, dnn::kConvolutionSpatialDims, dnn::kTypeInt64, 1, 1},
    {dnn::kConvolution, dnn::kConvolutionDilations, dnn::kTypeInt64, 1, 6},
    {dnn::kConvolution, dnn::kConvolutionStrides, dnn::kTypeInt64, 1, 6},
    {dnn::kConvolution, dnn::kConvolutionPrePaddings, dnn::kTypeInt64, 1, 6},
    {dnn::kConvolution, dnn::kConvolutionPostPaddings, dnn::kTypeInt64, 1, 6},
    {dnn::kConvolutionForward, dnn::kForwardAlpha, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionForward, dnn::kForwardBeta, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionForward, dnn::kForwardConvolution, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionForward, dnn::kForwardW, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionForward, dnn::kForwardX, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionForward, dnn::kForwardY, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataAlpha, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataBeta, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataConvolution, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataW, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataDx, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardData, dnn::kBackwardDataDy, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterAlpha, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterBeta, dnn::kTypeFloat, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterConvolution, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterDw, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterX, dnn::kTypeDescriptor, 1, 1},
    {dnn::kConvolutionBackwardFilter, dnn::kBackwardFilterDy, dnn::kTypeDescriptor, 1, 1},
    {dnn::kPointwise, dnn::kPointwiseMode, dnn::kTypePointwiseMode, 1, 1},
    {dnn::kPointwise, dnn::kPointwiseMathType, dnn::kTypeDataType, 1, 1},
    {dnn::kPointwiseOperation, dnn::kPointwiseDescriptor, dnn::kTypeDescriptor, 1, 1},
    {dnn::kPointwiseOperation, dnn::kPointwiseX, dnn::kTypeDescriptor, 1, 1},
    {dnn::kPointwiseOperation, dnn::kPointwiseB, dnn::kTypeDescriptor, 1, 1, false},
    {dnn::kPointwiseOperation, dnn::kPointwiseY, dnn::kTypeDescriptor, 1, 1},
    {dnn::kOperationGraph, dnn::kGraphHandle, dnn::kTypeHandle, 1, 1},
    {dnn::kOperationGraph, dnn::kGraphOperations, dnn::kTypeDescriptor, 1, 64},
    {dnn::kEngineHeuristics, dnn::kHeuristicsGraph, dnn::kTypeDescriptor, 1, 1},
    {dnn::kEngineHeuristics, dnn::kHeuristicsMode, dnn::kTypeHeuristicMode, 1, 1},
    {dnn::kExecutionPlan, dnn::kPlanHandle, dnn::kTypeHandle, 1, 1},
    {dnn::kExecutionPlan, dnn::kPlanEngineConfig, dnn::kTypeDescriptor, 1, 1},
    {dnn::kVariantPack, dnn::kPackUniqueIds, dnn::kTypeInt64, 0, 64},
    {dnn::kVariantPack, dnn::kPackPointers, dnn::kTypeVoidPointer, 0, 64},
    {dnn::kVariantPack, dnn::kPackWorkspace, dnn::kTypeVoidPointer, 1, 1},
};

std::size_t size_of(dnn::Type type) {
  switch (type) {
    case dnn::kTypeInt64:
    case dnn::kTypeHandle:
    case dnn::kTypeVoidPointer:
    case dnn::kTypeDescriptor:
      return 8;
    case dnn::kTypeBoolean:
      return 1;
    default:
      return 4;
  }
}

bool type_of(std::int64_t type, conv::Type& out) {
  out = type == dnn::kHalf ? conv::Type::f16 : type == dnn::kBfloat16 ? conv::Type::bf16 : conv::Type::f32;
  return type == dnn::kFloat || type == dnn::kHalf || type == dnn::kBfloat16;
}

int check_tensor(const Descriptor& d) {
  const auto& extents = d.values.at(dnn::kTensorDimensions).numbers;
  const auto& strides = d.values.at(dnn::kTensorStrides).numbers;
  if (extents.size() != strides.size()) return dnn::kBadParamShapeMismatch;
  for (std::size_t i = 0; i < extents.size(); ++i)
    if (extents[i] < 1 || strides[i] < 1) return dnn::kBadParam;
  conv::Type type{};
  if (!type_of(d.number(dnn::kTensorDataType), type)) return dnn::kNotSupported;
  const std::int64_t alignment = d.number(dnn::kTensorAlignment), element = type == conv::Type::f32 ? 4 : 2;
  return alignment >= element && (alignment & (alignment - 1)) == 0 ? dnn::kSuccess : dnn::kBadParam;
}

int check_convolution(const Descriptor& d) {
  const auto dims = static_cast<std::size_t>(d.number(dnn::kConvolutionSpatialDims));
  for (const dnn::Attribute each : {dnn::kConvolutionDilations, dnn::kConvolutionStrides, dnn::kConvolutionPrePaddings,
                                    dnn::kConvolutionPostPaddings}) {
    const auto& numbers = d.values.at(each).numbers;
    if (numbers.size() != dims) return dnn::kBadParam;
    const bool padding = each == dnn::kConvolutionPrePaddings || each == dnn::kConvolutionPostPaddings;
    for (const std::int64_t value : numbers)
      if (value < (padding ? 0 : 1)) return dnn::kBadParam;
  }
  if (dims != 2 || d.number(dnn::kConvolutionComputeType) != dnn::kFloat) return dnn::kNotSupported;
  return d.number(dnn::kConvolutionMode) == dnn::kCrossCorrelation ? dnn::kSuccess : dnn::kNotSupported;
}

Meaning::Operand operand(const Descriptor& tensor) {
  Meaning::Operand out{tensor.number(dnn::kTensorUniqueId), tensor.number(dnn::kTensorAlignment), {}};
  type_of(tensor.number(dnn::kTensorDataType), out.tensor.type);
  const auto& extents = tensor.values.at(dnn::kTensorDimensions).numbers;
  const auto& strides = tensor.values.at(dnn::kTensorStrides).numbers;
  std::copy_n(extents.begin(), std::min<std::size_t>(extents.size(), 4), out.tensor.extents.begin());
  std::copy_n(strides.begin(), std::min<std::size_t>(strides.size(), 4), out.tensor.strides.begin());
  return out;
}

bool is_virtual(const Descriptor& tensor) {
  const auto found = tensor.values.find(dnn::kTensorIsVirtual);
  return found != tensor.values.end() && found->second.numbers.at(0) != 0;
}

// The parts of an operation in one order: convolution, w, x, y.
const dnn::Attribute* parts_of(dnn::Kind kind) {
  static constexpr dnn::Attribute kForward[] = {dnn::kForwardConvolution, dnn::kForwardW,     dnn::kForwardX,
                                                dnn::kForwardY,           dnn::kForwardAlpha, dnn::kForwardBeta};
  static constexpr dnn::Attribute kData[] = {dnn::kBackwardDataConvolution, dnn::kBackwardDataW,
                                             dnn::kBackwardDataDx,          dnn::kBackwardDataDy,
                                             dnn::kBackwardDataAlpha,       dnn::kBackwardDataBeta};
  static constexpr dnn::Attribute kFilter[] = {dnn::kBackwardFilterConvolution, dnn::kBackwardFilterDw,
                                               dnn::kBackwardFilterX,           dnn::kBackwardFilterDy,
                                               dnn::kBackwardFilterAlpha,       dnn::kBackwardFilterBeta};
  return kind == dnn::kConvolutionForward ? kForward : kind == dnn::kConvolutionBackwardData ? kData : kFilter;
}

// One convolution, then at most a bias and a relu, joined by virtual tensors.
int understand(const Descriptor& graph, Meaning& meaning) {
  const auto& operations = graph.values.at(dnn::kGraphOperations).descriptors;
  const Descriptor& first = *operations.at(0);
  const bool forward = first.kind == dnn::kConvolutionForward;
  if (!forward && first.kind != dnn::kConvolutionBackwardData && first.kind != dnn::kConvolutionBackwardFilter)
    return dnn::kNotSupported;
  const dnn::Attribute* const parts = parts_of(first.kind);
  const Descriptor& described = first.part(parts[0]);
  conv::Convolution& v = meaning.convolution;
  v.pass = forward                                       ? conv::Pass::forward
           : first.kind == dnn::kConvolutionBackwardData ? conv::Pass::data
                                                         : conv::Pass::filter;
  if (first.values.at(parts[4]).floats.at(0) != 1.0f || first.values.at(parts[5]).floats.at(0) != 0.0f)
    return dnn::kNotSupported;
  const auto pair = [&](dnn::Attribute attribute, std::array<std::int64_t, 2>& out) {
    std::copy_n(described.values.at(attribute).numbers.begin(), 2, out.begin());
  };
  pair(dnn::kConvolutionPrePaddings, v.padding);
  pair(dnn::kConvolutionStrides, v.stride);
  pair(dnn::kConvolutionDilations, v.dilation);
  if (described.values.at(dnn::kConvolutionPostPaddings).numbers !=
      described.values.at(dnn::kConvolutionPrePaddings).numbers)
    return dnn::kNotSupported;
  const Descriptor* last = &first.part(parts[3]);
  meaning.w = operand(first.part(parts[1]));
  meaning.x = operand(first.part(parts[2]));
  std::set<std::int64_t> seen = {meaning.w.id, meaning.x.id, last->number(dnn::kTensorUniqueId)};
  std::size_t tensors = 3;
  if (is_virtual(first.part(parts[1])) || is_virtual(first.part(parts[2]))) return dnn::kBadParam;
  for (std::size_t i = 1; i < operations.size(); ++i) {
    const Descriptor& next = *operations[i];
    if (!forward || next.kind != dnn::kPointwiseOperation) return dnn::kNotSupported;
    // What goes from one operation to the next must be the very same tensor, and never reach memory.
    if (&next.part(dnn::kPointwiseX) != last || !is_virtual(*last)) return dnn::kNotSupported;
    if (last->number(dnn::kTensorDataType) != dnn::kFloat) return dnn::kNotSupported;
    const std::int64_t mode = next.part(dnn::kPointwiseDescriptor).number(dnn::kPointwiseMode);
    const bool adds = mode == dnn::kAdd;
    if (adds && v.relu) return dnn::kNotSupported;
    if (!adds && mode != dnn::kReluForward) return dnn::kNotSupported;
    if (adds != (next.values.count(dnn::kPointwiseB) == 1)) return dnn::kBadParam;
    if (adds) {
      if (meaning.has_bias || is_virtual(next.part(dnn::kPointwiseB))) return dnn::kNotSupported;
      meaning.bias = operand(next.part(dnn::kPointwiseB));
      meaning.has_bias = true;
      seen.insert(meaning.bias.id);
      ++tensors;
      const std::int64_t k = meaning.w.tensor.extents[0];
      if (meaning.bias.tensor.extents != conv::Four{1, k, 1, 1}) return dnn::kBadParamShapeMismatch;
    } else {
      v.relu = true;
    }
    const Descriptor& made = next.part(dnn::kPointwiseY);
    if (made.values.at(dnn::kTensorDimensions).numbers != last->values.at(dnn::kTensorDimensions).numbers)
      return dnn::kBadParamShapeMismatch;
    last = &made;
    seen.insert(last->number(dnn::kTensorUniqueId));
    ++tensors;
  }
  if (seen.size() != tensors) return dnn::kBadParamDuplicated;
  if (is_virtual(*last)) return dnn::kBadParam;
  meaning.y = operand(*last);
  v.x = meaning.x.tensor;
  v.w = meaning.w.tensor;
  v.y = meaning.y.tensor;
  if (!conv::fits(v)) return dnn::kBadParamShapeMismatch;
  if (v.x.type != v.w.type || v.x.type != v.y.type || (meaning.has_bias && meaning.bias.tensor.type != v.x.type))
    return dnn::kNotSupported;
  return conv::is_dense(v.x) && conv::is_dense(v.w) && conv::is_dense(v.y) ? dnn::kSuccess : dnn::kNotSupported;
}

int check_pack(const Descriptor& d) {
  const auto& ids = d.values.at(dnn::kPackUniqueIds).numbers;
  if (ids.size() != d.values.at(dnn::kPackPointers).numbers.size()) return dnn::kBadParam;
  return std::set<std::int64_t>(ids.begin(), ids.end()).size() == ids.size() ? dnn::kSuccess : dnn::kBadParamDuplicated;
}

dnn::Kind expected(dnn::Attribute attribute) {
  switch (attribute) {
    case dnn::kForwardConvolution:
    case dnn::kBackwardDataConvolution:
    case dnn::kBackwardFilterConvolution:
      return dnn::kConvolution;
    case dnn::kPointwiseDescriptor:
      return dnn::kPointwise;
    case dnn::kHeuristicsGraph:
      return dnn::kOperationGraph;
    case dnn::kPlanEngineConfig:
      return dnn::kEngineConfig;
    case dnn::kGraphOperations:
      return -1;  // any operation
    default:
      return dnn::kTensor;
  }
}

}  // namespace

Table<Descriptor>& descriptors() {
  static auto& table = *new Table<Descriptor>;
  return table;
}
Table<Handle>& handles() {
  static auto& table = *new Table<Handle>;
  return table;
}

int set(Descriptor& descriptor, dnn::Attribute attribute, dnn::Type type, std::int64_t count, const void* elements) {
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& one) {
    return one.kind == descriptor.kind && one.attribute == attribute;
  });
  if (rule == std::end(kRules)) return dnn::kBadParam;
  if (rule->type != type) return dnn::kBadParamAttributeType;
  if (count < rule->least || count > rule->most) return dnn::kBadParam;
  if (!elements && count > 0) return dnn::kBadParamNullPointer;
  Values taken;
  const char* from = static_cast<const char*>(elements);
  for (std::int64_t i = 0; i < count; ++i, from += size_of(type)) {
    std::int64_t number = 0;
    std::memcpy(&number, from, size_of(type));
    if (type == dnn::kTypeFloat) {
      float value = 0;
      std::memcpy(&value, from, sizeof value);
      taken.floats.push_back(value);
    } else if (type == dnn::kTypeDescriptor) {
      const auto part = descriptors().find(reinterpret_cast<void*>(number));
      if (!part) return dnn::kBadParamNullPointer;
      if (!part->final) return dnn::kBadParamNotFinalized;
      if (const dnn::Kind wanted = expected(attribute); wanted >= 0 && part->kind != wanted) return dnn::kBadParam;
      taken.descriptors.push_back(part);
    } else if (type == dnn::kTypeHandle) {
      if (!handles().find(reinterpret_cast<void*>(number))) return dnn::kBadParam;
      taken.numbers.push_back(number);
    } else {
      taken.numbers.push_back(number);
    }
  }
  descriptor.values[attribute] = std::move(taken);
  return dnn::kSuccess;
}

int finalize(Descriptor& d) {
  for (const Rule& rule : kRules)
    if (rule.kind == d.kind && rule.required && !d.values.count(rule.attribute)) return dnn::kBadParam;
  int status = dnn::kSuccess;
  if (d.kind == dnn::kTensor) status = check_tensor(d);
  if (d.kind == dnn::kConvolution) status = check_convolution(d);
  if (d.kind == dnn::kVariantPack) status = check_pack(d);
  if (d.kind == dnn::kOperationGraph) {
    const auto made = std::make_shared<Meaning>();
    status = understand(d, *made);
    d.meaning = made;
  }
  if (d.kind == dnn::kEngineHeuristics) {
    d.meaning = d.part(dnn::kHeuristicsGraph).meaning;
    std::vector<Engine> engines;
    status = engines_for(*d.meaning, d.number(dnn::kHeuristicsMode), engines);
  }
  if (d.kind == dnn::kExecutionPlan) {
    const Descriptor& config = d.part(dnn::kPlanEngineConfig);
    d.meaning = config.meaning;
    d.engine = config.engine;
  }
  d.final = status == dnn::kSuccess;
  return status;
}

// The first would be fastest but rounds f32 factors; the next changes from run to run. The fused forms do not exist
// for dilated filters.
int engines_for(const Meaning& meaning, std::int64_t mode, std::vector<Engine>& out) {
  const conv::Convolution& v = meaning.convolution;
  if (mode != dnn::kHeuristicsA && mode != dnn::kHeuristicsFallback) return dnn::kNotSupported;
  if ((meaning.has_bias || v.relu) && (v.dilation[0] > 1 || v.dilation[1] > 1)) return dnn::kNotSupported;
  if (mode == dnn::kHeuristicsFallback)
    out = {{.index = 1000, .notes = {}, .workspace = 0}};
  else
    out = {{.index = 0, .notes = {dnn::kNoteTensorCore}, .workspace = 0},
           {.index = 2, .notes = {dnn::kNoteNondeterministic}, .workspace = 0},
           {.index = 1, .notes = {}, .workspace = 4096},
           {.index = 3, .notes = {}, .workspace = 0}};
  return dnn::kSuccess;
}

}  // namespace portico::standin::cudnn
