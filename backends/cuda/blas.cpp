// CUDA's matrix multiplication: cuBLASLt where it is, else cuBLAS without epilogues.
#include <array>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "backends/cuda/blas_api.hpp"
#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {
namespace {

namespace blas = cuda::blas;
using plugin::Failure;
using plugin::Library;

struct Libraries {
  blas::Lt lt;
  blas::Classic classic;
  bool has_lt = false, has_classic = false;
  std::string tried;
};

// NVIDIA's advice for the workspace: 32 MiB from Hopper on.
std::size_t workspace_limit(const DeviceFacts& device) { return std::size_t{device.generation >= 90 ? 32u : 8u} << 20; }

[[noreturn]] void blas_failed(const char* call, blas::Status status) {
  throw Failure{status == blas::kAllocFailed ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                std::string("cuda: ") + call + ": status " + std::to_string(status)};
}

void must(blas::Status status, const char* call) {
  if (status != blas::kSuccess) [[unlikely]]
    blas_failed(call, status);
}

blas::DataType data_type(int32_t dtype) {
  return dtype == PORTICO_F32 ? blas::kR32F : dtype == PORTICO_F16 ? blas::kR16F : blas::kR16BF;
}

// Device memory that lives as long as the stream.
class Workspace {
 public:
  explicit Workspace(std::size_t limit) : limit_(limit) {}
  ~Workspace() {
    if (pointer_) vendor::release(pointer_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::size_t limit() const { return limit_; }
  void* get() {
    if (!pointer_) check(vendor::allocate(&pointer_, limit_), "allocating the workspace of cuBLAS");
    return reinterpret_cast<void*>(pointer_);
  }

 private:
  std::size_t limit_;
  vendor::Pointer pointer_ = 0;
};

// What cuBLASLt's choice of an algorithm depends on. No padding, so that bytes can be compared and hashed.
struct PlanKey {
  int32_t dtype, epilogue, trans_a, trans_b, m, n, k, batch, lda, ldb, ldc;
  int32_t beta_is_zero;
  int64_t stride_a, stride_b, stride_c;
  uint32_t align_a, align_b, align_c, align_bias;

  bool operator==(const PlanKey& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(std::has_unique_object_representations_v<PlanKey>);

struct PlanHash {
  std::size_t operator()(const PlanKey& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&key), sizeof key});
  }
};

// The largest power of two, up to 256, that divides the address.
uint32_t alignment(uint64_t address) {
  const uint64_t lowest = address & (~address + 1);
  return static_cast<uint32_t>(address == 0 || lowest > 256 ? 256 : lowest);
}

class LtBlas final : public Blas {
 public:
  LtBlas(const blas::Lt& lt, const portico_stream& stream)
      : lt_(lt), stream_(stream.stream), workspace_(workspace_limit(stream.device->facts)) {
    must(lt_.cublasLtCreate(&handle_), "cublasLtCreate");
  }
  ~LtBlas() override {
    plans_.clear();
    lt_.cublasLtDestroy(handle_);
  }

  bool gemm(const ColumnGemm& call) override {
    const Plan& plan = plan_for(call);
    if (!plan.usable) return false;
    if (call.bias) set(plan.desc, blas::kMatmulBiasPointer, call.bias);
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const blas::Status status = lt_.cublasLtMatmul(
        handle_, plan.desc, &call.alpha, at(call.a), plan.a, at(call.b), plan.b, &call.beta, at(call.c), plan.c,
        at(call.c), plan.c, &plan.algo, plan.workspace > 0 ? workspace_.get() : nullptr, plan.workspace, stream_);
    if (status == blas::kNotSupported) return false;
    must(status, "cublasLtMatmul");
    return true;
  }

 private:
  // Descriptors and the algorithm chosen for them. Finding one costs some tens of microseconds, so it is kept.
  struct Plan {
    explicit Plan(const blas::Lt& table) : lt(&table) {}
    ~Plan() {
      for (const blas::LtMatrixLayout layout : {a, b, c})
        if (layout) lt->cublasLtMatrixLayoutDestroy(layout);
      if (desc) lt->cublasLtMatmulDescDestroy(desc);
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    const blas::Lt* lt;
    blas::LtMatmulDesc desc = nullptr;
    blas::LtMatrixLayout a = nullptr, b = nullptr, c = nullptr;
    blas::LtAlgo algo{};
    std::size_t workspace = 0;
    bool usable = false;
  };

