#include "backends/cuda_hip/libraries.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace portico::cuda_hip {
namespace {

void note(std::string& tried, const std::string& reason) { tried += (tried.empty() ? "" : "; ") + reason; }

// The folders of a colon-separated list such as LD_LIBRARY_PATH.
std::vector<std::string> folders_in(const char* list) {
  std::vector<std::string> folders;
  const std::string text = list ? list : "";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) folders.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

}  // namespace

std::vector<std::string> candidates(const std::vector<std::string>& names, const std::vector<std::string>& folders) {
  std::vector<std::string> all = names;
  for (const std::string& folder : folders)
    if (!folder.empty())
      for (const std::string& name : names) all.push_back(folder + "/" + name);
  return all;
}

plugin::Library open_library(const char* variable, const std::vector<std::string>& names, std::string& tried,
                             const std::function<std::string(plugin::Library&)>& accept) {
  const bool given = std::getenv(variable) != nullptr;
  for (const std::string& name : given ? std::vector<std::string>{""} : names) {
    plugin::Library library(variable, {name.c_str()});
    if (!library) {
      note(tried, library.tried());
      continue;
    }
    const std::string reason = accept(library);
    if (reason.empty()) return library;
    note(tried, reason);
  }
  return {};
}

bool library_exists(const char* variable, const std::vector<std::string>& names,
                    const std::vector<std::string>& folders) {
  // Set but empty means none; whether what is named can be used is said by whoever opens it.
  if (const char* given = std::getenv(variable)) return *given != '\0';
  std::vector<std::string> places = folders_in(std::getenv("LD_LIBRARY_PATH"));
  places.insert(places.end(), folders.begin(), folders.end());
  for (const char* usual : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
                            "/usr/local/lib", "/lib64", "/lib"})
    places.emplace_back(usual);
  for (const std::string& place : places)
    for (const std::string& name : names)
      if (!place.empty() && access((place + "/" + name).c_str(), R_OK) == 0) return true;
  return false;
}

std::string folder_of(const void* function) {
  Dl_info info{};
  if (!function || !dladdr(function, &info) || !info.dli_fname) return {};
  const std::string file = info.dli_fname;
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? std::string() : file.substr(0, slash);
}

bool has_precompiled(const void* function, const char* backend) {
  const std::string kernels = std::string("/kernels/") + backend;
  if (access((folder_of(function) + kernels).c_str(), R_OK) == 0) return true;
  const char* cache = std::getenv("PORTICO_CACHE_DIR");
  return cache && *cache && access((cache + kernels).c_str(), R_OK) == 0;
}

std::string folder_from(std::initializer_list<const char*> variables, const char* below) {
  for (const char* variable : variables)
    if (const char* value = std::getenv(variable); value && *value) return std::string(value) + below;
  return {};
}

}  // namespace portico::cuda_hip
