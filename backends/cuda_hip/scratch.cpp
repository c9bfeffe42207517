#include "backends/cuda_hip/scratch.hpp"

#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

uint64_t Scratch::borrow(uint64_t bytes) const {
  if (bytes == 0) return 0;
  portico_buffer* buffer = nullptr;
  const portico_status status = lend_(context_, bytes, &buffer);
  if (status != PORTICO_OK)
    throw plugin::Failure{status,
                          std::string(vendor::kName) + ": no " + std::to_string(bytes) + " bytes of scratch memory"};
  return buffer->address;
}

uint64_t address_of(const portico_arg& arg) {
  return arg.value.buffer ? arg.value.buffer->address + arg.offset * arg.size : 0;
}

}  // namespace portico::cuda_hip
