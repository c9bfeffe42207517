// cuBLASLt or hipBLASLt, by STANDIN_CUDA.
#include <atomic>
#include <cstring>

#ifdef STANDIN_CUDA
#include "backends/cuda/lt.hpp"
#else
#include "backends/hip/lt.hpp"
#endif
#include "tests/standin/blas/product.hpp"
#include "tests/standin/driver/control.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"
#include "tests/standin/export.hpp"

namespace lt = vendor::lt;
using namespace portico::standin;

namespace {

#ifdef STANDIN_CUDA
constexpr int kBadHandle = 1, kBadValue = 7, kExecutionFailed = 13;
#else
constexpr int kBadHandle = 1, kBadValue = 3, kExecutionFailed = 6;
#endif

struct Handle {};
struct Description {
  int compute;
  std::int32_t trans_a = lt::kOpN, trans_b = lt::kOpN;
  std::uint32_t epilogue = lt::kEpilogueDefault;
  void *bias = nullptr, *aux = nullptr;
  std::int64_t ld_aux = 0;
};
struct Layout {
  blas::Type type;
  std::uint64_t rows, columns;
  std::int64_t leading;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
};
struct Preference {
  std::uint64_t workspace = 0;
  std::uint32_t reduction = ~0u, alignment[4] = {256, 256, 256, 256};
};

// What a suggestion holds: how it was asked for decides where it may be used.
struct Chosen {
  std::uint16_t align_a, align_b, align_c;
  std::uint16_t number;
  std::uint32_t workspace;
  std::uint32_t check;
};
static_assert(sizeof(Chosen) == 16);
constexpr std::uint32_t kCheck = 0x5a17ab1e;

// What is suggested, in this order. The third is refused when it is to run; of the others, by what they state (Clock),
// the second is the fastest, and the last one is as good within the error of a measurement.
struct Offer {
  std::uint32_t workspace;
  double milliseconds;
};
constexpr Offer kOffers[] = {{4096, 3.0}, {8192, 1.0}, {0, 0.1}, {0, 0.99}};
constexpr std::uint16_t kRefused = 2;

std::atomic<std::uint64_t> g_products{0};
std::atomic<int> g_algorithm{-1}, g_compute{-1};

template <typename T>
struct Objects {
  static Table<T>& table() {
    static auto& made = *new Table<T>;
    return made;
  }
  template <typename H>
  static int add(H* out, T object) {
    if (!out) return kBadValue;
    *out = static_cast<H>(table().add(std::make_shared<T>(object)));
    ++machine().others;
    return lt::kSuccess;
  }
  static int remove(void* handle) {
    if (!table().remove(handle)) return kBadValue;
    --machine().others;
    return lt::kSuccess;
  }
};
template <typename T, typename H>
std::shared_ptr<T> find(H handle) {
  return Objects<T>::table().find(handle);
}

bool type_of(int type, blas::Type& out) {
  for (const auto& [dtype, mine] :
       {std::pair{PORTICO_F32, blas::Type::f32}, {PORTICO_F16, blas::Type::f16}, {PORTICO_BF16, blas::Type::bf16}})
    if (lt::data_type(dtype) == type) {
      out = mine;
      return true;
    }
  return false;
}

template <typename T>
int store(T& to, const void* value, std::size_t size) {
  if (!value || size != sizeof to) return kBadValue;
  std::memcpy(&to, value, size);
  return lt::kSuccess;
}

// The product that the descriptions mean; a status when they do not fit together.
int describe(const Description& desc, const Layout& a, const Layout& b, const Layout& c, const Layout& d,
             blas::Product& p) {
  for (const std::int32_t op : {desc.trans_a, desc.trans_b})
    if (op != lt::kOpN && op != lt::kOpT) return kBadValue;
  p.trans_a = desc.trans_a == lt::kOpT;
  p.trans_b = desc.trans_b == lt::kOpT;
  const auto rows = [](const Layout& m, bool t) { return static_cast<std::int64_t>(t ? m.columns : m.rows); };
  p.m = rows(a, p.trans_a);
  p.k = rows(a, !p.trans_a);
  p.n = rows(b, !p.trans_b);
  p.batch = d.batch;
  if (rows(b, p.trans_b) != p.k || rows(c, false) != p.m || rows(c, true) != p.n || rows(d, false) != p.m ||
      rows(d, true) != p.n)
    return kBadValue;
  for (const Layout* one : {&a, &b, &c, &d}) {
    if (one->leading < static_cast<std::int64_t>(one->rows) || one->batch != d.batch) return kBadValue;
    if (one->type != d.type) return lt::kNotSupported;
  }
  if (d.type != blas::Type::f32 && desc.compute != lt::compute_type(PORTICO_PRECISION_STRICT)) return lt::kNotSupported;
  const auto matrix = [](const Layout& m) {
    return blas::Matrix{nullptr,   m.type,  static_cast<std::int64_t>(m.rows), static_cast<std::int64_t>(m.columns),
                        m.leading, m.stride};
  };
  p.a = matrix(a);
  p.b = matrix(b);
  p.c = matrix(c);
  p.d = matrix(d);

  const std::uint32_t plain = desc.epilogue & ~lt::kEpilogueBiasGradient;
  const bool d_relu = lt::kReluMasks && plain == lt::kEpilogueDRelu, d_gelu = plain == lt::kEpilogueDGelu;
  p.backward = d_relu || d_gelu;
  bool aux = p.backward, bias = false;
  if (p.backward) {
    p.activation = d_relu ? blas::Activation::relu : blas::Activation::gelu;
    bias = desc.epilogue != plain;
    if (bias) p.bias_gradient = blas::BiasGradient::of_d;
  } else if (desc.epilogue == lt::kEpilogueSumB) {
    bias = true;
    p.bias_gradient = blas::BiasGradient::of_b;
  } else if (desc.epilogue != lt::kEpilogueDefault) {
    const bool relu = desc.epilogue & lt::kEpilogueRelu, gelu = desc.epilogue & lt::kEpilogueGelu;
    const std::uint32_t known = lt::kEpilogueRelu | lt::kEpilogueGelu | lt::kEpilogueBias | lt::kEpilogueAux;
    aux = desc.epilogue & lt::kEpilogueAux;
    bias = desc.epilogue & lt::kEpilogueBias;
    if (desc.epilogue & ~known || (relu && gelu) || (aux && !relu && !gelu)) return kBadValue;
    if (aux && relu && !lt::kReluMasks) return lt::kNotSupported;
    p.activation = relu ? blas::Activation::relu : gelu ? blas::Activation::gelu : blas::Activation::none;
  }
  p.bias_type = d.type;
  p.bias = bias ? desc.bias : nullptr;
  p.aux = aux ? desc.aux : nullptr;
  p.aux_leading = desc.ld_aux;
  if ((bias && !desc.bias) || (aux && !desc.aux)) return kBadValue;
  if (aux) {
    const std::int64_t step = p.activation == blas::Activation::relu ? 128 : 8;
    if (desc.ld_aux < p.m || desc.ld_aux % step != 0 || d.batch != 1) return kBadValue;
    if (reinterpret_cast<std::uintptr_t>(desc.aux) % 16 != 0) return kBadValue;
  }
  return lt::kSuccess;
}

bool aligned(const void* pointer, std::size_t to) { return reinterpret_cast<std::uintptr_t>(pointer) % to == 0; }

}  // namespace

