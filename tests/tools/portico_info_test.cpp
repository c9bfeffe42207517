// portico-info: its JSON is a fixed interface, and for what cannot be used it says why.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "catch.hpp"
#include "portico/version.hpp"
#include "run_program.hpp"

using namespace portico::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

const std::string kInfo = "'" PORTICO_INFO "'";

struct Folder {
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "portico-info-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

Json json_of(const std::string& variables) {
  const ProgramRun run = run_program("env " + variables + " " + kInfo + " --json");
  INFO(run.err);
  REQUIRE(run.code == 0);
  return Json::parse(run.out);
}

int line_count(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("--json has the promised fields, in the order of preference") {
  const Json info = json_of("");
  CHECK(info.at("version") == portico::version());
  CHECK(info.at("cache").at("path").is_string());
  CHECK(info.at("cache").at("enabled").is_boolean());
  const Json& backends = info.at("backends");
  REQUIRE(backends.size() == 3);
  CHECK(backends[0].at("name") == "cuda");
  CHECK(backends[1].at("name") == "hip");
  CHECK(backends[2].at("name") == "opencl");
  for (const Json& backend : backends) {
    INFO(backend.dump(2));
    CHECK_FALSE(backend.at("tried").empty());
    if (backend.at("usable").get<bool>()) {
      CHECK(backend.at("reason") == "");
      CHECK_FALSE(backend.at("devices").empty());
    } else {
      CHECK(backend.at("reason") != "");
      CHECK(backend.at("devices").empty());
    }
    for (const Json& device : backend.at("devices")) {
      CHECK(device.at("index").is_number_integer());
      for (const char* text : {"name", "arch", "toolchain"}) CHECK_FALSE(device.at(text).get<std::string>().empty());
      for (const char* number : {"memory_bytes", "max_group_size", "local_bytes"})
        CHECK(device.at(number).get<std::uint64_t>() > 0);
      CHECK(device.at("subgroup_size").is_number_unsigned());
      static const std::set<std::string> kKnown = {"cpu",       "unified_memory", "fp16",   "fp64",
                                                   "subgroups", "gemm",           "timing", "conv"};
      for (const Json& feature : device.at("features")) CHECK(kKnown.count(feature.get<std::string>()) == 1);
    }
  }
}

TEST_CASE("the cache's folder and whether it is used") {
  const Folder folder;
  const std::string wanted = (folder.path / "kernels").string();
  const Json on = json_of("PORTICO_CACHE_DIR='" + wanted + "'");
  CHECK(on.at("cache").at("enabled") == true);
  CHECK(on.at("cache").at("path").get<std::string>().find(wanted) == 0);
  const Json off = json_of("PORTICO_CACHE=0");
  CHECK(off.at("cache").at("enabled") == false);
}

TEST_CASE("a plugin that is not there, or is none, is named with its path") {
  const Folder folder;
  std::ofstream(folder.path / "libportico_cuda.so") << "this is no library\n";
  const Json info = json_of("PORTICO_BACKEND_DIR='" + folder.path.string() + "'");
  for (const Json& backend : info.at("backends")) {
    INFO(backend.dump(2));
    const std::string file = (folder.path / ("libportico_" + backend.at("name").get<std::string>() + ".so")).string();
    CHECK(backend.at("usable") == false);
    CHECK(backend.at("reason").get<std::string>().find(file) != std::string::npos);
    CHECK(backend.at("tried") == Json::array({file}));
  }
  const ProgramRun text = run_program("env PORTICO_BACKEND_DIR='" + folder.path.string() + "' " + kInfo);
  CHECK(text.code == 0);
  CHECK(text.out.find("cuda: not usable") != std::string::npos);
  CHECK(text.out.find("tried " + folder.path.string()) != std::string::npos);
}

TEST_CASE("the text names the version, the cache and every backend") {
  const ProgramRun run = run_program(kInfo);
  INFO(run.out << run.err);
  CHECK(run.code == 0);
  CHECK(run.out.find(std::string("Portico ") + portico::version() + "\n") == 0);
  for (const char* part : {"\nkernel cache: ", "\ncuda: ", "\nhip: ", "\nopencl: "})
    CHECK(run.out.find(part) != std::string::npos);
}

TEST_CASE("wrong use is exit code 2 and one line, help is none") {
  for (const char* wrong : {" --nonsense", " stray", " --json=maybe"}) {
    const ProgramRun run = run_program(kInfo + wrong);
    INFO(wrong << ": " << run.err);
    CHECK(run.code == 2);
    CHECK(run.out.empty());
    CHECK(line_count(run.err) == 1);
    CHECK(run.err.find("portico-info: ") == 0);
  }
  CHECK(run_program(kInfo + " --help").code == 0);
  const ProgramRun version = run_program(kInfo + " --version");
  CHECK(version.code == 0);
  CHECK(version.out == std::string(portico::version()) + "\n");
}

TEST_CASE("a full disk is an error, not silence") {
  const ProgramRun run = run_program(kInfo + " --json >/dev/full");
  CHECK(run.code == 1);
  CHECK(line_count(run.err) == 1);
}

TEST_CASE("a variable that makes no sense is named") {
  const ProgramRun run = run_program("env PORTICO_CACHE=perhaps " + kInfo);
  INFO(run.err);
  CHECK(run.code == 1);
  CHECK(run.err.find("PORTICO_CACHE") != std::string::npos);
  CHECK(run.err.find("perhaps") != std::string::npos);
}
