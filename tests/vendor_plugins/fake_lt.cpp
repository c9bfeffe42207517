// cuBLASLt or hipBLASLt, as FAKE_CUDA says: descriptors keep what is set, and the product refuses
// what the real library would. Four algorithms are offered, of which one does not work; their times on the fake
// device's clock are known, so a test can tell which one a measurement must choose.
#include <cstring>
#include <vector>

#ifdef FAKE_CUDA
#include "backends/cuda/lt.hpp"
#else
#include "backends/hip/lt.hpp"
#endif
#include "machine.hpp"

using namespace portico::test;
namespace lt = vendor::lt;

namespace {

constexpr int kInvalid = 3;  // any code that is neither success nor a refusal

struct FakeDesc {
  int compute;
  std::int32_t trans_a = lt::kOpN, trans_b = lt::kOpN;
  std::uint32_t epilogue = lt::kEpilogueDefault;
  void *bias = nullptr, *aux = nullptr;
  std::int64_t ld_aux = 0;
};
struct FakeLayout {
  int type;
  std::uint64_t rows, columns;
  std::int64_t leading;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
};
struct FakePreference {
  std::uint64_t workspace = 0;
  std::uint32_t reduction = 7, alignment[4] = {256, 256, 256, 256};
};
struct FakeAlgorithm {
  std::uint16_t align_a, align_b;
  std::uint32_t index, workspace;
  float milliseconds;
};
static_assert(sizeof(FakeAlgorithm) == 16);
// The second is the fastest; the last is as good within the error of a measurement, and may not be preferred.
constexpr FakeAlgorithm kOffered[] = {
    {1, 1, 0, 4096, 3.0f}, {1, 1, 1, 8192, 1.0f}, {1, 1, 2, 0, 0.1f}, {1, 1, 3, 0, 0.99f}};
constexpr std::uint32_t kBroken = 2;

template <typename T>
int store(T& to, const void* value, std::size_t size) {
  if (size != sizeof to) return kInvalid;
  std::memcpy(&to, value, size);
  return lt::kSuccess;
}

std::size_t width(int type) { return type == lt::kR32F ? 4 : 2; }

machine::Storage storage(int type) {
  return type == lt::kR32F                    ? machine::Storage::f32
         : type == lt::data_type(PORTICO_F16) ? machine::Storage::f16
                                              : machine::Storage::bf16;
}

bool fits(const FakeLayout& layout, const void* data) {
  const std::int64_t last = (layout.batch - 1) * layout.stride +
                            static_cast<std::int64_t>(layout.columns - 1) * layout.leading +
                            static_cast<std::int64_t>(layout.rows);
  return layout.leading >= static_cast<std::int64_t>(layout.rows) &&
         machine::inside(data, width(layout.type) * static_cast<std::size_t>(last));
}

bool aux_fits(const FakeDesc& desc, const FakeLayout& c, bool mask) {
  const auto rows = static_cast<std::int64_t>(c.rows);
  if (desc.ld_aux < rows || desc.ld_aux % (mask ? 128 : 8) != 0) return false;
  const std::size_t elements = static_cast<std::size_t>(desc.ld_aux) * (c.columns - 1) + c.rows;
  return machine::inside(desc.aux, mask ? (elements + 7) / 8 : elements * width(c.type));
}

template <typename Handle>
auto* desc_of(Handle handle) {
  return reinterpret_cast<FakeDesc*>(handle);
}
const FakeLayout& layout_of(lt::Layout layout) { return *reinterpret_cast<FakeLayout*>(layout); }

}  // namespace

