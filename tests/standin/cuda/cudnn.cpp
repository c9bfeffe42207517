// cuDNN 9, as far as the plugin uses it.
#include <cstring>

#include "tests/standin/cuda/cudnn_descriptors.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"
#include "tests/standin/export.hpp"

namespace dnn = cuda::dnn;
namespace cudnn = portico::standin::cudnn;
using namespace portico::standin;

namespace {

constexpr std::int64_t kWorkspaceAlignment = 16;

template <typename T>
int put(std::int64_t wanted, std::int64_t* count, void* out, const std::vector<T>& values) {
  if (count) *count = static_cast<std::int64_t>(values.size());
  if (wanted <= 0) return dnn::kSuccess;
  if (!out || !count) return dnn::kBadParamNullPointer;
  const std::size_t taken = std::min(values.size(), static_cast<std::size_t>(wanted));
  std::memcpy(out, values.data(), taken * sizeof(T));
  *count = static_cast<std::int64_t>(taken);
  return dnn::kSuccess;
}

// The caller's descriptors, made beforehand, become the results.
int fill(std::int64_t wanted, std::int64_t* count, void* out, dnn::Kind kind, const cudnn::Descriptor& from,
         const std::vector<cudnn::Engine>& engines) {
  if (!count) return dnn::kBadParamNullPointer;
  *count = static_cast<std::int64_t>(engines.size());
  if (wanted <= 0) return dnn::kSuccess;
  if (!out) return dnn::kBadParamNullPointer;
  *count = std::min(*count, wanted);
  for (std::int64_t i = 0; i < *count; ++i) {
    const auto target = cudnn::descriptors().find(static_cast<void**>(out)[i]);
    if (!target || target->kind != kind || target->final) return dnn::kBadParam;
    target->engine = engines[static_cast<std::size_t>(i)];
    target->meaning = from.meaning;
    target->final = true;
  }
  return dnn::kSuccess;
}

}  // namespace

#define ENTER_CUDNN       \
  STANDIN_ENTER(nothing); \
  if (current_device() && current_device()->lost()) return dnn::kExecutionFailed

