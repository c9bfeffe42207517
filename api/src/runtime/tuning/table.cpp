#include "runtime/tuning/table.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "runtime/disk_cache.hpp"
#include "runtime/environment.hpp"
#include "runtime/kernel_table.hpp"
#include "runtime/log.hpp"
#include "runtime/sha256.hpp"

namespace portico::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

// What a tuning depends on: other kernels, another compiler or device need another one.
std::string identity_of(const DeviceInfo& info) {
  Sha256 hash;
  const auto kernel = kernel_table().find("gemm");
  for (const std::string_view field :
       {std::string_view("portico tuning"), std::string_view(info.backend), std::string_view(info.name),
        std::string_view(info.arch), std::string_view(info.toolchain),
        kernel != kernel_table().end() ? kernel->second : std::string_view()})
    hash.field(field);
  return hash.hex();
}

std::string digest_of(const std::string& identity, const Json& entries) {
  Sha256 hash;
  hash.field(identity);
  hash.field(entries.dump());
  return hash.hex();
}

Json to_json(const GemmEntry& entry) {
  const GemmClass& shape = entry.shape;
  const GemmChoice& choice = entry.choice;
  return {{"class", {shape.dtype, shape.trans, shape.m, shape.n, shape.k}},
          {"vendor", choice.vendor},
          {"rows", choice.rows},
          {"vecs", choice.vecs},
          {"pack_b", choice.pack_b},
          {"depth", choice.depth},
          {"tile", choice.tile},
          {"gain", entry.gain}};
}

// Only values that the kernels are made for: a text that passes its digest may still be somebody's own.
GemmEntry from_json(const Json& json) {
  const auto in = [&](const Json& value, std::initializer_list<int> allowed) {
    const int number = value.get<int>();
    for (const int one : allowed)
      if (one == number) return number;
    throw std::out_of_range("a value that no kernel is made for: " + json.dump());
  };
  GemmEntry entry;
  const auto shape = json.at("class").get<std::array<int, 5>>();
  if (shape[0] < 0 || shape[0] > 2 || shape[1] < 0 || shape[1] > 3) throw std::out_of_range("class " + json.dump());
  for (const int exponent : {shape[2], shape[3], shape[4]})
    if (exponent < 0 || exponent > 31) throw std::out_of_range("class " + json.dump());
  entry.shape = {static_cast<std::uint8_t>(shape[0]), static_cast<std::uint8_t>(shape[1]),
                 static_cast<std::uint8_t>(shape[2]), static_cast<std::uint8_t>(shape[3]),
                 static_cast<std::uint8_t>(shape[4])};
  entry.choice = {.vendor = in(json.at("vendor"), {-1, 0, 1}),
                  .rows = static_cast<std::uint32_t>(in(json.at("rows"), {0, 1, 2, 4, 5, 7, 8, 16})),
                  .vecs = static_cast<std::uint32_t>(in(json.at("vecs"), {0, 1, 2})),
                  .pack_b = in(json.at("pack_b"), {-1, 0, 1}),
                  .depth = static_cast<std::uint32_t>(in(json.at("depth"), {0, 128, 256, 512, 1024})),
                  .tile = in(json.at("tile"), {-1, 0, 1, 2})};
  if (entry.choice.rows == 16 && entry.choice.vecs != 1) throw std::out_of_range("16 rows need vecs 1");
  entry.gain = json.at("gain").get<double>();
  return entry;
}

}  // namespace

std::string to_string(const GemmChoice& choice) {
  std::string text;
  const auto add = [&](const char* name, std::int64_t value, bool said) {
    if (said) text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(value);
  };
  if (choice.vendor == 1) text = "the vendor's library";
  if (choice.vendor == 0) text = "own kernel";
  add("rows", choice.rows, choice.rows != 0);
  add("vecs", choice.vecs, choice.vecs != 0);
  add("pack_b", choice.pack_b, choice.pack_b >= 0);
  add("depth", choice.depth, choice.depth != 0);
  add("tile", choice.tile, choice.tile >= 0);
  return text.empty() ? "by rule" : text;
}

