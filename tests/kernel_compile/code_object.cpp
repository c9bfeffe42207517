#include "code_object.hpp"

#include <elf.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace portico::test {
namespace {

constexpr std::uint32_t kMetadataNote = 32;  // NT_AMDGPU_METADATA

// As much of MessagePack as the notes use: maps, arrays, texts, unsigned numbers, booleans.
struct Value {
  std::string text;
  std::uint64_t number = 0;
  std::vector<Value> items;
  std::map<std::string, Value> fields;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Value value() {
    const unsigned tag = byte();
    if (tag < 0x80) return {.number = tag};
    if (tag < 0x90) return map(tag & 15);
    if (tag < 0xa0) return array(tag & 15);
    if (tag < 0xc0) return text(tag & 31);
    switch (tag) {
      case 0xc0:
        return {};
      case 0xc2:
        return {.number = 0};
      case 0xc3:
        return {.number = 1};
      case 0xcc:
        return {.number = number(1)};
      case 0xcd:
        return {.number = number(2)};
      case 0xce:
        return {.number = number(4)};
      case 0xcf:
        return {.number = number(8)};
      case 0xd9:
        return text(number(1));
      case 0xda:
        return text(number(2));
      case 0xdb:
        return text(number(4));
      case 0xdc:
        return array(number(2));
      case 0xdd:
        return array(number(4));
      case 0xde:
        return map(number(2));
      case 0xdf:
        return map(number(4));
      default:
        throw std::runtime_error("notes: unknown MessagePack tag " + std::to_string(tag));
    }
  }

 private:
  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) throw std::runtime_error("notes: cut short");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(int width) {
    std::uint64_t result = 0;
    for (int i = 0; i < width; ++i) result = result << 8 | byte();
    return result;
  }
  Value text(std::uint64_t size) { return {.text = std::string(take(size))}; }
  Value array(std::uint64_t size) {
    Value result;
    for (std::uint64_t i = 0; i < size; ++i) result.items.push_back(value());
    return result;
  }
  Value map(std::uint64_t size) {
    Value result;
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::string key = value().text;
      result.fields[key] = value();
    }
    return result;
  }

  std::string_view bytes_;
};

template <typename T>
T at(std::string_view image, std::uint64_t offset) {
  if (offset + sizeof(T) > image.size()) throw std::runtime_error("code object: cut short");
  T result;
  std::memcpy(&result, image.data() + offset, sizeof result);
  return result;
}

std::string_view metadata(std::string_view image) {
  const auto header = at<Elf64_Ehdr>(image, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) throw std::runtime_error("code object: no ELF file");
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto section = at<Elf64_Shdr>(image, header.e_shoff + i * header.e_shentsize);
    if (section.sh_type != SHT_NOTE) continue;
    for (std::uint64_t offset = section.sh_offset; offset < section.sh_offset + section.sh_size;) {
      const auto note = at<Elf64_Nhdr>(image, offset);
      const std::uint64_t text = offset + sizeof note + (note.n_namesz + 3) / 4 * 4;
      if (note.n_type == kMetadataNote) return image.substr(text, note.n_descsz);
      offset = text + (note.n_descsz + 3) / 4 * 4;
    }
  }
  throw std::runtime_error("code object: no notes of its kernels");
}

}  // namespace

std::vector<KernelNotes> kernel_notes(const std::vector<char>& image) {
  Value notes = Reader(metadata({image.data(), image.size()})).value();
  std::vector<KernelNotes> result;
  for (Value& kernel : notes.fields["amdhsa.kernels"].items) {
    const auto number = [&](const char* key) {
      const auto found = kernel.fields.find(key);
      if (found == kernel.fields.end()) throw std::runtime_error(std::string("notes: no ") + key);
      return found->second.number;
    };
    std::vector<std::uint64_t> parameters;
    for (Value& argument : kernel.fields[".args"].items)
      if (argument.fields[".value_kind"].text.rfind("hidden_", 0) != 0)
        parameters.push_back(argument.fields[".size"].number);
    result.push_back({.symbol = kernel.fields[".symbol"].text,
                      .private_bytes = number(".private_segment_fixed_size"),
                      .sgpr_spills = number(".sgpr_spill_count"),
                      .vgpr_spills = number(".vgpr_spill_count"),
                      .local_bytes = number(".group_segment_fixed_size"),
                      .wavefront_size = number(".wavefront_size"),
                      .parameters = std::move(parameters)});
  }
  if (result.empty()) throw std::runtime_error("notes: no kernel");
  return result;
}

}  // namespace portico::test
