// HIP's matrix multiplication: rocBLAS.
#include <filesystem>
#include <mutex>

#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/libraries.hpp"
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
  bool usable = false;
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

  bool gemm(const ColumnGemm& call) override {
    if (call.bias || call.activation != PORTICO_ACT_NONE) return false;
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const blas::DataType type = data_type(call.dtype);
    const blas::Operation op_a = call.trans_a ? blas::kTranspose : blas::kNone;
    const blas::Operation op_b = call.trans_b ? blas::kTranspose : blas::kNone;
    const blas::Status status =
        call.batch == 1
            ? blas_.rocblas_gemm_ex(handle_, op_a, op_b, call.m, call.n, call.k, &call.alpha, at(call.a), type,
                                    call.lda, at(call.b), type, call.ldb, &call.beta, at(call.c), type, call.ldc,
                                    at(call.c), type, call.ldc, blas::kF32, blas::kStandard, 0, 0)
            : blas_.rocblas_gemm_strided_batched_ex(
                  handle_, op_a, op_b, call.m, call.n, call.k, &call.alpha, at(call.a), type, call.lda, call.stride_a,
                  at(call.b), type, call.ldb, call.stride_b, &call.beta, at(call.c), type, call.ldc, call.stride_c,
                  at(call.c), type, call.ldc, call.stride_c, call.batch, blas::kF32, blas::kStandard, 0, 0);
    if (status == blas::kNotImplemented) return false;
    if (status != blas::kPerfDegraded) must(status, "rocblas_gemm");
    return true;
  }

 private:
  void must(blas::Status status, const char* call) const {
    if (status == blas::kSuccess) return;
    throw Failure{status == blas::kMemoryError ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                  std::string("hip: ") + call + ": " + blas_.rocblas_status_to_string(status)};
  }

  const blas::RocBlas& blas_;
  blas::Handle handle_ = nullptr;
};

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

std::vector<std::string> folders() {
  return {folder_of(reinterpret_cast<const void*>(vendor::g_driver.hipGetDeviceCount)),
          folder_from({"ROCM_PATH", "HIP_PATH"}, "/lib"), "/opt/rocm/lib"};
}

// rocBLAS ends the process when the folder beside it has no kernels for the device, so that folder is looked through
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

std::string kernel_folder(const std::string& library_folder) {
  if (const char* given = std::getenv("ROCBLAS_TENSILE_LIBPATH")) return given;
  return library_folder + "/rocblas";
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
        return complete ? std::string() : library.tried();
      }));
  opened = std::move(made);
  return *opened;
}

}  // namespace

bool blas_exists(const DeviceFacts&) { return library_exists("PORTICO_ROCBLAS", names(), folders()); }

std::unique_ptr<Blas> blas_create(portico_stream& stream, std::string& reason) {
  const Opened& opened = open_blas();
  if (!opened.usable) {
    reason = "gemm: no rocBLAS: " + opened.tried;
    return nullptr;
  }
  // Whoever names a library by the variable answers for it.
  const std::string folder =
      kernel_folder(folder_of(reinterpret_cast<const void*>(opened.table.rocblas_create_handle)));
  if (!std::getenv("PORTICO_ROCBLAS") && !has_kernels_for(folder, stream.device->facts.arch)) {
    reason = "gemm: rocBLAS has no kernels for " + stream.device->facts.arch + " in " + folder;
    return nullptr;
  }
  return std::make_unique<RocBlas>(opened.table, stream);
}

}  // namespace portico::cuda_hip
