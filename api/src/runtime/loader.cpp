#include "runtime/loader.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

#include "portico/error.hpp"
#include "runtime/environment.hpp"
#include "runtime/status.hpp"

namespace portico::detail {
namespace {

// Beside the library as it really lies on the disk, so that an installation may be moved or linked to.
std::filesystem::path find_plugins() {
  if (const auto folder = variable("PORTICO_BACKEND_DIR")) return *folder;
  Dl_info self{};
  dladdr(reinterpret_cast<const void*>(&find_plugins), &self);
  std::error_code ignored;
  const auto file = std::filesystem::canonical(self.dli_fname, ignored);
  return file.parent_path() / "portico";
}

LoadedBackend load(const std::string& name) {
  LoadedBackend found{.name = name};
  const auto file = find_plugins() / ("libportico_" + name + ".so");
  found.tried.push_back(file.string());

  // Never closed: drivers run threads and exit handlers. RTLD_LOCAL: two plugins may hold the same names inside.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    found.reason = std::string("the plugin does not open: ") + dlerror();
    return found;
  }
  const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(library, PORTICO_BACKEND_ENTRY));
  if (entry == nullptr) {
    found.reason = file.string() + " has no symbol " PORTICO_BACKEND_ENTRY ": made for another version of Portico";
    return found;
  }
  const portico_backend* api = entry(&host_services());
  constexpr std::size_t kRequired = offsetof(portico_backend, gemm);
  if (api == nullptr || api->struct_size < kRequired) {
    found.reason = file.string() + " offers fewer functions than this version of Portico needs";
    return found;
  }
  // A plugin made before a slot was appended has a shorter table: what it lacks reads as null.
  auto* table = new portico_backend{};
  std::memcpy(table, api, std::min<std::size_t>(api->struct_size, sizeof *table));
  found.api = table;
  if (api->device_count(&found.devices) != PORTICO_OK) {
    found.devices = 0;
    found.reason = take_message();
  } else if (found.devices == 0) {
    found.reason = "no device";
  }
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string plugin_folder() { return find_plugins().string(); }

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names = {"cuda", "hip", "opencl"};
  return names;
}

const LoadedBackend& load_backend(std::string_view name) {
  const auto& names = backend_names();
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw Error(ErrorCode::invalid_argument, "backend '" + std::string(name) + "' is none of " + listed(names));
  static std::mutex mutex;
  static std::map<std::string, LoadedBackend, std::less<>>& loaded =
      *new std::map<std::string, LoadedBackend, std::less<>>;
  const std::lock_guard lock(mutex);
  auto at = loaded.find(name);
  if (at == loaded.end()) at = loaded.emplace(std::string(name), load(std::string(name))).first;
  return at->second;
}

DeviceName parse_device_name(std::string_view text, std::string_view subject) {
  const auto colon = text.find(':');
  DeviceName name{.backend = std::string(text.substr(0, colon))};
  const auto& names = backend_names();
  bool good = std::find(names.begin(), names.end(), name.backend) != names.end();
  if (good && colon != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, name.index);
    good = error == std::errc() && rest == end && name.index >= 0;
  }
  if (!good)
    throw Error(ErrorCode::invalid_argument, std::string(subject) + "=" + std::string(text) + ": expected one of " +
                                                 listed(names) + ", with :index if wanted");
  return name;
}

}  // namespace portico::detail
