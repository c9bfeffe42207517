#include "runtime/precompiled.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "portico/precompile.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/loader.hpp"
#include "runtime/log.hpp"
#include "runtime/sha256.hpp"
#include "runtime/status.hpp"

namespace portico {
namespace detail {
namespace {

constexpr std::string_view kNoPrelude = "// begin prelude\n// end prelude\n";

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(ErrorCode::io, "precompile: " + path.string() + " cannot be read");
  return text.str();
}

// A dumped text with the backend's own prelude in place of the one it was dumped with.
std::string with_prelude(std::string text, std::string_view prelude) {
  const std::string_view begin = kNoPrelude.substr(0, kNoPrelude.find('\n') + 1), end = kNoPrelude.substr(begin.size());
  const std::size_t from = text.find(begin), to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.replace(from + begin.size(), to - from - begin.size(), prelude);
}

}  // namespace

std::string precompiled_name(std::string_view source) {
  Sha256 hash;
  hash.field("portico precompiled 1");
  hash.field(source);
  return hash.hex();
}

namespace {

// The folders with a backend's kernels: one that was filled ahead of time and is named as the cache, the
// installation's.
std::vector<std::string> folders_of(const portico_backend& api) {
  std::vector<std::string> found;
  const CacheInfo& cache = DiskCache::instance().info();
  std::error_code ignored;
  for (const std::string& base : {cache.enabled ? cache.path : std::string(), plugin_folder()})
    if (const std::string folder = base + "/kernels/" + api.name + "/"; !base.empty())
      if (std::filesystem::is_directory(folder, ignored)) found.push_back(folder);
  return found;
}

}  // namespace

std::optional<std::vector<std::byte>> find_precompiled(const portico_backend& api, portico_device* device,
                                                       std::string_view source) {
  if (api.binary_targets == nullptr) return std::nullopt;
  const std::vector<std::string> folders = folders_of(api);
  if (folders.empty()) return std::nullopt;
  std::array<char, 512> targets{};
  if (api.binary_targets(device, targets.data(), targets.size()) != PORTICO_OK) {
    take_message();
    return std::nullopt;
  }
  const std::string name = precompiled_name(source);
  std::istringstream list(targets.data());
  for (std::string target; list >> target;)
    for (const std::string& folder : folders) {
      bool damaged = false;
      if (auto found = read_cache_entry(folder + target + "/" + name, damaged)) return found;
      if (damaged) log(PORTICO_LOG_WARNING, "damaged precompiled kernel: " + folder + target + "/" + name);
    }
  return std::nullopt;
}

}  // namespace detail

namespace {

using detail::LoadedBackend;

// The backend, when it compiles without a device.
const LoadedBackend& compiler_of(std::string_view backend, const std::string& subject) {
  const LoadedBackend& loaded = detail::load_backend(backend);
  if (loaded.api == nullptr) throw Error(ErrorCode::unsupported, subject + ": " + loaded.reason);
  if (loaded.api->compile_for == nullptr)
    throw Error(ErrorCode::unsupported, subject + ": " + loaded.name + " compiles on its device only");
  return loaded;
}

// Read by all, as what is installed beside it.
void open_to_all(const std::filesystem::path& folder) {
  using std::filesystem::perms;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    std::filesystem::permissions(entry.path(), perms::group_read | perms::others_read,
                                 std::filesystem::perm_options::add, ignored);
  const auto enter = perms::group_read | perms::others_read | perms::group_exec | perms::others_exec;
  std::filesystem::permissions(folder, enter, std::filesystem::perm_options::add, ignored);
}

}  // namespace

void record_kernels(const std::string& folder) {
  const std::string plugins = detail::plugin_folder() + "/null";
  for (const auto& [name, value] : {std::pair<const char*, std::string>{"PORTICO_DUMP", folder},
                                    {"PORTICO_BACKEND_DIR", plugins},
                                    {"PORTICO_BACKEND", detail::backend_names().back()},
                                    {"PORTICO_KERNEL_SHAPE", "gpu"},
                                    {"PORTICO_CACHE", "0"},
                                    {"PORTICO_DEBUG", "0"}})  // the plugin keeps no guard words
    setenv(name, value.c_str(), 1);
}

void require_precompile_target(std::string_view backend, std::string_view target) {
  const std::string subject = std::string(backend) + ":" + std::string(target);
  const LoadedBackend& loaded = compiler_of(backend, subject);
  const auto drop = [](void*, portico_bytes) {};
  detail::check(loaded.api->compile_for(std::string(target).c_str(), loaded.api->prelude, nullptr, drop), subject);
}

int precompile(std::string_view backend, std::string_view target, const std::string& texts, const std::string& out) {
  using namespace detail;
  const std::string subject = "precompile for " + std::string(target);
  const LoadedBackend& loaded = compiler_of(backend, subject);
  const portico_backend& api = *loaded.api;
  const DiskCache cache(out + "/" + loaded.name + "/" + std::string(target));
  if (!cache.info().enabled)
    throw Error(ErrorCode::io, subject + ": " + cache.info().path + ": " + cache.info().reason);

  int made = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(texts, error)) {
    if (entry.path().extension() != ".cl") continue;
    const std::string source =
        with_prelude(read_text(entry.path()), {static_cast<const char*>(api.prelude.data), api.prelude.size});
    if (source.empty()) throw Error(ErrorCode::io, "precompile: " + entry.path().string() + " is no dumped text");
    struct Keeper {
      const DiskCache& cache;
      std::string name;
      int count;
    } keeper{cache, precompiled_name(source), 0};
    const auto take = [](void* context, portico_bytes binary) {
      auto& kept = *static_cast<Keeper*>(context);
      kept.cache.store(kept.name, {static_cast<const std::byte*>(binary.data), binary.size});
      ++kept.count;
    };
    check(api.compile_for(std::string(target).c_str(), {source.data(), source.size()}, &keeper, take),
          subject + ": " + entry.path().filename().string());
    made += keeper.count;
  }
  if (error) throw Error(ErrorCode::io, "precompile: " + texts + ": " + error.message());
  open_to_all(cache.info().path);
  return made;
}

}  // namespace portico
