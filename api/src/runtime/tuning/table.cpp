#include "runtime/tuning/table.hpp"

#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "runtime/disk_cache.hpp"
#include "runtime/environment.hpp"
#include "runtime/kernel_table.hpp"
#include "runtime/loader.hpp"
#include "runtime/log.hpp"
#include "runtime/sha256.hpp"

namespace portico::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 2;

// What a tuning depends on: other kernels, another compiler or device need another one.
std::string identity_of(const DeviceInfo& info) {
  Sha256 hash;
  for (const std::string_view field :
       {std::string_view("portico tuning"), std::string_view(info.backend), std::string_view(info.name),
        std::string_view(info.arch), std::string_view(info.toolchain)})
    hash.field(field);
  for (const auto& [name, text] : kernel_table())
    if (name == "gemm" || name.starts_with("conv") || name.starts_with("winograd")) hash.field(text);
  return hash.hex();
}

std::string digest_of(const std::string& identity, const Json& gemm, const Json& conv) {
  Sha256 hash;
  hash.field(identity);
  hash.field(gemm.dump());
  hash.field(conv.dump());
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

Json to_json(const ConvEntry& entry) {
  const ConvClass& shape = entry.shape;
  return {{"class", {shape.dtype, shape.pass, static_cast<int>(shape.filter), shape.c, shape.k, shape.pixels}},
          {"vendor", entry.choice.vendor},
          {"winograd", entry.choice.winograd},
          {"tile", entry.choice.tile},
          {"gain", entry.gain}};
}

// Only values that the kernels are made for: a text that passes its digest may still be somebody's own.
int in(const Json& json, const char* name, std::initializer_list<int> allowed) {
  const int number = json.at(name).get<int>();
  for (const int one : allowed)
    if (one == number) return number;
  throw std::out_of_range("a value that no kernel is made for: " + json.dump());
}

// The numbers of a class, each below its limit.
template <std::size_t N>
std::array<std::uint8_t, N> class_from(const Json& json, const std::array<int, N>& limits) {
  const auto numbers = json.at("class").get<std::array<int, N>>();
  std::array<std::uint8_t, N> shape{};
  for (std::size_t i = 0; i < N; ++i) {
    if (numbers[i] < 0 || numbers[i] >= limits[i]) throw std::out_of_range("class " + json.dump());
    shape[i] = static_cast<std::uint8_t>(numbers[i]);
  }
  return shape;
}

GemmEntry gemm_from_json(const Json& json) {
  const auto shape = class_from<5>(json, {3, 4, 32, 32, 32});
  GemmEntry entry{.shape = {shape[0], shape[1], shape[2], shape[3], shape[4]}, .choice = {}};
  entry.choice = {.vendor = in(json, "vendor", {-1, 0, 1}),
                  .rows = static_cast<std::uint32_t>(in(json, "rows", {0, 1, 2, 4, 5, 7, 8, 16})),
                  .vecs = static_cast<std::uint32_t>(in(json, "vecs", {0, 1, 2})),
                  .pack_b = in(json, "pack_b", {-1, 0, 1}),
                  .depth = static_cast<std::uint32_t>(in(json, "depth", {0, 128, 256, 512, 1024})),
                  .tile = in(json, "tile", {-1, 0, 1, 2})};
  if (entry.choice.rows == 16 && entry.choice.vecs != 1) throw std::out_of_range("16 rows need vecs 1");
  entry.gain = json.at("gain").get<double>();
  return entry;
}

ConvEntry conv_from_json(const Json& json) {
  const auto shape = class_from<6>(json, {3, 3, 5, 32, 32, 32});
  ConvEntry entry{.shape = {shape[0], shape[1], static_cast<ConvFilter>(shape[2]), shape[3], shape[4], shape[5]},
                  .choice = {}};
  entry.choice = {.vendor = in(json, "vendor", {-1, 0, 1}),
                  .winograd = in(json, "winograd", {-1, 0, 2, 4}),
                  .tile = static_cast<std::uint32_t>(in(json, "tile", {0, 4, 7, 8, 10, 12, 14}))};
  entry.gain = json.at("gain").get<double>();
  return entry;
}

TunedChoices choices_from(const Json& root) {
  TunedChoices choices;
  for (const Json& entry : root.at("gemm")) choices.gemm.push_back(gemm_from_json(entry));
  for (const Json& entry : root.at("conv")) choices.conv.push_back(conv_from_json(entry));
  return choices;
}

// What ships for the device's family: the first that names its backend, and parts of its name and toolchain.
TunedChoices shipped_for(const DeviceInfo& info) {
  const std::string path = plugin_folder() + "/tuning/families.json";
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  try {
    const Json root = Json::parse(file);
    for (const Json& family : root.at("families")) {
      const auto part = [&](const char* field) { return family.at(field).get<std::string>(); };
      if (part("backend") == info.backend && info.name.find(part("name_has")) != std::string::npos &&
          info.toolchain.find(part("toolchain_has")) != std::string::npos)
        return choices_from(family);
    }
  } catch (const std::exception& error) {
    log(PORTICO_LOG_WARNING, path + " is not used: " + error.what());
  }
  return {};
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

std::string to_string(const ConvChoice& choice) {
  std::string text = choice.vendor == 1 ? "the vendor's library" : choice.vendor == 0 ? "own kernels" : "";
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : ", ") + word; };
  if (choice.winograd == 0) add("direct");
  if (choice.winograd > 0) add("winograd " + std::to_string(choice.winograd));
  if (choice.tile != 0) add("tile " + std::to_string(choice.tile));
  return text.empty() ? "by rule" : text;
}

