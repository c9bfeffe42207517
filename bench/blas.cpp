#include "blas.hpp"

#include <dlfcn.h>

#include <thread>

namespace portico::bench {

Sgemm open_blas(std::string& reason) {
  static void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = dlerror();
    reason = error != nullptr ? error : "libopenblas.so.0 does not open";
    return nullptr;
  }
  if (const auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads")))
    set_threads(static_cast<int>(std::thread::hardware_concurrency()));
  const auto sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  if (sgemm == nullptr) reason = "libopenblas.so.0 has no cblas_sgemm";
  return sgemm;
}

}  // namespace portico::bench