#define LT(name) STANDIN_EXPORT int PORTICO_LT(name)
#define ENTER_LT          \
  STANDIN_ENTER(nothing); \
  if (current_device() && current_device()->lost()) return kExecutionFailed

#ifdef STANDIN_CUDA
STANDIN_EXPORT std::size_t cublasLtGetVersion() { return 130000; }
#else
STANDIN_EXPORT int hipblasLtGetVersion(lt::Handle, int* version) {
  STANDIN_ENTER(nothing);
  *version = 1000;
  return lt::kSuccess;
}
#endif

LT(Create)(lt::Handle* out) {
  ENTER_LT;
  return Objects<Handle>::add(out, {});
}
LT(Destroy)(lt::Handle handle) {
  STANDIN_GIVE_BACK(nothing, Objects<Handle>::remove(handle) == lt::kSuccess ? lt::kSuccess : kBadHandle);
}
LT(MatmulDescCreate)(lt::Description* out, int compute, int scale) {
  ENTER_LT;
  if (scale != lt::kR32F) return lt::kNotSupported;
  bool known = false;
  for (const int precision : {PORTICO_PRECISION_STRICT, PORTICO_PRECISION_TF32, PORTICO_PRECISION_BF16})
    known = known || compute == lt::compute_type(precision);
  return known ? Objects<Description>::add(out, {.compute = compute}) : kBadValue;
}
LT(MatmulDescDestroy)(lt::Description handle) { STANDIN_GIVE_BACK(nothing, Objects<Description>::remove(handle)); }
LT(MatmulDescSetAttribute)(lt::Description handle, lt::Attribute attribute, const void* value, std::size_t size) {
  ENTER_LT;
  const auto desc = find<Description>(handle);
  if (!desc) return kBadValue;
  switch (attribute) {
    case lt::kMatmulTransA:
      return store(desc->trans_a, value, size);
    case lt::kMatmulTransB:
      return store(desc->trans_b, value, size);
    case lt::kMatmulEpilogue:
      return store(desc->epilogue, value, size);
    case lt::kMatmulBiasPointer:
      return store(desc->bias, value, size);
    case lt::kMatmulAuxPointer:
      return store(desc->aux, value, size);
    case lt::kMatmulAuxLeading:
      return store(desc->ld_aux, value, size);
    default:
      return kBadValue;
  }
}
LT(MatrixLayoutCreate)(lt::Layout* out, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading) {
  ENTER_LT;
  Layout layout{blas::Type::f32, rows, columns, leading};
  return type_of(type, layout.type) ? Objects<Layout>::add(out, layout) : lt::kNotSupported;
}
LT(MatrixLayoutDestroy)(lt::Layout handle) { STANDIN_GIVE_BACK(nothing, Objects<Layout>::remove(handle)); }
LT(MatrixLayoutSetAttribute)(lt::Layout handle, lt::Attribute attribute, const void* value, std::size_t size) {
  ENTER_LT;
  const auto layout = find<Layout>(handle);
  if (!layout) return kBadValue;
  if (attribute == lt::kLayoutBatchCount) return store(layout->batch, value, size);
  return attribute == lt::kLayoutStridedBatchOffset ? store(layout->stride, value, size) : kBadValue;
}
LT(MatmulPreferenceCreate)(lt::Preference* out) {
  ENTER_LT;
  return Objects<Preference>::add(out, {});
}
LT(MatmulPreferenceDestroy)(lt::Preference handle) { STANDIN_GIVE_BACK(nothing, Objects<Preference>::remove(handle)); }
LT(MatmulPreferenceSetAttribute)
(lt::Preference handle, lt::Attribute attribute, const void* value, std::size_t size) {
  ENTER_LT;
  const auto preference = find<Preference>(handle);
  if (!preference) return kBadValue;
  if (attribute == lt::kPreferenceMaxWorkspaceBytes) return store(preference->workspace, value, size);
#ifdef STANDIN_CUDA
  if (attribute == cuda::blas::kPreferenceReductionSchemeMask) return store(preference->reduction, value, size);
  const int operand = attribute - cuda::blas::kPreferenceMinAlignmentABytes;
  if (operand >= 0 && operand < 4) return store(preference->alignment[operand], value, size);
#endif
  return kBadValue;
}
LT(MatmulAlgoGetHeuristic)
(lt::Handle handle, lt::Description desc_handle, lt::Layout a, lt::Layout b, lt::Layout c, lt::Layout d,
 lt::Preference preference_handle, int wanted, lt::Suggestion* results, int* found) {
  ENTER_LT;
  if (!find<Handle>(handle)) return kBadHandle;
  const auto desc = find<Description>(desc_handle);
  const auto preference = find<Preference>(preference_handle);
  const auto la = find<Layout>(a), lb = find<Layout>(b), lc = find<Layout>(c), ld = find<Layout>(d);
  if (!desc || !preference || !la || !lb || !lc || !ld || wanted < 1 || !results || !found) return kBadValue;
  *found = 0;
  blas::Product product;
  if (const int status = describe(*desc, *la, *lb, *lc, *ld, product)) return status;
  for (std::uint16_t number = 0; number < std::size(kOffers) && *found < wanted; ++number) {
    if (kOffers[number].workspace > preference->workspace) continue;
#ifdef STANDIN_CUDA
    const auto promised = [&](int operand) { return static_cast<std::uint16_t>(preference->alignment[operand]); };
    const Chosen chosen{promised(0), promised(1), promised(2), number, kOffers[number].workspace, kCheck};
#else
    const Chosen chosen{1, 1, 1, number, kOffers[number].workspace, kCheck};
#endif
    lt::Suggestion& result = results[(*found)++];
    result = {};
    std::memcpy(&result.algo, &chosen, sizeof chosen);
    result.workspace_size = chosen.workspace;
    result.state = lt::kSuccess;
    result.waves_count = 1.0f;
  }
  return *found > 0 ? lt::kSuccess : lt::kNotSupported;
}
LT(Matmul)
(lt::Handle handle, lt::Description desc_handle, const void* alpha, const void* a, lt::Layout layout_a, const void* b,
 lt::Layout layout_b, const void* beta, const void* c, lt::Layout layout_c, void* d, lt::Layout layout_d,
 const lt::Algorithm* algorithm, void* workspace, std::size_t workspace_size, lt::StreamHandle stream_handle) {
  ENTER_LT;
  if (!find<Handle>(handle)) return kBadHandle;
  const auto desc = find<Description>(desc_handle);
  const auto la = find<Layout>(layout_a), lb = find<Layout>(layout_b), lc = find<Layout>(layout_c),
             ld = find<Layout>(layout_d);
  if (!desc || !la || !lb || !lc || !ld || !alpha || !beta) return kBadValue;
  const auto stream = api::stream_of(stream_handle);
  if (!stream) return kBadValue;
  blas::Product product;
  if (const int status = describe(*desc, *la, *lb, *lc, *ld, product)) return status;
  Chosen chosen{1, 1, 1, 0, 0, kCheck};
  if (algorithm) std::memcpy(&chosen, algorithm, sizeof chosen);
  if (chosen.check != kCheck || chosen.number >= std::size(kOffers)) return kBadValue;
  if (algorithm && chosen.number == kRefused) return lt::kNotSupported;
  if (!aligned(a, chosen.align_a) || !aligned(b, chosen.align_b) || !aligned(d, chosen.align_c))
    return lt::kNotSupported;
  if (workspace_size < chosen.workspace) return lt::kNotSupported;
  if (chosen.workspace > 0 &&
      (!aligned(workspace, 16) ||
       !holds(stream->device, reinterpret_cast<std::uintptr_t>(workspace), workspace_size, "BLAS: workspace")))
    return kBadValue;
  product.alpha = *static_cast<const float*>(alpha);
  product.beta = *static_cast<const float*>(beta);
  product.a.data = const_cast<void*>(a);
  product.b.data = const_cast<void*>(b);
  product.c.data = const_cast<void*>(c);
  product.d.data = d;
  if (!blas::in_memory(stream->device, product)) return kBadValue;
  ++g_products;
  g_algorithm = chosen.number;
  g_compute = desc->compute;
  const int code = submit(*stream, {nullptr, [product, device = &stream->device] { return run(*device, product); },
                                    kOffers[chosen.number].milliseconds});
  return code == kOk ? lt::kSuccess : kExecutionFailed;
}

STANDIN_EXPORT std::uint64_t standin_products(int* algorithm, int* compute) {
  *algorithm = g_algorithm;
  *compute = g_compute;
  return g_products;
}
