// Tensors in files: safetensors, the format that PyTorch's users exchange.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "portico/tensor.hpp"

namespace portico {

/// Names to tensors, in file order of the names.
using StateDict = std::map<std::string, Tensor>;

/// Writes aside, flushes and renames: a save that fails at any point leaves the old file whole. Throws `Error{io}`
/// naming the path, and `Error{invalid_argument}` for an undefined tensor or a name that is not UTF-8.
PORTICO_API void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                                  const std::map<std::string, std::string>& metadata = {});

/// The tensors, on `device` (Device::current() when absent), and the metadata where asked for. Throws `Error{io}`
/// saying what is wrong and where for a truncated, lying or foreign file, and `Error{unsupported}` for tensors of other
/// dtypes than F32, F16, BF16, I32 and U8; a file is checked as a whole before any tensor is made.
PORTICO_API StateDict load_safetensors(const std::filesystem::path& path, const std::optional<Device>& device = {},
                                       std::map<std::string, std::string>* metadata = nullptr);

}  // namespace portico
