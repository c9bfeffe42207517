// A process that uses one backend maps no other's plugin and no other vendor's library.
#include <cstdlib>
#include <map>
#include <regex>
#include <vector>

#include "catch.hpp"
#include "portico/ops.hpp"
#include "portico/tensor.hpp"
#include "process_maps.hpp"

using namespace portico::test;

namespace {

// What belongs to a backend, by file name.
const std::map<std::string, std::regex> kLibraries = {
    {"cuda",
     std::regex("^lib(portico_cuda|cuda|cudart|nvrtc|nvrtc-builtins|cublas|cublasLt|cudnn\\w*|nvJitLink)(-|\\.|$).*")},
    {"hip",
     std::regex(
         "^lib(portico_hip|amdhip64|hiprtc|hiprtc-builtins|rocblas|hipblas|hipblaslt|MIOpen|amd_comgr|hsa-runtime64)"
         "(-|\\.|$).*")},
    {"opencl", std::regex("^lib(portico_opencl|OpenCL|clblast|pocl|intelocl)(-|\\.|$).*")},
};

bool runs_on_a_stand_in() {
  for (const std::string& library : mapped_libraries())
    if (library.rfind("libportico_standin_", 0) == 0) return true;
  return false;
}

}  // namespace

TEST_CASE("a backend's process maps no other backend's libraries") {
  const std::string backend = portico::Device::current().backend().data();
  const portico::Tensor x = portico::Tensor::full({16, 16}, 2.0f);
  const auto product = portico::matmul(x, x).to_vector();
  REQUIRE(product.at(0) == 64.0f);

  bool own = false;
  for (const std::string& library : mapped_libraries()) {
    for (const auto& [owner, pattern] : kLibraries) {
      if (!std::regex_match(library, pattern)) continue;
      INFO(backend << " maps " << library << ", which is " << owner << "'s");
      // NVIDIA's and AMD's OpenCL drivers lie on the vendors' own libraries: those belong to the driver, not to us.
      const bool not_ours = library.rfind("libportico_", 0) != 0;
      const bool drivers_own =
          backend == "opencl" && not_ours && mapped_libraries().count("libnvidia-opencl.so.1") != 0;
      const bool stand_ins_own = owner == "opencl" && not_ours && runs_on_a_stand_in();  // it runs kernels on PoCL
      if (!drivers_own && !stand_ins_own) CHECK(owner == backend);
      own = own || (owner == backend && library.rfind("libportico_", 0) == 0);
    }
  }
  CHECK(own);  // the names are spelt right: the backend in use was seen
}