#define LT(name) int PORTICO_LT(name)
extern "C" {

#ifdef FAKE_CUDA
std::size_t cublasLtGetVersion() { return 130000; }
#else
int hipblasLtGetVersion(lt::Handle, int* version) {
  *version = 1000;
  return lt::kSuccess;
}
#endif

LT(Create)(lt::Handle* handle) {
  if (const int code = machine::fault("LtCreate")) return code;
  *handle = reinterpret_cast<lt::Handle>(new int(1));
  return lt::kSuccess;
}
LT(Destroy)(lt::Handle handle) {
  delete reinterpret_cast<int*>(handle);
  return lt::kSuccess;
}
LT(MatmulDescCreate)(lt::Description* desc, int compute, int scale) {
  if (scale != lt::kR32F) return kInvalid;
  *desc = reinterpret_cast<lt::Description>(new FakeDesc{.compute = compute});
  return lt::kSuccess;
}
LT(MatmulDescDestroy)(lt::Description desc) {
  delete desc_of(desc);
  return lt::kSuccess;
}
LT(MatmulDescSetAttribute)(lt::Description desc, lt::Attribute attribute, const void* value, std::size_t size) {
  FakeDesc* fake = desc_of(desc);
  switch (attribute) {
    case lt::kMatmulTransA:
      return store(fake->trans_a, value, size);
    case lt::kMatmulTransB:
      return store(fake->trans_b, value, size);
    case lt::kMatmulEpilogue:
      return store(fake->epilogue, value, size);
    case lt::kMatmulBiasPointer:
      return store(fake->bias, value, size);
    case lt::kMatmulAuxPointer:
      return store(fake->aux, value, size);
    case lt::kMatmulAuxLeading:
      return store(fake->ld_aux, value, size);
    default:
      return kInvalid;
  }
}
LT(MatrixLayoutCreate)(lt::Layout* layout, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading) {
  *layout = reinterpret_cast<lt::Layout>(new FakeLayout{type, rows, columns, leading});
  return lt::kSuccess;
}
LT(MatrixLayoutDestroy)(lt::Layout layout) {
  delete reinterpret_cast<FakeLayout*>(layout);
  return lt::kSuccess;
}
LT(MatrixLayoutSetAttribute)(lt::Layout layout, lt::Attribute attribute, const void* value, std::size_t size) {
  auto* fake = reinterpret_cast<FakeLayout*>(layout);
  if (attribute == lt::kLayoutBatchCount) return store(fake->batch, value, size);
  return attribute == lt::kLayoutStridedBatchOffset ? store(fake->stride, value, size) : kInvalid;
}
LT(MatmulPreferenceCreate)(lt::Preference* preference) {
  *preference = reinterpret_cast<lt::Preference>(new FakePreference);
  return lt::kSuccess;
}
LT(MatmulPreferenceDestroy)(lt::Preference preference) {
  delete reinterpret_cast<FakePreference*>(preference);
  return lt::kSuccess;
}
LT(MatmulPreferenceSetAttribute)
(lt::Preference preference, lt::Attribute attribute, const void* value, std::size_t size) {
  auto* fake = reinterpret_cast<FakePreference*>(preference);
  if (attribute == lt::kPreferenceMaxWorkspaceBytes) return store(fake->workspace, value, size);
#ifdef FAKE_CUDA
  if (attribute == cuda::blas::kPreferenceReductionSchemeMask) return store(fake->reduction, value, size);
  const int operand = attribute - cuda::blas::kPreferenceMinAlignmentABytes;
  if (operand >= 0 && operand < 4) return store(fake->alignment[operand], value, size);
#endif
  return kInvalid;
}
LT(MatmulAlgoGetHeuristic)
(lt::Handle, lt::Description desc, lt::Layout a, lt::Layout, lt::Layout, lt::Layout, lt::Preference preference,
 int wanted, lt::Suggestion* results, int* found) {
  if (const int code = machine::fault("LtMatmulAlgoGetHeuristic")) return code;
  const auto* fake = reinterpret_cast<FakePreference*>(preference);
  *found = 0;
#ifdef FAKE_CUDA
  if (fake->reduction != cuda::blas::kReductionComputeType) return kInvalid;
#endif
  const bool half = layout_of(a).type != lt::kR32F;
  if (half && desc_of(desc)->compute != lt::compute_type(PORTICO_PRECISION_STRICT)) return lt::kNotSupported;
  for (const FakeAlgorithm& offered : kOffered) {
    if (offered.workspace > fake->workspace || *found == wanted) continue;
    FakeAlgorithm one = offered;
#ifdef FAKE_CUDA
    one.align_a = static_cast<std::uint16_t>(fake->alignment[0]);  // what the product will hold the operands to
    one.align_b = static_cast<std::uint16_t>(fake->alignment[1]);
#endif
    lt::Suggestion& result = results[(*found)++];
    result = {};
    std::memcpy(&result.algo, &one, sizeof one);
    result.workspace_size = one.workspace;
    result.state = lt::kSuccess;
  }
  return lt::kSuccess;
}
LT(Matmul)
(lt::Handle, lt::Description handle, const void* alpha, const void* a, lt::Layout layout_a, const void* b,
 lt::Layout layout_b, const void* beta, const void* c, lt::Layout layout_c, void* d, lt::Layout layout_d,
 const lt::Algorithm* algorithm, void* workspace, std::size_t workspace_size, lt::StreamHandle stream) {
  if (const int code = machine::fault("LtMatmul")) return code;
  const FakeDesc desc = *desc_of(handle);
  const FakeLayout &la = layout_of(layout_a), &lb = layout_of(layout_b), &lc = layout_of(layout_c);
  FakeAlgorithm chosen;
  std::memcpy(&chosen, algorithm, sizeof chosen);
  if (chosen.index == kBroken) return lt::kNotSupported;
  const auto aligned = [](const void* p, std::uint64_t to) { return reinterpret_cast<std::uintptr_t>(p) % to == 0; };
  if (!aligned(a, chosen.align_a) || !aligned(b, chosen.align_b)) return lt::kNotSupported;
  if (workspace_size != chosen.workspace || (workspace_size > 0 && !machine::inside(workspace, workspace_size)))
    return kInvalid;
  if (layout_c != layout_d || !fits(la, a) || !fits(lb, b) || !fits(lc, c) || !fits(lc, d)) return kInvalid;

  const std::uint32_t epilogue = desc.epilogue;
  const bool sums_b = epilogue == lt::kEpilogueSumB;
  const bool d_relu = lt::kReluMasks && (epilogue & ~lt::kEpilogueBiasGradient) == lt::kEpilogueDRelu;
  const bool d_gelu = (epilogue & ~lt::kEpilogueBiasGradient) == lt::kEpilogueDGelu;
  const bool gradient = d_relu || d_gelu, forward = !sums_b && !gradient;
  const bool relu = d_relu || (forward && epilogue & lt::kEpilogueRelu);
  const bool gelu = d_gelu || (forward && epilogue & lt::kEpilogueGelu);
  const bool biased = forward && epilogue & lt::kEpilogueBias;
  const bool collects = sums_b || (gradient && epilogue & lt::kEpilogueBiasGradient);
  const bool has_aux = gradient || (forward && epilogue & lt::kEpilogueAux);
  const std::size_t vector = width(lc.type) * (sums_b ? lc.columns : lc.rows);
  if ((biased || collects) && !machine::inside(desc.bias, vector)) return kInvalid;
  if (has_aux && (lc.batch != 1 || !aux_fits(desc, lc, relu))) return kInvalid;
  if (relu && has_aux && !lt::kReluMasks) return lt::kNotSupported;

  for (std::int32_t i = 0; i < lc.batch; ++i) {
    const auto item = [&](const void* base, const FakeLayout& layout) {
      return const_cast<char*>(static_cast<const char*>(base)) +
             i * layout.stride * static_cast<std::int64_t>(width(layout.type));
    };
    const machine::Product product = {
        .trans_a = desc.trans_a == lt::kOpT,
        .trans_b = desc.trans_b == lt::kOpT,
        .m = static_cast<long>(lc.rows),
        .n = static_cast<long>(lc.columns),
        .k = static_cast<long>(desc.trans_a == lt::kOpT ? la.rows : la.columns),
        .lda = la.leading,
        .ldb = lb.leading,
        .ldc = lc.leading,
        .a = item(a, la),
        .b = item(b, lb),
        .c = item(c, lc),
        .d = item(d, lc),
        .alpha = *static_cast<const float*>(alpha),
        .beta = *static_cast<const float*>(beta),
        .bias = biased ? desc.bias : nullptr,
        .storage = storage(lc.type),
        .form = sums_b     ? machine::Form::row_sums
                : gradient ? machine::Form::gradient
                           : machine::Form::forward,
        .act = relu   ? machine::Act::relu
               : gelu ? machine::Act::gelu_tanh
                      : machine::Act::none,
        .aux = has_aux ? desc.aux : nullptr,
        .ld_aux = desc.ld_aux,
        .bias_gradient = collects ? desc.bias : nullptr,
    };
    machine::enqueue(reinterpret_cast<FakeStream*>(stream), [product] { machine::multiply(product); });
  }
  machine::spend(chosen.milliseconds);
  machine::note_product(static_cast<int>(chosen.index), desc.compute);
  return lt::kSuccess;
}

}  // extern "C"
