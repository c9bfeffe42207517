// What the CUDA stand-in's devices are said to be, and which images they take.
#include <cstdlib>
#include <cstring>

#include "cuda_prelude.hpp"
#include "tests/standin/cuda/contexts.hpp"
#include "tests/standin/cuda/ptx_executor.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/driver/opencl_executor.hpp"
#include "tests/standin/rtc/keep_text.hpp"

namespace portico::standin {

// There is no sm_81, so NVRTC makes PTX for it, as for every device that is newer than the compiler.
int capability() {
  static const int value = [] {
    const char* text = std::getenv("PORTICO_STANDIN_CAPABILITY");
    return text ? std::atoi(text) : 81;
  }();
  return value;
}

const Profile& profile() {
  static const Profile made = {.name = "Portico stand-in for an NVIDIA GPU (kernels on the CPU)",
                               .memory = memory_setting(),
                               .shared = 49152,
                               .max_threads = 1024,
                               .max_block_z = 64,
                               .max_grid_yz = 65535,
                               .threads_in_32_bits = false};
  return made;
}

// Cubin would be machine code of a device that is not there.
int load_image(const void* data, std::shared_ptr<Image>& out) {
  const char* text = static_cast<const char*>(data);
  if (std::strncmp(text, "\177ELF", 4) == 0) return kNoBinaryForGpu;
  if (std::strncmp(text, opencl::kMagic, std::strlen(opencl::kMagic)) == 0) {
    out = opencl::load(text + std::strlen(opencl::kMagic));
    return out ? kOk : kInvalidImage;
  }
  const char* target = std::strstr(text, ".target sm_");
  if (!target) return kInvalidImage;
  if (std::atoi(target + std::strlen(".target sm_")) > capability()) return kNoBinaryForGpu;
  return load_ptx(text, out);
}

std::string rtc::vendor_prelude() {
  return {reinterpret_cast<const char*>(cuda_prelude::kPreludeText), sizeof cuda_prelude::kPreludeText};
}
const char* rtc::vendor_word() { return "PORTICO_CUDA"; }

}  // namespace portico::standin
