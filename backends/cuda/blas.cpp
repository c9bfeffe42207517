// CUDA's matrix multiplication: cuBLASLt where it is, else cuBLAS without epilogues.
#include <mutex>

#include "backends/cuda/blas_api.hpp"
#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/cuda_hip/lt_blas.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {
namespace {

namespace blas = cuda::blas;
using plugin::Failure;
using plugin::Library;
using vendor::lt::compute_type;
using vendor::lt::data_type;

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

class ClassicBlas final : public Blas {
 public:
  ClassicBlas(const blas::Classic& table, const portico_stream& stream)
      : blas_(table), workspace_bytes_(workspace_limit(stream.device->facts)) {
    must(blas_.cublasCreate_v2(&handle_), "cublasCreate");
    try {
      must(blas_.cublasSetStream_v2(handle_, stream.stream), "cublasSetStream");
      must(blas_.cublasSetMathMode(handle_, blas::kDisallowReducedPrecisionReduction), "cublasSetMathMode");
    } catch (...) {
      blas_.cublasDestroy_v2(handle_);
      throw;
    }
  }
  ~ClassicBlas() override { blas_.cublasDestroy_v2(handle_); }

  bool gemm(const ColumnGemm& call, const Scratch& scratch) override {
    if (call.bias || call.aux || call.activation != PORTICO_ACT_NONE) return false;
    // Without a workspace of ours the library would allocate one of its own, outside of the pool's accounts.
    if (scratch)
      must(blas_.cublasSetWorkspace_v2(handle_, reinterpret_cast<void*>(scratch.borrow(workspace_bytes_)),
                                       workspace_bytes_),
           "cublasSetWorkspace");
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const blas::DataType type = data_type(call.dtype);
    const blas::Status status = blas_.cublasGemmStridedBatchedEx(
        handle_, call.trans_a ? blas::kOpT : blas::kOpN, call.trans_b ? blas::kOpT : blas::kOpN, call.m, call.n, call.k,
        &call.alpha, at(call.a), type, call.lda, call.stride_a, at(call.b), type, call.ldb, call.stride_b, &call.beta,
        at(call.c), type, call.ldc, call.stride_c, call.batch, compute_type(call.precision), blas::kGemmDefault);
    if (status == blas::kNotSupported || status == blas::kArchMismatch) return false;
    must(status, "cublasGemmStridedBatchedEx");
    return true;
  }

 private:
  const blas::Classic& blas_;
  const std::size_t workspace_bytes_;
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
  if (libraries.has_lt) return lt_create(libraries.lt, stream, workspace_limit(stream.device->facts));
  if (libraries.has_classic) return std::make_unique<ClassicBlas>(libraries.classic, stream);
  reason = "gemm: neither cuBLASLt nor cuBLAS: " + libraries.tried;
  return nullptr;
}

}  // namespace portico::cuda_hip