std::string to_string(const GemmClass& shape) {
  const char* const types[] = {"f32", "f16", "bf16"};
  const auto extent = [](std::uint8_t exponent) { return std::to_string(std::uint64_t{1} << exponent); };
  return std::string("gemm ") + types[shape.dtype % 3] + " " + ((shape.trans & 1) != 0 ? "T" : "N") +
         ((shape.trans & 2) != 0 ? "T" : "N") + " m:" + extent(shape.m) + " n:" + extent(shape.n) +
         " k:" + extent(shape.k);
}

const GemmChoice*& ForcedGemmChoice::current() {
  thread_local const GemmChoice* choice = nullptr;
  return choice;
}

Tuning::Tuning(const Device& device)
    : identity_(identity_of(device.info())),
      described_(device.info().name + " (" + device.info().backend + ", " + device.info().arch + ")"),
      key_("tuning-" + identity_.substr(0, 32)) {
  if (!variable_switch("PORTICO_TUNING", true)) return;
  const auto payload = DiskCache::instance().load(key_);
  if (!payload) return;
  try {
    replace_by_text({reinterpret_cast<const char*>(payload->data()), payload->size()});
  } catch (const Error& error) {
    log(2, std::string("the device's tuning is not used: ") + error.what());
  }
}

Tuning& Tuning::of(const Device& device) {
  // Devices live for the whole process, and so do their tunings. A thread remembers the device that it asked for last.
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Tuning>> all;
  thread_local const DeviceInfo* last = nullptr;
  thread_local Tuning* tuning = nullptr;
  if (last == &device.info()) return *tuning;
  const std::lock_guard lock(mutex);
  auto& made = all[device.label()];
  if (made == nullptr) made.reset(new Tuning(device));
  last = &device.info();
  tuning = made.get();
  return *made;
}

std::vector<GemmEntry> Tuning::entries() const {
  const GemmTable* table = table_.load(std::memory_order_acquire);
  return table == nullptr ? std::vector<GemmEntry>{} : table->entries();
}

void Tuning::replace(std::vector<GemmEntry> entries) {
  const std::lock_guard lock(mutex_);
  if (entries.empty()) return table_.store(nullptr, std::memory_order_release);
  tables_.push_back(std::make_unique<GemmTable>(std::move(entries)));
  table_.store(tables_.back().get(), std::memory_order_release);
}

bool Tuning::store() const {
  const std::string all = text();
  DiskCache::instance().store(key_, std::as_bytes(std::span(all)));
  return DiskCache::instance().info().enabled;
}

std::string Tuning::text() const {
  Json list = Json::array();
  for (const GemmEntry& entry : entries()) list.push_back(to_json(entry));
  const Json root = {{"portico_tuning", kFormat},
                     {"device", described_},
                     {"identity", identity_},
                     {"digest", digest_of(identity_, list)},
                     {"gemm", list}};
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Tuning::replace_by_text(std::string_view text) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::invalid_argument, "tuning: " + why); };
  const Json root = Json::parse(text, nullptr, false);
  if (root.is_discarded() || !root.is_object() || !root.contains("portico_tuning"))
    refuse("the text is no tuning of Portico");
  std::vector<GemmEntry> entries;
  try {
    if (root.at("portico_tuning") != kFormat)
      refuse("format " + root.at("portico_tuning").dump() + ", this version reads " + std::to_string(kFormat));
    if (root.at("identity").get<std::string>() != identity_)
      refuse("it was measured on " + root.at("device").get<std::string>() +
             " with its own toolchain and kernels, this is " + described_ +
             " with others; measure again with portico-tune");
    if (root.at("digest").get<std::string>() != digest_of(identity_, root.at("gemm")))
      refuse("its digest does not fit: it was changed or damaged");
    for (const Json& entry : root.at("gemm")) entries.push_back(from_json(entry));
  } catch (const std::exception& error) {
    if (dynamic_cast<const Error*>(&error) != nullptr) throw;
    refuse(std::string("a field is missing or of the wrong kind: ") + error.what());
  }
  replace(std::move(entries));
}

}  // namespace portico::detail
