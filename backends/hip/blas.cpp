// HIP's matrix multiplication: hipBLASLt where it is and has an algorithm, else rocBLAS without epilogues.
#include <filesystem>
#include <mutex>

#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/cuda_hip/lt_blas.hpp"
#include "backends/cuda_hip/state.hpp"
#include "backends/hip/blas_api.hpp"
#include "backends/hip/installed.hpp"

namespace portico::cuda_hip {
namespace {

namespace blas = hip::blas;
using plugin::Failure;
using plugin::Library;

struct Opened {
  blas::RocBlas table;
  vendor::lt::Table lt;
  bool usable = false, has_lt = false;
  std::string tried;
};

blas::DataType data_type(int32_t dtype) {
  return dtype == PORTICO_F32 ? blas::kF32 : dtype == PORTICO_F16 ? blas::kF16 : blas::kBF16;
}

class RocBlas final : public Blas {
 public:
  RocBlas(const blas::RocBlas& table, const portico_stream& stream) : blas_(table) {
    must(blas_.rocblas_create_handle(&handle_), "rocblas_create_handle");
    try {
      must(blas_.rocblas_set_stream(handle_, stream.stream), "rocblas_set_stream");
      // A sum by atomics changes from run to run.
      must(blas_.rocblas_set_atomics_mode(handle_, blas::kAtomicsNotAllowed), "rocblas_set_atomics_mode");
    } catch (...) {
      blas_.rocblas_destroy_handle(handle_);
      throw;
    }
  }
  ~RocBlas() override { blas_.rocblas_destroy_handle(handle_); }

  bool gemm(const ColumnGemm& call, const Scratch& scratch) override {
    if (call.bias || call.aux || call.activation != PORTICO_ACT_NONE) return false;
    allow(call.precision);
    // Without a workspace of ours the library would allocate one of its own, outside of the pool's accounts, and not
    // while a graph is captured.
    const bool lends = scratch && blas_.rocblas_set_workspace;
    if (lends)
      lend(scratch.borrow(kWorkspaceBytes), kWorkspaceBytes);
    else if (lent_)  // what an earlier call lent has gone back
      lend(0, 0);
    blas::Status status = multiply(call);
    if (status == blas::kMemoryError && lends) {  // it wants more: its own then
      lend(0, 0);
      status = multiply(call);
    }
    if (status == blas::kNotImplemented) return false;
    if (status != blas::kPerfDegraded) must(status, "rocblas_gemm");
    return true;
  }

 private:
  blas::Status multiply(const ColumnGemm& call) const {
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const blas::DataType type = data_type(call.dtype);
    const blas::Operation op_a = call.trans_a ? blas::kTranspose : blas::kNone;
    const blas::Operation op_b = call.trans_b ? blas::kTranspose : blas::kNone;
    return call.batch == 1
               ? blas_.rocblas_gemm_ex(handle_, op_a, op_b, call.m, call.n, call.k, &call.alpha, at(call.a), type,
                                       call.lda, at(call.b), type, call.ldb, &call.beta, at(call.c), type, call.ldc,
                                       at(call.c), type, call.ldc, blas::kF32, blas::kStandard, 0, 0)
               : blas_.rocblas_gemm_strided_batched_ex(handle_, op_a, op_b, call.m, call.n, call.k, &call.alpha,
                                                       at(call.a), type, call.lda, call.stride_a, at(call.b), type,
                                                       call.ldb, call.stride_b, &call.beta, at(call.c), type, call.ldc,
                                                       call.stride_c, at(call.c), type, call.ldc, call.stride_c,
                                                       call.batch, blas::kF32, blas::kStandard, 0, 0);
  }

  void lend(uint64_t workspace, std::size_t bytes) {
    must(blas_.rocblas_set_workspace(handle_, reinterpret_cast<void*>(workspace), bytes), "rocblas_set_workspace");
    lent_ = workspace != 0;
  }

  // Its one faster mode rounds to xf32, where the device has that; bf16 allows more than it takes.
  void allow(int32_t precision) {
    const blas::MathMode wanted = precision == PORTICO_PRECISION_STRICT ? blas::kDefaultMath : blas::kXf32Math;
    if (wanted == mode_ || !blas_.rocblas_set_math_mode) return;
    must(blas_.rocblas_set_math_mode(handle_, wanted), "rocblas_set_math_mode");
    mode_ = wanted;
  }

  void must(blas::Status status, const char* call) const {
    if (status == blas::kSuccess) return;
    throw Failure{status == blas::kMemoryError ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                  std::string("hip: ") + call + ": " + blas_.rocblas_status_to_string(status)};
  }

  static constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // what it takes by itself

