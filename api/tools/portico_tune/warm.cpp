#include "warm.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "../recording/common_work.hpp"
#include "portico/device.hpp"
#include "portico/precompile.hpp"

namespace portico_tune {
namespace {

namespace fs = std::filesystem;
using portico::Error;
using portico::ErrorCode;

// The exit code of `work` in a process of its own, or 128 + signal. Programs reach a folder when a process ends, a
// device is chosen once a process, and a compiler may end its process.
int in_child(const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    int code = 1;
    try {
      code = work();
    } catch (const Error& error) {
      std::fprintf(stderr, "portico-tune: --warm: %s\n", error.what());
      code = error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::unsupported ? 2 : 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "portico-tune: --warm: %s\n", error.what());
    }
    std::exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    throw Error(ErrorCode::internal, "--warm: no process could be started");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Filled {
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
};
Filled contents(const fs::path& folder) {
  Filled found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.is_regular_file(ignored)) continue;
    ++found.files;
    found.bytes += entry.file_size(ignored);
  }
  return found;
}

void print(const std::string& what, const std::string& folder) {
  const Filled filled = contents(folder);
  std::printf("%s: %zu files, %.1f MB\n", what.c_str(), filled.files, static_cast<double>(filled.bytes) / 1e6);
}

struct Target {
  std::string backend, name;
};
Target target_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || colon + 1 == text.size())
    throw Error(ErrorCode::invalid_argument, "--arch " + text +
                                                 ": expected BACKEND:TARGET, a backend as portico-info names "
                                                 "it and its compiler's name for the architecture (sm_90, gfx942)");
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// The kernels' texts as small and large devices ask for them, with a vendor's library and without. A tile is taken from
// some number of units up to at least twice as many, so powers of two meet each; single operations have each tile
// anyway.
void record(const std::string& texts, bool networks_only) {
  const auto on = [&](const std::string& units, const char* vendor, bool operations) {
    const int code = in_child([&] {
      setenv("PORTICO_NULL_UNITS", units.c_str(), 1);
      setenv("PORTICO_NULL_VENDOR", vendor, 1);
      unsetenv("PORTICO_VENDOR");
      portico::record_kernels(texts);
      portico::tools::run_networks();
      if (operations) portico::tools::run_operations();
      return 0;
    });
    if (code != 0) throw Error(ErrorCode::internal, "--warm: the kernels could not be recorded");
  };
  for (int units = 2; units <= 512; units *= 2) on(std::to_string(units), "0", units == 2 && !networks_only);
  on("2", "1", !networks_only);
}

// A folder that goes away with the object.
struct Texts {
  std::string path;
  Texts() {
    std::string name = (fs::temp_directory_path() / "portico-texts-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error(ErrorCode::io, "--warm: " + name + " cannot be made");
    path = name;
  }
  ~Texts() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;
};

}  // namespace

int warm(const std::string& folder, const std::string& device_name) {
  // Before the first device: the cache reads the variable once.
  setenv("PORTICO_CACHE_DIR", folder.c_str(), 1);
  const portico::CacheInfo cache = portico::cache_info();
  if (!cache.enabled) throw Error(ErrorCode::invalid_argument, "--warm " + folder + ": " + cache.reason);
  const int code = in_child([&] {
    const portico::Device device =
        device_name.empty() ? portico::Device::current() : portico::Device::open(device_name);
    const portico::DeviceGuard on(device);
    portico::tools::run_networks();
    device.synchronize();
    return 0;
  });
  if (code != 0) return 1;
  print(folder, folder);
  std::printf("PORTICO_CACHE_DIR=%s makes a process on an equal device use them\n", folder.c_str());
  return contents(folder).files > 0 ? 0 : 1;
}

int warm_for(const std::string& folder, const std::vector<std::string>& archs, bool networks_only) {
  std::vector<Target> targets;
  for (const std::string& arch : archs) targets.push_back(target_of(arch));
  // All of them before anything is compiled: a mistake in the last one costs no minutes.
  for (const Target& target : targets) {
    const int code = in_child([&] {
      portico::require_precompile_target(target.backend, target.name);
      return 0;
    });
    if (code > 128)
      throw Error(ErrorCode::unsupported,
                  "--arch " + target.backend + ":" + target.name + ": the compiler ended its process");
    if (code != 0) return code;
  }
  const Texts texts;
  record(texts.path, networks_only);
  const std::string kernels = folder + "/kernels";
  for (const Target& target : targets) {
    const int code =
        in_child([&] { return portico::precompile(target.backend, target.name, texts.path, kernels) > 0 ? 0 : 1; });
    if (code != 0) return code > 128 ? 1 : code;
    print(target.backend + ":" + target.name, kernels + "/" + target.backend + "/" + target.name);
  }
  std::printf("PORTICO_CACHE_DIR=%s makes a process use them, and so does %s beside the installed plugins\n",
              folder.c_str(), kernels.c_str());
  return 0;
}

}  // namespace portico_tune