  template <typename T>
  void set(blas::LtMatmulDesc desc, blas::LtAttribute attribute, const T& value) {
    must(lt_.cublasLtMatmulDescSetAttribute(desc, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }

  const Plan& plan_for(const ColumnGemm& call) {
    const PlanKey key = {.dtype = call.dtype,
                         .epilogue = epilogue(call),
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
                         .stride_a = call.stride_a,
                         .stride_b = call.stride_b,
                         .stride_c = call.stride_c,
                         .align_a = alignment(call.a),
                         .align_b = alignment(call.b),
                         .align_c = alignment(call.c),
                         .align_bias = alignment(call.bias)};
    const auto found = plans_.find(key);
    if (found != plans_.end()) return *found->second;
    if (plans_.size() >= kMostPlans) plans_.clear();
    return *plans_.emplace(key, make_plan(call, key)).first->second;
  }

  static int32_t epilogue(const ColumnGemm& call) {
    const uint32_t relu = call.activation == PORTICO_ACT_RELU ? blas::kEpilogueRelu : 0;
    const uint32_t parts = relu | (call.bias ? blas::kEpilogueBias : 0);
    return static_cast<int32_t>(parts ? parts : blas::kEpilogueDefault);
  }

  blas::LtMatrixLayout layout(const ColumnGemm& call, bool transposed, int32_t rows, int32_t columns, int32_t leading,
                              int64_t stride) {
    blas::LtMatrixLayout made = nullptr;
    must(
        lt_.cublasLtMatrixLayoutCreate(&made, data_type(call.dtype), static_cast<uint64_t>(transposed ? columns : rows),
                                       static_cast<uint64_t>(transposed ? rows : columns), leading),
        "cublasLtMatrixLayoutCreate");
    if (call.batch > 1) {
      must(lt_.cublasLtMatrixLayoutSetAttribute(made, blas::kLayoutBatchCount, &call.batch, sizeof call.batch),
           "cublasLtMatrixLayoutSetAttribute");
      must(lt_.cublasLtMatrixLayoutSetAttribute(made, blas::kLayoutStridedBatchOffset, &stride, sizeof stride),
           "cublasLtMatrixLayoutSetAttribute");
    }
    return made;
  }

  std::unique_ptr<Plan> make_plan(const ColumnGemm& call, const PlanKey& key) {
    auto plan = std::make_unique<Plan>(lt_);
    must(lt_.cublasLtMatmulDescCreate(&plan->desc, blas::kCompute32F, blas::kR32F), "cublasLtMatmulDescCreate");
    set(plan->desc, blas::kMatmulTransA, call.trans_a ? blas::kOpT : blas::kOpN);
    set(plan->desc, blas::kMatmulTransB, call.trans_b ? blas::kOpT : blas::kOpN);
    set(plan->desc, blas::kMatmulEpilogue, static_cast<uint32_t>(key.epilogue));
    if (call.bias) set(plan->desc, blas::kMatmulBiasPointer, call.bias);  // its alignment counts in the choice
    plan->a = layout(call, call.trans_a, call.m, call.k, call.lda, call.stride_a);
    plan->b = layout(call, call.trans_b, call.k, call.n, call.ldb, call.stride_b);
    plan->c = layout(call, false, call.m, call.n, call.ldc, call.stride_c);
    choose(*plan, key);
    return plan;
  }

  void choose(Plan& plan, const PlanKey& key) {
    blas::LtPreference preference = nullptr;
    must(lt_.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const std::unique_ptr<std::remove_pointer_t<blas::LtPreference>, decltype(lt_.cublasLtMatmulPreferenceDestroy)>
        owned(preference, lt_.cublasLtMatmulPreferenceDestroy);
    const auto prefer = [&](blas::LtAttribute attribute, auto value) {
      must(lt_.cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value),
           "cublasLtMatmulPreferenceSetAttribute");
    };
    prefer(blas::kPreferenceMaxWorkspaceBytes, uint64_t{workspace_.limit()});
    prefer(blas::kPreferenceReductionSchemeMask, blas::kReductionComputeType);  // partial sums stay in f32
    prefer(blas::kPreferenceMinAlignmentABytes, key.align_a);
    prefer(blas::kPreferenceMinAlignmentBBytes, key.align_b);
    prefer(blas::kPreferenceMinAlignmentCBytes, key.align_c);
    prefer(blas::kPreferenceMinAlignmentDBytes, key.align_c);

    blas::LtHeuristicResult result{};
    int found = 0;
    const blas::Status status = lt_.cublasLtMatmulAlgoGetHeuristic(handle_, plan.desc, plan.a, plan.b, plan.c, plan.c,
                                                                   preference, 1, &result, &found);
    if (status == blas::kNotSupported || status == blas::kArchMismatch) return;
    must(status, "cublasLtMatmulAlgoGetHeuristic");
    if (found == 0 || result.state != blas::kSuccess) return;
    plan.algo = result.algo;
    plan.workspace = result.workspace_size;
    plan.usable = true;
  }

  static constexpr std::size_t kMostPlans = 512;

  const blas::Lt& lt_;
  vendor::Stream stream_;
  Workspace workspace_;
  blas::LtHandle handle_ = nullptr;
  std::unordered_map<PlanKey, std::unique_ptr<Plan>, PlanHash> plans_;
};

class ClassicBlas final : public Blas {
 public:
  ClassicBlas(const blas::Classic& table, const portico_stream& stream)
      : blas_(table), workspace_(workspace_limit(stream.device->facts)) {
    must(blas_.cublasCreate_v2(&handle_), "cublasCreate");
    try {
      // Setting the stream resets the workspace, so the workspace comes second.
      must(blas_.cublasSetStream_v2(handle_, stream.stream), "cublasSetStream");
      must(blas_.cublasSetWorkspace_v2(handle_, workspace_.get(), workspace_.limit()), "cublasSetWorkspace");
      must(blas_.cublasSetMathMode(handle_, blas::kDisallowReducedPrecisionReduction), "cublasSetMathMode");
    } catch (...) {
      blas_.cublasDestroy_v2(handle_);
      throw;
    }
  }
  ~ClassicBlas() override { blas_.cublasDestroy_v2(handle_); }

  bool gemm(const ColumnGemm& call) override {
    if (call.bias || call.activation != PORTICO_ACT_NONE) return false;
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const blas::DataType type = data_type(call.dtype);
    const blas::Status status = blas_.cublasGemmStridedBatchedEx(
        handle_, call.trans_a ? blas::kOpT : blas::kOpN, call.trans_b ? blas::kOpT : blas::kOpN, call.m, call.n, call.k,
        &call.alpha, at(call.a), type, call.lda, call.stride_a, at(call.b), type, call.ldb, call.stride_b, &call.beta,
        at(call.c), type, call.ldc, call.stride_c, call.batch, blas::kCompute32F, blas::kGemmDefault);
    if (status == blas::kNotSupported || status == blas::kArchMismatch) return false;
    must(status, "cublasGemmStridedBatchedEx");
    return true;
  }

 private:
  const blas::Classic& blas_;
  Workspace workspace_;
  blas::Handle handle_ = nullptr;
};

// The toolkit that NVRTC came from is where cuBLAS most likely is too.
// Python's packages keep each library in a folder of its own.
std::vector<std::string> folders() {
  const std::string compiler = folder_of(reinterpret_cast<const void*>(vendor::g_compiler.nvrtcVersion));
  return {compiler, compiler + "/../../cublas/lib", folder_from({"CUDA_HOME", "CUDA_PATH"}, "/lib64"),
          "/usr/local/cuda/lib64", "/opt/cuda/lib64"};
}

// A version newer than the driver's refuses to run.
std::vector<std::string> versions(const char* stem) {
  int driver = 0;
  vendor::g_driver.cuDriverGetVersion(&driver);
  std::vector<std::string> names;
  for (int major = 13; major >= 11; --major)
    if (major <= driver / 1000) names.push_back(stem + std::to_string(major));
  return names;
}

const Libraries& open_blas() {
  static std::mutex mutex;
  static std::unique_ptr<Libraries> opened;
  const std::lock_guard lock(mutex);
  if (opened) return *opened;
  auto made = std::make_unique<Libraries>();
  made->has_lt = bool(open_library("PORTICO_CUBLASLT", candidates(versions("libcublasLt.so."), folders()), made->tried,
                                   [&](Library& library) {
                                     bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(made->lt.name, #name);
                                     PORTICO_CUBLASLT_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
                                     return complete ? std::string() : library.tried();
                                   }));
  if (!made->has_lt)
    made->has_classic = bool(open_library("PORTICO_CUBLAS", candidates(versions("libcublas.so."), folders()),
                                          made->tried, [&](Library& library) {
                                            bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(made->classic.name, #name);
                                            PORTICO_CUBLAS_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
                                            return complete ? std::string() : library.tried();
                                          }));
  opened = std::move(made);
  return *opened;
}

}  // namespace

bool blas_exists(const DeviceFacts&) {
  return library_exists("PORTICO_CUBLASLT", versions("libcublasLt.so."), folders()) ||
         library_exists("PORTICO_CUBLAS", versions("libcublas.so."), folders());
}

std::unique_ptr<Blas> blas_create(portico_stream& stream, std::string& reason) {
  const Libraries& libraries = open_blas();
  if (libraries.has_lt) return std::make_unique<LtBlas>(libraries.lt, stream);
  if (libraries.has_classic) return std::make_unique<ClassicBlas>(libraries.classic, stream);
  reason = "gemm: neither cuBLASLt nor cuBLAS: " + libraries.tried;
  return nullptr;
}

}  // namespace portico::cuda_hip
