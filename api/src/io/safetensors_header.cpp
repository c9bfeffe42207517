#include "io/safetensors_header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

namespace portico::detail {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr std::pair<const char*, DType> kDTypes[] = {
    {"F32", DType::f32}, {"F16", DType::f16}, {"BF16", DType::bf16}, {"I32", DType::i32}, {"U8", DType::u8}};
constexpr const char* kForeignDTypes[] = {"BOOL", "I8",  "I16", "U16",     "U32",     "F64",    "I64",
                                          "U64",  "C64", "F4",  "F8_E4M3", "F8_E5M2", "F8_E8M0"};

const char* file_word(DType dtype) {
  for (const auto& [word, type] : kDTypes)
    if (type == dtype) return word;
  return "";
}

// Names come from the file: they are cut, and control characters do not reach a terminal.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return result + (text.size() > kLongest ? "...'" : "'");
}

class Parser {
 public:
  Parser(std::uint64_t data_bytes, const std::string& path) : data_bytes_(data_bytes), path_(path) {}

  SafetensorsHeader run(std::string_view text) {
    const json root = parse(text);
    if (!root.is_object()) fail("the header is no JSON object");
    SafetensorsHeader header;
    for (const auto& [name, value] : root.items()) {
      if (name == kMetadata)
        header.metadata = metadata(value);
      else
        header.entries.push_back(entry(name, value));
    }
    // Empty tensors come before the one that begins where they lie.
    const auto place = [](const TensorEntry& e) { return std::pair(e.begin, e.end); };
    std::stable_sort(header.entries.begin(), header.entries.end(),
                     [&](const TensorEntry& a, const TensorEntry& b) { return place(a) < place(b); });
    check_coverage(header.entries);
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& text, ErrorCode code = ErrorCode::io) const {
    throw Error(code, "load_safetensors: " + path_ + ": " + text);
  }
  [[noreturn]] void fail(std::string_view tensor, const std::string& text, ErrorCode code = ErrorCode::io) const {
    fail("tensor " + in_quotes(tensor) + " " + text, code);
  }

  // JSON lets a key appear twice and readers differ in which they believe, so a file with one has no one meaning. Depth
  // is bounded because nothing valid nests deeper than a shape within an entry.
  json parse(std::string_view text) const {
    constexpr int kDeepest = 3;
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > kDeepest) fail("the header nests deeper than a safetensors header does");
      if (event == json::parse_event_t::object_start) keys.emplace_back();
      if (event == json::parse_event_t::object_end) keys.pop_back();
      if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
        fail("the header has " + in_quotes(parsed.get_ref<const std::string&>()) + " twice");
      return true;
    };
    // The parser stops there without a word.
    if (text.find('\0') != std::string_view::npos) fail("the header is no valid JSON: it has a zero byte");
    try {
      return json::parse(text.begin(), text.end(), watch);
    } catch (const json::exception& error) {
      fail("the header is no valid JSON: " + std::string(in_quotes(error.what())));
    }
  }

  std::map<std::string, std::string> metadata(const json& value) const {
    if (!value.is_object()) fail("__metadata__ is no object");
    std::map<std::string, std::string> result;
    for (const auto& [name, text] : value.items()) {
      if (!text.is_string()) fail("metadata " + in_quotes(name) + " is no text");
      result[name] = text.get<std::string>();
    }
    return result;
  }

  TensorEntry entry(const std::string& name, const json& value) const {
    if (!value.is_object()) fail(name, "is no object");
    for (const char* key : {"dtype", "shape", "data_offsets"})
      if (!value.contains(key)) fail(name, std::string("has no ") + key);

    TensorEntry result;
    result.name = name;
    result.dtype = dtype(name, value.at("dtype"));
    const std::uint64_t bytes = shape(name, value.at("shape"), size_of(result.dtype), result.shape);
    const json& offsets = value.at("data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      fail(name, "has data_offsets that are no two positions");
    result.begin = offsets[0].get<std::uint64_t>();
    result.end = offsets[1].get<std::uint64_t>();
    if (result.begin > result.end || result.end > data_bytes_)
      fail(name, "lies at bytes " + std::to_string(result.begin) + " to " + std::to_string(result.end) +
                     " of data that has " + std::to_string(data_bytes_));
    if (result.end - result.begin != bytes)
      fail(name, "has " + std::to_string(result.end - result.begin) + " bytes; " + result.shape.to_string() + " of " +
                     file_word(result.dtype) + " are " + std::to_string(bytes));
    return result;
  }

  DType dtype(const std::string& name, const json& value) const {
    if (!value.is_string()) fail(name, "has a dtype that is no text");
    const std::string& text = value.get_ref<const std::string&>();
    for (const auto& [word, type] : kDTypes)
      if (text == word) return type;
    if (std::find(std::begin(kForeignDTypes), std::end(kForeignDTypes), text) != std::end(kForeignDTypes))
      fail(name, "has dtype " + text + ", which Portico does not hold; convert it to F32, F16, BF16, I32 or U8 first",
           ErrorCode::unsupported);
    fail(name, "has the unknown dtype " + in_quotes(text));
  }

  // Fills `shape` and returns the tensor's bytes.
  std::uint64_t shape(const std::string& name, const json& value, std::size_t element, Shape& shape) const {
    if (!value.is_array()) fail(name, "has a shape that is no list");
    if (value.size() > Shape::kMaxRank)
      fail(name,
           "has " + std::to_string(value.size()) + " axes; Portico holds up to " + std::to_string(Shape::kMaxRank),
           ErrorCode::unsupported);
    std::uint64_t bytes = element;
    bool overflow = false, empty = false;
    for (const json& extent : value) {
      if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > INT64_MAX)
        fail(name, "has a shape with an extent that is no size");
      const auto size = extent.get<std::uint64_t>();
      shape.push_back(static_cast<std::int64_t>(size));
      empty |= size == 0;
      overflow |= __builtin_mul_overflow(bytes, size, &bytes);
    }
    if (overflow && !empty) fail(name, "has a shape whose product overflows");
    return empty ? 0 : bytes;
  }

  void check_coverage(const std::vector<TensorEntry>& entries) const {
    std::uint64_t position = 0;
    for (const TensorEntry& entry : entries) {
      if (entry.begin < position)
        fail(entry.name, "begins at byte " + std::to_string(entry.begin) + ", inside the one before, which ends at " +
                             std::to_string(position));
      if (entry.begin > position)
        fail(entry.name, "begins at byte " + std::to_string(entry.begin) + "; the bytes from " +
                             std::to_string(position) + " on belong to no tensor");
      position = entry.end;
    }
    if (position != data_bytes_)
      fail("the tensors end at byte " + std::to_string(position) + " of data that has " + std::to_string(data_bytes_));
  }

  std::uint64_t data_bytes_;
  const std::string& path_;
};

}  // namespace

SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes, const std::string& path) {
  return Parser(data_bytes, path).run(text);
}

std::string make_header(const SafetensorsHeader& header) {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) root[kMetadata] = header.metadata;
  for (const TensorEntry& entry : header.entries) {
    if (entry.name == kMetadata)
      throw Error(ErrorCode::invalid_argument, "save_safetensors: a tensor cannot be named __metadata__");
    root[entry.name] = {{"dtype", file_word(entry.dtype)},
                        {"shape", std::vector<std::int64_t>(entry.shape.begin(), entry.shape.end())},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text;
  try {
    text = root.dump();
  } catch (const json::exception&) {
    throw Error(ErrorCode::invalid_argument, "save_safetensors: a name or the metadata is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace portico::detail
