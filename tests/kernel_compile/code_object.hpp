// What AMD's compiler says of the kernels in a code object: the ELF notes of type NT_AMDGPU_METADATA, in MessagePack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace portico::test {

struct KernelNotes {
  std::string symbol;
  std::uint64_t private_bytes = 0;  ///< scratch memory of a thread
  std::uint64_t sgpr_spills = 0;
  std::uint64_t vgpr_spills = 0;
  std::uint64_t local_bytes = 0;
  std::uint64_t wavefront_size = 0;
  std::vector<std::uint64_t> parameters;  ///< bytes of each that the host passes
};

/// Throws std::runtime_error when `image` is not a code object with such notes.
std::vector<KernelNotes> kernel_notes(const std::vector<char>& image);

}  // namespace portico::test
