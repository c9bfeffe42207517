// Saving and loading safetensors: eight bytes of length, the header, the data.
#include <algorithm>
#include <bit>
#include <cstring>

#include "io/file.hpp"
#include "io/safetensors_header.hpp"
#include "portico/io.hpp"

namespace portico {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t kPrefix = 8;

// Widest elements first, so that with a header of whole eight bytes every tensor is aligned in the file.
std::vector<const StateDict::value_type*> file_order(const StateDict& tensors) {
  std::vector<const StateDict::value_type*> order;
  for (const auto& entry : tensors) {
    if (!entry.second.defined())
      throw Error(ErrorCode::invalid_argument, "save_safetensors: tensor '" + entry.first + "' is undefined");
    order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });
  return order;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) {
  const auto order = file_order(tensors);
  detail::SafetensorsHeader header;
  header.metadata = metadata;
  std::uint64_t position = 0;
  for (const auto* entry : order) {
    const Tensor& tensor = entry->second;
    header.entries.push_back({entry->first, tensor.dtype(), tensor.shape(), position, position + tensor.bytes()});
    position += tensor.bytes();
  }
  const std::string text = detail::make_header(header);
  const std::uint64_t length = text.size();
  if (length > detail::kMaxHeaderBytes)
    throw Error(ErrorCode::invalid_argument, "save_safetensors: the header would have " + std::to_string(length) +
                                                 " bytes, the format allows " +
                                                 std::to_string(detail::kMaxHeaderBytes));

  detail::OutputFile file("save_safetensors", path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(std::as_bytes(std::span(text)));
  for (const auto* entry : order) file.write(entry->second.to_bytes());
  file.commit();
}

StateDict load_safetensors(const std::filesystem::path& path, const std::optional<Device>& device,
                           std::map<std::string, std::string>* metadata) {
  const detail::InputFile file("load_safetensors", path);
  if (file.size() < kPrefix)
    file.fail("has " + std::to_string(file.size()) + " bytes; a safetensors file begins with 8 bytes of length");
  std::uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > detail::kMaxHeaderBytes || length > file.size() - kPrefix)
    file.fail("claims a header of " + std::to_string(length) + " bytes; the file has " + std::to_string(file.size()) +
              ". It is truncated or no safetensors file");
  std::string text(length, '\0');
  file.read(kPrefix, std::as_writable_bytes(std::span(text)));

  const std::uint64_t data = kPrefix + length;
  detail::SafetensorsHeader header = detail::parse_header(text, file.size() - data, path.string());
  StateDict tensors;
  std::vector<std::byte> bytes;
  for (const detail::TensorEntry& entry : header.entries) {
    bytes.resize(entry.end - entry.begin);
    file.read(data + entry.begin, bytes);
    tensors.emplace(entry.name, Tensor::from_bytes(bytes, entry.shape, entry.dtype, device));
  }
  if (metadata) *metadata = std::move(header.metadata);
  return tensors;
}

}  // namespace portico
