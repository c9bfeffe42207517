// What a plugin knows of a device before it is opened.
#pragma once

#include <cstdint>
#include <string>

namespace portico::cuda_hip {

struct DeviceFacts {
  std::string name;
  std::string arch;       // what the user sees: "sm_90", "gfx90a:sramecc+:xnack-"
  std::string target;     // what the compiler is given; empty when it does not know the device
  std::string toolchain;  // versions and options of what makes machine code, for the disk cache's key
  std::uint64_t memory_bytes = 0;
  int max_group_size = 0;
  int local_bytes = 0;
  int warp_size = 0;
  int compute_units = 0;
  int generation = 0;  // CUDA's compute capability times ten; 0 for HIP
  bool unified_memory = false;
  bool half_arithmetic = true;
};

}  // namespace portico::cuda_hip
