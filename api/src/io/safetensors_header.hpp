// The header of a safetensors file: JSON that says which bytes of the data behind it are which tensor.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "portico/dtype.hpp"
#include "portico/shape.hpp"

namespace portico::detail {

struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes of the data section
};

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  ///< in order of their data
  std::map<std::string, std::string> metadata;
};

/// Longest header that is read, the format's own limit.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// Reads the JSON of a file whose data section has `data_bytes`. Every byte of it must belong to exactly one tensor.
/// Throws `Error{io}` for anything that is not so, `Error{unsupported}` for a dtype that Portico does not hold.
SafetensorsHeader parse_header(std::string_view json, std::uint64_t data_bytes, const std::string& path);

/// The JSON for entries in order of their data, padded with spaces to a multiple of eight bytes. Throws
/// `Error{invalid_argument}` for a name or metadata that is not UTF-8.
std::string make_header(const SafetensorsHeader& header);

}  // namespace portico::detail
