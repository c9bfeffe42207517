#include "runtime/precompiled.hpp"

#include <array>
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

std::optional<std::vector<std::byte>> find_precompiled(const portico_backend& api, portico_device* device,
                                                       std::string_view source) {
  static const std::string folder = plugin_folder() + "/kernels/";
  if (api.binary_targets == nullptr) return std::nullopt;
  const std::string of_backend = folder + api.name + "/";
  std::error_code ignored;
  if (!std::filesystem::is_directory(of_backend, ignored)) return std::nullopt;
  std::array<char, 512> targets{};
  if (api.binary_targets(device, targets.data(), targets.size()) != PORTICO_OK) {
    take_message();
    return std::nullopt;
  }
  const std::string name = precompiled_name(source);
  std::istringstream list(targets.data());
  for (std::string target; list >> target;) {
    bool damaged = false;
    if (auto found = read_cache_entry(of_backend + target + "/" + name, damaged)) return found;
    if (damaged) log(PORTICO_LOG_WARNING, "damaged precompiled kernel: " + of_backend + target + "/" + name);
  }
  return std::nullopt;
}

}  // namespace detail

int precompile(std::string_view backend, std::string_view target, const std::string& texts, const std::string& out) {
  using namespace detail;
  const LoadedBackend& loaded = load_backend(backend);
  const std::string subject = "precompile for " + std::string(target);
  if (loaded.api == nullptr) throw Error(ErrorCode::unsupported, subject + ": " + loaded.reason);
  const portico_backend& api = *loaded.api;
  if (api.compile_for == nullptr)
    throw Error(ErrorCode::unsupported, subject + ": " + loaded.name + " compiles on its device only");
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
  return made;
}

}  // namespace portico
