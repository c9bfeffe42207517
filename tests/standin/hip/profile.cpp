// What the HIP stand-in's devices are said to be, and which images they take.
#include <cstring>

#include "hip_prelude.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/driver/opencl_executor.hpp"
#include "tests/standin/rtc/keep_text.hpp"

namespace portico::standin {

const Profile& profile() {
  static const Profile made = {.name = "Portico stand-in for an AMD GPU (kernels as OpenCL on the CPU)",
                               .memory = memory_setting(),
                               .shared = 65536,
                               .max_threads = 1024,
                               .max_block_z = 1024,
                               .max_grid_yz = 0x7fffffff,
                               .threads_in_32_bits = true};
  return made;
}

int load_image(const void* data, std::shared_ptr<Image>& out) {
  const char* text = static_cast<const char*>(data);
  if (std::strncmp(text, opencl::kMagic, std::strlen(opencl::kMagic)) != 0) return kInvalidImage;
  out = opencl::load(text + std::strlen(opencl::kMagic));
  return out ? kOk : kInvalidImage;
}

std::string rtc::vendor_prelude() {
  return {reinterpret_cast<const char*>(hip_prelude::kPreludeText), sizeof hip_prelude::kPreludeText};
}
const char* rtc::vendor_word() { return "PORTICO_HIP"; }

}  // namespace portico::standin
