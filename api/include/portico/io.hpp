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

/// Writes aside, flushes and renames: a failed save leaves the old file whole. Throws `Error{io}` naming the path.
PORTICO_API void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                                  const std::map<std::string, std::string>& metadata = {});

/// Throws `Error{io}` saying what is wrong and where for a truncated, lying or foreign file; reads nothing beyond it.
PORTICO_API StateDict load_safetensors(const std::filesystem::path& path, const std::optional<Device>& device = {},
                                       std::map<std::string, std::string>* metadata = nullptr);

}  // namespace portico
