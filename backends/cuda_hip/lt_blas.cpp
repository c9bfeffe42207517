#include "backends/cuda_hip/lt_blas.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backends/cuda_hip/findings.hpp"
#include "backends/cuda_hip/state.hpp"
#include "backends/cuda_hip/trials.hpp"

namespace portico::cuda_hip {
namespace {

namespace lt = vendor::lt;
using plugin::Failure;

// What the choice of an algorithm depends on. No padding, so that bytes can be compared, hashed and remembered.
struct PlanKey {
  int32_t dtype, precision, trans_a, trans_b, m, n, k, batch, lda, ldb, ldc, beta_is_zero;
  uint32_t epilogue, has_scratch;
  int64_t stride_a, stride_b, stride_c, ld_aux;
  uint32_t align_a, align_b, align_c, align_bias, align_aux, reserved;

  bool operator==(const PlanKey& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(std::has_unique_object_representations_v<PlanKey>);

std::string_view bytes_of(const PlanKey& key) { return {reinterpret_cast<const char*>(&key), sizeof key}; }

struct PlanHash {
  std::size_t operator()(const PlanKey& key) const { return std::hash<std::string_view>()(bytes_of(key)); }
};

// 0 where the library has no such epilogue.
uint32_t epilogue_of(const ColumnGemm& call) {
  const bool relu = call.activation == PORTICO_ACT_RELU, gelu = call.activation == PORTICO_ACT_GELU_TANH;
  if (relu && call.aux && !lt::kReluMasks) return 0;
  if (call.aux && call.ld_aux % (relu ? 128 : 8) != 0) return 0;
  switch (call.epilogue) {
    case PORTICO_EPILOGUE_ROW_SUMS:
      return call.bias ? lt::kEpilogueSumB : 0;
    case PORTICO_EPILOGUE_GRADIENT:
      if (!call.aux || (!relu && !gelu)) return 0;
      return (relu ? lt::kEpilogueDRelu : lt::kEpilogueDGelu) | (call.bias ? lt::kEpilogueBiasGradient : 0);
    default: {
      const uint32_t act = relu ? lt::kEpilogueRelu : gelu ? lt::kEpilogueGelu : 0;
      const uint32_t all = act | (call.bias ? lt::kEpilogueBias : 0) | (call.aux && act ? lt::kEpilogueAux : 0);
      return all ? all : lt::kEpilogueDefault;
    }
  }
}

[[noreturn]] void failed(const char* call, lt::Status status) {
  throw Failure{status == lt::kAllocFailed ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                std::string(vendor::kName) + ": " + call + " of " + lt::kTitle + ": status " + std::to_string(status)};
}

void must(lt::Status status, const char* call) {
  if (status != lt::kSuccess) [[unlikely]]
    failed(call, status);
}

class LtBlas final : public Blas {
 public:
  LtBlas(const lt::Table& table, const portico_stream& stream, std::size_t workspace_limit)
      : lt_(table), stream_(stream.stream), workspace_limit_(workspace_limit) {
    must(lt_.PORTICO_LT(Create)(&handle_), "creating a handle");
    const DeviceFacts& facts = stream.device->facts;
    prefix_ = std::string("gemm algorithm 1|") + lt::kTitle + " " + lt::version(lt_, handle_) + "|" + facts.name + "|" +
              facts.arch + "|" + facts.toolchain + "|";
  }
  ~LtBlas() override {
    plans_.clear();
    lt_.PORTICO_LT(Destroy)(handle_);
  }

  bool gemm(const ColumnGemm& call, const Scratch& scratch) override {
    const uint32_t epilogue = epilogue_of(call);
    if (epilogue == 0) return false;
    Plan& plan = plan_for(call, epilogue, bool(scratch));
    if (plan.suggestions.empty()) return false;
    if (call.bias) set(plan.description, lt::kMatmulBiasPointer, call.bias);
    if (call.aux) set(plan.description, lt::kMatmulAuxPointer, call.aux);
    if (!plan.settled) settle(plan, call, scratch);
    // A suggestion may still be refused when it is to run; then the next has its turn.
    for (; !plan.suggestions.empty(); plan.suggestions.erase(plan.suggestions.begin())) {
      const lt::Suggestion& chosen = plan.suggestions.front();
      const lt::Status status = run(plan, chosen, call, call.c, scratch.borrow(chosen.workspace_size));
      if (status == lt::kNotSupported) continue;
      must(status, "a product");
      return true;
    }
    return false;
  }

 private:
  // Descriptors and the algorithm chosen for them. Finding one costs some tens of microseconds, so it is kept.
  struct Plan {
    explicit Plan(const lt::Table& used) : table(&used) {}
    ~Plan() {
      for (const lt::Layout layout : {a, b, c})
        if (layout) table->PORTICO_LT(MatrixLayoutDestroy)(layout);
      if (description) table->PORTICO_LT(MatmulDescDestroy)(description);
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    const lt::Table* table;
    lt::Description description = nullptr;
    lt::Layout a = nullptr, b = nullptr, c = nullptr;
    std::vector<lt::Suggestion> suggestions;  // best first; none: the library cannot do it
    std::string key;                          // of Findings
    bool settled = false;                     // the first suggestion is the fastest
  };

  template <typename T>
  void set(lt::Description description, lt::Attribute attribute, const T& value) {
    must(lt_.PORTICO_LT(MatmulDescSetAttribute)(description, attribute, &value, sizeof value), "describing a product");
  }

  Plan& plan_for(const ColumnGemm& call, uint32_t epilogue, bool has_scratch) {
    const PlanKey key = {.dtype = call.dtype,
                         .precision = call.precision,
                         .trans_a = call.trans_a,
                         .trans_b = call.trans_b,
                         .m = call.m,
                         .n = call.n,
                         .k = call.k,
                         .batch = call.batch,
                         .lda = call.lda,
                         .ldb = call.ldb,
                         .ldc = call.ldc,
                         .beta_is_zero = call.beta == 0.0f,
                         .epilogue = epilogue,
                         .has_scratch = has_scratch,
                         .stride_a = call.stride_a,
                         .stride_b = call.stride_b,
                         .stride_c = call.stride_c,
                         .ld_aux = call.aux ? call.ld_aux : 0,
                         .align_a = alignment(call.a),
                         .align_b = alignment(call.b),
                         .align_c = alignment(call.c),
                         .align_bias = alignment(call.bias),
                         .align_aux = alignment(call.aux),
                         .reserved = 0};
    const auto found = plans_.find(key);
    if (found != plans_.end()) return *found->second;
    if (plans_.size() >= kMostPlans) plans_.clear();
    return *plans_.emplace(key, make_plan(call, key)).first->second;
  }

  lt::Layout layout(const ColumnGemm& call, bool transposed, int32_t rows, int32_t columns, int32_t leading,
                    int64_t stride) {
    lt::Layout made = nullptr;
    must(lt_.PORTICO_LT(MatrixLayoutCreate)(&made, lt::data_type(call.dtype),
                                            static_cast<uint64_t>(transposed ? columns : rows),
                                            static_cast<uint64_t>(transposed ? rows : columns), leading),
         "describing a matrix");
    if (call.batch > 1) {
      const auto attribute = [&](lt::Attribute name, const auto& value) {
        must(lt_.PORTICO_LT(MatrixLayoutSetAttribute)(made, name, &value, sizeof value), "describing a matrix");
      };
      attribute(lt::kLayoutBatchCount, call.batch);
      attribute(lt::kLayoutStridedBatchOffset, stride);
    }
    return made;
  }

  std::unique_ptr<Plan> make_plan(const ColumnGemm& call, const PlanKey& key) {
    auto plan = std::make_unique<Plan>(lt_);
    plan->key = prefix_ + std::string(bytes_of(key));
    must(lt_.PORTICO_LT(MatmulDescCreate)(&plan->description, lt::compute_type(call.precision), lt::kR32F),
         "describing a product");
    set(plan->description, lt::kMatmulTransA, call.trans_a ? lt::kOpT : lt::kOpN);
    set(plan->description, lt::kMatmulTransB, call.trans_b ? lt::kOpT : lt::kOpN);
    set(plan->description, lt::kMatmulEpilogue, key.epilogue);
    if (call.bias) set(plan->description, lt::kMatmulBiasPointer, call.bias);  // their alignment counts in the choice
    if (call.aux) {
      set(plan->description, lt::kMatmulAuxPointer, call.aux);
      set(plan->description, lt::kMatmulAuxLeading, call.ld_aux);
    }
    plan->a = layout(call, call.trans_a, call.m, call.k, call.lda, call.stride_a);
    plan->b = layout(call, call.trans_b, call.k, call.n, call.ldb, call.stride_b);
    plan->c = layout(call, false, call.m, call.n, call.ldc, call.stride_c);
    ask(*plan, key);
    return plan;
  }

  void ask(Plan& plan, const PlanKey& key) {
    lt::Preference preference = nullptr;
    must(lt_.PORTICO_LT(MatmulPreferenceCreate)(&preference), "asking for algorithms");
    const std::unique_ptr<std::remove_pointer_t<lt::Preference>, decltype(lt_.PORTICO_LT(MatmulPreferenceDestroy))>
        owned(preference, lt_.PORTICO_LT(MatmulPreferenceDestroy));
    const auto prefer = [&](lt::Attribute attribute, auto value) {
      must(lt_.PORTICO_LT(MatmulPreferenceSetAttribute)(preference, attribute, &value, sizeof value),
           "asking for algorithms");
    };
    prefer(lt::kPreferenceMaxWorkspaceBytes, uint64_t{key.has_scratch ? workspace_limit_ : 0});
    lt::prefer(prefer, key.align_a, key.align_b, key.align_c);

    std::array<lt::Suggestion, kMostSuggestions> results{};
    int found = 0;
    const lt::Status status =
        lt_.PORTICO_LT(MatmulAlgoGetHeuristic)(handle_, plan.description, plan.a, plan.b, plan.c, plan.c, preference,
                                               kMostSuggestions, results.data(), &found);
    if (status == lt::kNotSupported || status == lt::kArchMismatch) return;
    must(status, "asking for algorithms");
    for (int i = 0; i < found; ++i)
      if (const auto& result = results[static_cast<std::size_t>(i)]; result.state == lt::kSuccess)
        plan.suggestions.push_back(result);
  }

  lt::Status run(const Plan& plan, const lt::Suggestion& chosen, const ColumnGemm& call, uint64_t to,
                 uint64_t workspace) {
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    return lt_.PORTICO_LT(Matmul)(handle_, plan.description, &call.alpha, at(call.a), plan.a, at(call.b), plan.b,
                                  &call.beta, at(call.c), plan.c, at(to), plan.c, &chosen.algo, at(workspace),
                                  chosen.workspace_size, stream_);
  }

  // Brings the fastest suggestion to the front: the one found earlier while the library still offers it, else the one
  // that the device's clock prefers. While a graph is captured nothing can be measured; what is taken then is kept for
  // this process only, so that replayed and eager steps agree.
  void settle(Plan& plan, const ColumnGemm& call, const Scratch& scratch) {
    plan.settled = true;
    if (plan.suggestions.size() == 1) return;
    if (const auto known = findings().find(plan.key); known && bring_forward(plan, *known)) return;
    const bool measurable = measuring_allowed() && !vendor::is_capturing(stream_);
    if (measurable) measure(plan, call, scratch);
    bring_forward(plan, findings().keep(plan.key, plan.suggestions.front().algo, measurable));
  }

  static bool bring_forward(Plan& plan, const lt::Algorithm& wanted) {
    const auto at = std::find_if(plan.suggestions.begin(), plan.suggestions.end(), [&](const lt::Suggestion& one) {
      return std::memcmp(&one.algo, &wanted, sizeof wanted) == 0;
    });
    if (at == plan.suggestions.end()) return false;
    std::rotate(plan.suggestions.begin(), at, at + 1);
    return true;
  }

  // Every output is written anew by each trial, so trials do not disturb each other; only a C that is also read needs
  // another place for its results.
  void measure(Plan& plan, const ColumnGemm& call, const Scratch& scratch) {
    uint64_t to = call.c;
    if (call.beta != 0.0f) {
      if (!scratch) return;
      const int64_t elements = (call.batch - 1) * call.stride_c + int64_t{call.n} * call.ldc;
      to = scratch.borrow(static_cast<uint64_t>(elements) * (call.dtype == PORTICO_F32 ? 4 : 2));
    }
    std::size_t largest = 0;
    for (const lt::Suggestion& one : plan.suggestions) largest = std::max(largest, one.workspace_size);
    const uint64_t workspace = scratch.borrow(largest);
    const std::size_t best = fastest(stream_, plan.suggestions.size(), [&](std::size_t i) {
      return run(plan, plan.suggestions[i], call, to, workspace) == lt::kSuccess;
    });
    std::rotate(plan.suggestions.begin(), plan.suggestions.begin() + static_cast<std::ptrdiff_t>(best),
                plan.suggestions.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }

  static Findings<lt::Algorithm>& findings() {
    static Findings<lt::Algorithm>& shared = *new Findings<lt::Algorithm>;
    return shared;
  }

  static constexpr std::size_t kMostPlans = 512;
  static constexpr int kMostSuggestions = 8;

  const lt::Table& lt_;
  vendor::Stream stream_;
  const std::size_t workspace_limit_;
  lt::Handle handle_ = nullptr;
  std::string prefix_;
  std::unordered_map<PlanKey, std::unique_ptr<Plan>, PlanHash> plans_;
};

}  // namespace

std::unique_ptr<Blas> lt_create(const lt::Table& table, const portico_stream& stream, std::size_t workspace_limit) {
  return std::make_unique<LtBlas>(table, stream, workspace_limit);
}

}  // namespace portico::cuda_hip