// PORTICO_STANDIN_CUDNN_VERSION: what it says it is.
STANDIN_EXPORT std::size_t cudnnGetVersion() {
  const char* text = std::getenv("PORTICO_STANDIN_CUDNN_VERSION");
  return text ? std::strtoull(text, nullptr, 10) : 90100;
}
STANDIN_EXPORT const char* cudnnGetErrorString(int status) {
  switch (dnn::category(status)) {
    case 0:
      return "CUDNN_STATUS_SUCCESS";
    case 1:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case 2:
      return "CUDNN_STATUS_BAD_PARAM";
    case 3:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    case 4:
      return "CUDNN_STATUS_INTERNAL_ERROR";
    default:
      return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}
STANDIN_EXPORT int cudnnCreate(dnn::Handle* out) {
  ENTER_CUDNN;
  if (!out) return dnn::kBadParamNullPointer;
  if (!current_device()) return dnn::kNotInitialized;
  *out =
      static_cast<dnn::Handle>(cudnn::handles().add(std::make_shared<cudnn::Handle>(cudnn::Handle{current_device()})));
  ++machine().others;
  return dnn::kSuccess;
}
STANDIN_EXPORT int cudnnDestroy(dnn::Handle handle) {
  // Made all the same when it is to fail: what is left then would be the library's leak.
  const bool removed = cudnn::handles().remove(handle) != nullptr;
  if (removed) --machine().others;
  STANDIN_ENTER(nothing);
  return removed ? dnn::kSuccess : dnn::kBadParam;
}
STANDIN_EXPORT int cudnnSetStream(dnn::Handle handle, cuda::Stream stream) {
  ENTER_CUDNN;
  const auto owner = cudnn::handles().find(handle);
  const auto found = stream ? machine().streams.find(stream) : nullptr;
  if (!owner || (stream && (!found || &found->device != owner->device))) return dnn::kBadParam;
  owner->stream = stream;
  return dnn::kSuccess;
}
STANDIN_EXPORT int cudnnBackendCreateDescriptor(dnn::Kind kind, dnn::Descriptor* out) {
  ENTER_CUDNN;
  if (!out) return dnn::kBadParamNullPointer;
  auto made = std::make_shared<cudnn::Descriptor>();
  made->kind = kind;
  *out = cudnn::descriptors().add(std::move(made));
  ++machine().others;
  return dnn::kSuccess;
}
STANDIN_EXPORT int cudnnBackendDestroyDescriptor(dnn::Descriptor descriptor) {
  const bool removed = cudnn::descriptors().remove(descriptor) != nullptr;
  if (removed) --machine().others;
  STANDIN_ENTER(nothing);
  return removed ? dnn::kSuccess : dnn::kBadParam;
}
STANDIN_EXPORT int cudnnBackendSetAttribute(dnn::Descriptor handle, dnn::Attribute attribute, dnn::Type type,
                                            std::int64_t count, const void* elements) {
  ENTER_CUDNN;
  const auto descriptor = cudnn::descriptors().find(handle);
  if (!descriptor) return dnn::kBadParamNullPointer;
  if (descriptor->final) return dnn::kBadParam;
  return cudnn::set(*descriptor, attribute, type, count, elements);
}
STANDIN_EXPORT int cudnnBackendFinalize(dnn::Descriptor handle) {
  ENTER_CUDNN;
  const auto descriptor = cudnn::descriptors().find(handle);
  if (!descriptor) return dnn::kBadParamNullPointer;
  return descriptor->final ? dnn::kSuccess : cudnn::finalize(*descriptor);
}
STANDIN_EXPORT int cudnnBackendGetAttribute(dnn::Descriptor handle, dnn::Attribute attribute, dnn::Type type,
                                            std::int64_t wanted, std::int64_t* count, void* out) {
  ENTER_CUDNN;
  const auto d = cudnn::descriptors().find(handle);
  if (!d) return dnn::kBadParamNullPointer;
  if (!d->final) return dnn::kBadParamNotFinalized;
  const auto of = [&](dnn::Kind kind, dnn::Attribute name, dnn::Type expected) {
    return d->kind == kind && attribute == name && type == expected;
  };
  if (of(dnn::kEngineHeuristics, dnn::kHeuristicsResults, dnn::kTypeDescriptor)) {
    std::vector<cudnn::Engine> engines;
    cudnn::engines_for(*d->meaning, d->number(dnn::kHeuristicsMode), engines);
    return fill(wanted, count, out, dnn::kEngineConfig, *d, engines);
  }
  if (of(dnn::kEngineConfig, dnn::kEngineConfigEngine, dnn::kTypeDescriptor))
    return fill(wanted, count, out, dnn::kEngine, *d, {d->engine});
  if (of(dnn::kEngine, dnn::kEngineGlobalIndex, dnn::kTypeInt64))
    return put<std::int64_t>(wanted, count, out, {d->engine.index});
  if (of(dnn::kEngine, dnn::kEngineNumericalNotes, dnn::kTypeNumericalNote))
    return put(wanted, count, out, d->engine.notes);
  if (of(dnn::kExecutionPlan, dnn::kPlanWorkspaceSize, dnn::kTypeInt64))
    return put<std::int64_t>(wanted, count, out, {d->engine.workspace});
  return dnn::kBadParam;
}
STANDIN_EXPORT int cudnnBackendExecute(dnn::Handle handle, dnn::Descriptor plan_handle, dnn::Descriptor pack_handle) {
  ENTER_CUDNN;
  const auto owner = cudnn::handles().find(handle);
  const auto plan = cudnn::descriptors().find(plan_handle), pack = cudnn::descriptors().find(pack_handle);
  if (!owner || !plan || !pack) return dnn::kBadParamNullPointer;
  if (plan->kind != dnn::kExecutionPlan || pack->kind != dnn::kVariantPack) return dnn::kBadParam;
  if (!plan->final || !pack->final) return dnn::kBadParamNotFinalized;

  const cudnn::Meaning& meaning = *plan->meaning;
  const auto& ids = pack->values.at(dnn::kPackUniqueIds).numbers;
  const auto& pointers = pack->values.at(dnn::kPackPointers).numbers;
  if (ids.size() != (meaning.has_bias ? 4u : 3u)) return dnn::kBadParam;
  conv::Convolution convolution = meaning.convolution;
  const auto place = [&](const cudnn::Meaning::Operand& operand, conv::Tensor& to) -> int {
    const auto at = std::find(ids.begin(), ids.end(), operand.id);
    if (at == ids.end()) return dnn::kBadParam;
    const std::int64_t pointer = pointers[static_cast<std::size_t>(at - ids.begin())];
    to = operand.tensor;
    to.data = reinterpret_cast<void*>(pointer);
    return pointer % operand.alignment == 0 ? dnn::kSuccess : dnn::kBadParamMisaligned;
  };
  int status = place(meaning.x, convolution.x);
  if (status == dnn::kSuccess) status = place(meaning.w, convolution.w);
  if (status == dnn::kSuccess) status = place(meaning.y, convolution.y);
  if (status == dnn::kSuccess && meaning.has_bias) status = place(meaning.bias, convolution.bias);
  if (status != dnn::kSuccess) return status;
  const auto& notes = plan->engine.notes;
  convolution.tf32 = std::count(notes.begin(), notes.end(), dnn::kNoteTensorCore) > 0;
  convolution.unstable = std::count(notes.begin(), notes.end(), dnn::kNoteNondeterministic) > 0;

  const auto stream = api::stream_of(owner->stream);
  if (!stream) return dnn::kBadParam;
  const std::int64_t workspace = pack->number(dnn::kPackWorkspace);
  if (plan->engine.workspace > 0 && (workspace % kWorkspaceAlignment != 0 ||
                                     !holds(stream->device, static_cast<std::uintptr_t>(workspace),
                                            static_cast<std::size_t>(plan->engine.workspace), "cuDNN: workspace")))
    return dnn::kBadParam;
  if (!conv::in_memory(stream->device, convolution)) return dnn::kBadParam;
  const int code =
      submit(*stream, {nullptr, [convolution, device = &stream->device] { return conv::run(*device, convolution); }});
  return code == kOk ? dnn::kSuccess : dnn::kExecutionFailed;
}
