// All plugins load in one process, each as itself, by the C contract alone and through the library.
#include <dlfcn.h>

#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "portico/backend_abi.h"
#include "portico/device.hpp"
#include "process_maps.hpp"

namespace fs = std::filesystem;

namespace {

void ignore_error(const char*, size_t) {}
void ignore_log(int32_t, const char*, size_t) {}
const portico_host kHost = {sizeof(portico_host), ignore_error, ignore_log};

}  // namespace

TEST_CASE("three plugins of one source tree live in one process") {
  std::vector<const portico_backend*> tables;
  for (const char* name : {"cuda", "hip", "opencl"}) {
    const fs::path file =
        fs::path(PORTICO_LIBRARY).parent_path() / "portico" / ("libportico_" + std::string(name) + ".so");
    INFO(file);
    void* plugin = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    INFO((plugin != nullptr ? "" : dlerror()));
    REQUIRE(plugin != nullptr);
    const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(plugin, PORTICO_BACKEND_ENTRY));
    REQUIRE(entry != nullptr);
    const portico_backend* backend = entry(&kHost);
    REQUIRE(backend != nullptr);
    CHECK(std::string(backend->name) == name);
    CHECK(backend->struct_size == sizeof(portico_backend));
    CHECK(backend->abi_minor == PORTICO_ABI_MINOR);
    CHECK(backend->prelude.size > 1000);
    tables.push_back(backend);
  }
  // CUDA and HIP are one source compiled twice: nothing of one may have taken the other's place.
  CHECK(tables[0] != tables[1]);
  CHECK(tables[0]->launch != tables[1]->launch);
  CHECK(std::memcmp(tables[0]->prelude.data, tables[1]->prelude.data, 64) != 0);
  for (const portico_backend* backend : tables) {
    INFO(backend->name);
    int32_t count = -1;
    const portico_status status = backend->device_count(&count);
    const bool answered = (status == PORTICO_OK && count > 0) || status == PORTICO_UNSUPPORTED;
    CHECK(answered);
  }
}

TEST_CASE("the survey names every backend, with devices or with a reason and the paths tried") {
  const auto reports = portico::Device::survey();
  REQUIRE(reports.size() == 3);
  std::set<std::string> names;
  for (const auto& report : reports) {
    INFO(report.name << ": " << report.reason);
    names.insert(report.name);
    CHECK(report.usable == !report.devices.empty());
    CHECK(report.usable == report.reason.empty());
    CHECK_FALSE(report.tried.empty());
    for (const auto& device : report.devices) CHECK(device.backend == report.name);
  }
  CHECK(names == std::set<std::string>{"cuda", "hip", "opencl"});
  const auto mapped = portico::test::mapped_libraries();
  for (const std::string name : {"cuda", "hip", "opencl"}) CHECK(mapped.count("libportico_" + name + ".so") == 1);
}