  const blas::RocBlas& blas_;
  blas::Handle handle_ = nullptr;
  bool lent_ = false;
  blas::MathMode mode_ = blas::kDefaultMath;
};

// What the first cannot do the second may.
class BothBlas final : public Blas {
 public:
  BothBlas(std::unique_ptr<Blas> first, std::unique_ptr<Blas> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  bool gemm(const ColumnGemm& call, const Scratch& scratch) override {
    return first_->gemm(call, scratch) || second_->gemm(call, scratch);
  }

 private:
  std::unique_ptr<Blas> first_, second_;
};

// What AMD's own frameworks give it.
constexpr std::size_t kLtWorkspaceBytes = std::size_t{32} << 20;

// A rocBLAS of another ROCm would bring a second HIP runtime with it.
std::vector<std::string> names() {
  switch (vendor::runtime_major()) {
    case 7:
      return {"librocblas.so.5"};
    case 6:
      return {"librocblas.so.4"};
    case 5:
      return {"librocblas.so.0"};
    default:
      return {};
  }
}

// Before ROCm 6 its types had other values.
std::vector<std::string> lt_names() {
  switch (vendor::runtime_major()) {
    case 7:
      return {"libhipblaslt.so.1"};
    case 6:
      return {"libhipblaslt.so.0"};
    default:
      return {};
  }
}

std::vector<std::string> folders() {
  return {folder_of(reinterpret_cast<const void*>(vendor::g_driver.hipGetDeviceCount)),
          folder_from({"ROCM_PATH", "HIP_PATH"}, "/lib"), "/opt/rocm/lib"};
}

// Both end the process when the folder beside them has no kernels for the device, so that folder is looked through
// before a handle is made: its files are named after the architectures.
bool has_kernels_for(const std::string& folder, const std::string& arch) {
  namespace fs = std::filesystem;
  const std::string plain = arch.substr(0, arch.find(':'));
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::size_t at = name.find(plain);
    if (at == std::string::npos) continue;
    const std::size_t end = at + plain.size();
    if (end == name.size() || !std::isalnum(static_cast<unsigned char>(name[end]))) return true;  // gfx90 is not gfx906
  }
  return false;
}

// The folder of a library's kernels: named by a variable, or below the library's own.
std::string kernel_folder(const void* function, const char* variable, const char* below) {
  if (const char* given = std::getenv(variable)) return given;
  return folder_of(function) + below;
}

const Opened& open_blas() {
  static std::mutex mutex;
  static std::unique_ptr<Opened> opened;
  const std::lock_guard lock(mutex);
  if (opened) return *opened;
  auto made = std::make_unique<Opened>();
  made->usable =
      bool(open_library("PORTICO_ROCBLAS", candidates(names(), folders()), made->tried, [&](Library& library) {
        bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(made->table.name, #name);
        PORTICO_ROCBLAS_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
#define PORTICO_FIND(name, ...) \
  made->table.name = library.find<std::remove_pointer_t<decltype(made->table.name)>>(#name);
        PORTICO_ROCBLAS_OPTIONAL_FUNCTIONS(PORTICO_FIND)
#undef PORTICO_FIND
        return complete ? std::string() : library.tried();
      }));
  made->has_lt =
      bool(open_library("PORTICO_HIPBLASLT", candidates(lt_names(), folders()), made->tried, [&](Library& library) {
        bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(made->lt.name, #name);
        PORTICO_HIPBLASLT_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
        return complete ? std::string() : library.tried();
      }));
  opened = std::move(made);
  return *opened;
}

}  // namespace

bool blas_exists(const DeviceFacts&) {
  return library_exists("PORTICO_ROCBLAS", names(), folders()) ||
         library_exists("PORTICO_HIPBLASLT", lt_names(), folders());
}

std::unique_ptr<Blas> blas_create(portico_stream& stream, std::string& reason) {
  const Opened& opened = open_blas();
  const std::string& arch = stream.device->facts.arch;
  // Whoever names a library by its variable answers for it.
  const auto serves = [&](const char* variable, const char* title, const std::string& folder) {
    if (std::getenv(variable) || has_kernels_for(folder, arch)) return true;
    reason += std::string(reason.empty() ? "gemm: " : "; ") + title + " has no kernels for " + arch + " in " + folder;
    return false;
  };
  std::unique_ptr<Blas> lt, rocblas;
  if (opened.has_lt && serves("PORTICO_HIPBLASLT", "hipBLASLt",
                              kernel_folder(reinterpret_cast<const void*>(opened.lt.hipblasLtCreate),
                                            "HIPBLASLT_TENSILE_LIBPATH", "/hipblaslt")))
    lt = lt_create(opened.lt, stream, kLtWorkspaceBytes);
  if (opened.usable && serves("PORTICO_ROCBLAS", "rocBLAS",
                              kernel_folder(reinterpret_cast<const void*>(opened.table.rocblas_create_handle),
                                            "ROCBLAS_TENSILE_LIBPATH", "/rocblas")))
    rocblas = std::make_unique<RocBlas>(opened.table, stream);
  if (lt && rocblas) return std::make_unique<BothBlas>(std::move(lt), std::move(rocblas));
  if (lt || rocblas) return lt ? std::move(lt) : std::move(rocblas);
  if (reason.empty()) reason = "gemm: neither hipBLASLt nor rocBLAS: " + opened.tried;
  return nullptr;
}

}  // namespace portico::cuda_hip