std::string to_string(const ConvClass& shape) {
  const char* const types[] = {"f32", "f16", "bf16"};
  const char* const passes[] = {"forward", "input gradient", "weight gradient"};
  const char* const filters[] = {"1x1", "3x3", "3x3 strided", "other", "grouped"};
  const auto extent = [](std::uint8_t exponent) { return std::to_string(std::uint64_t{1} << exponent); };
  return std::string("conv ") + types[shape.dtype % 3] + " " + passes[shape.pass % 3] + " " +
         filters[static_cast<std::size_t>(shape.filter) % 5] + " c:" + extent(shape.c) + " k:" + extent(shape.k) +
         " pixels:" + extent(shape.pixels);
}

Tuning::Tuning(const Device& device)
    : identity_(identity_of(device.info())),
      described_(device.info().name + " (" + device.info().backend + ", " + device.info().arch + ")"),
      key_("tuning-" + identity_.substr(0, 32)) {
  if (!variable_switch("PORTICO_TUNING", true)) return;
  const auto payload = DiskCache::instance().load(key_);
  if (!payload) {
    replace(shipped_for(device.info()));
    return;
  }
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

TunedChoices Tuning::choices() const {
  const Tables* tables = tables_.load(std::memory_order_acquire);
  return tables == nullptr ? TunedChoices{} : TunedChoices{tables->gemm.entries(), tables->conv.entries()};
}

void Tuning::replace(TunedChoices choices) {
  const std::lock_guard lock(mutex_);
  if (choices.gemm.empty() && choices.conv.empty()) return tables_.store(nullptr, std::memory_order_release);
  all_.push_back(
      std::unique_ptr<Tables>(new Tables{GemmTable(std::move(choices.gemm)), ConvTable(std::move(choices.conv))}));
  tables_.store(all_.back().get(), std::memory_order_release);
}

bool Tuning::store() const {
  const std::string all = text();
  DiskCache::instance().store(key_, std::as_bytes(std::span(all)));
  return DiskCache::instance().info().enabled;
}

std::string Tuning::text() const {
  Json gemm = Json::array(), conv = Json::array();
  const TunedChoices all = choices();
  for (const GemmEntry& entry : all.gemm) gemm.push_back(to_json(entry));
  for (const ConvEntry& entry : all.conv) conv.push_back(to_json(entry));
  const Json root = {{"portico_tuning", kFormat},
                     {"device", described_},
                     {"identity", identity_},
                     {"digest", digest_of(identity_, gemm, conv)},
                     {"gemm", gemm},
                     {"conv", conv}};
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Tuning::replace_by_text(std::string_view text) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::invalid_argument, "tuning: " + why); };
  const Json root = Json::parse(text, nullptr, false);
  if (root.is_discarded() || !root.is_object() || !root.contains("portico_tuning"))
    refuse("the text is no tuning of Portico");
  TunedChoices choices;
  try {
    if (root.at("portico_tuning") != kFormat)
      refuse("format " + root.at("portico_tuning").dump() + ", this version reads " + std::to_string(kFormat));
    if (root.at("identity").get<std::string>() != identity_)
      refuse("it was measured on " + root.at("device").get<std::string>() +
             " with its own toolchain and kernels, this is " + described_ +
             " with others; measure again with portico-tune");
    if (root.at("digest").get<std::string>() != digest_of(identity_, root.at("gemm"), root.at("conv")))
      refuse("its digest does not fit: it was changed or damaged");
    choices = choices_from(root);
  } catch (const std::exception& error) {
    if (dynamic_cast<const Error*>(&error) != nullptr) throw;
    refuse(std::string("a field is missing or of the wrong kind: ") + error.what());
  }
  replace(std::move(choices));
}

}  // namespace portico::detail
