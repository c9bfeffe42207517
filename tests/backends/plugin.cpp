// Opens the plugin that PORTICO_BACKEND names; main() skips where it finds no device.
#define CATCH_CONFIG_RUNNER
#include "plugin.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace portico::test {

std::string backend_name() {
  const char* wanted = std::getenv("PORTICO_BACKEND");
  const std::string name = wanted ? wanted : "opencl";
  return name.substr(0, name.find(':'));
}

namespace {

thread_local std::string t_message;

const portico_host kHost = {
    .struct_size = sizeof(portico_host),
    .set_error = [](const char* message, size_t size) { t_message.assign(message, size); },
    .log = [](int32_t, const char*, size_t) {},
};

std::filesystem::path plugin_file() {
  const char* folder = std::getenv("PORTICO_BACKEND_DIR");
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../lib/portico";
  return (folder ? std::filesystem::path(folder) : beside) / ("libportico_" + backend_name() + ".so");
}

}  // namespace

const portico_backend& backend() {
  static const portico_backend* const table = [] {
    void* library = dlopen(plugin_file().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) std::fprintf(stderr, "failed: %s\n", dlerror()), std::exit(1);
    const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(library, PORTICO_BACKEND_ENTRY));
    if (!entry) std::fprintf(stderr, "failed: no symbol " PORTICO_BACKEND_ENTRY "\n"), std::exit(1);
    return entry(&kHost);
  }();
  return *table;
}

const std::string& last_message() { return t_message; }

}  // namespace portico::test

// A main of its own: the shared one would ask the core whether there is a device.
int main(int argc, char** argv) {
  int32_t count = 0;
  if (portico::test::backend().device_count(&count) != PORTICO_OK) {
    const char* required = std::getenv("PORTICO_REQUIRE_BACKEND");
    const bool failed = required && std::string(required) == "1";
    std::fprintf(stderr, "%s: %s\n", failed ? "failed" : "skipped", portico::test::last_message().c_str());
    return failed ? 1 : 77;
  }
  return Catch::Session().run(argc, argv) == 0 ? 0 : 1;
}
