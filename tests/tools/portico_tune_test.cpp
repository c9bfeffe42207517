// portico-tune on the OpenCL device: what it keeps, carries and refuses. No time is judged.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.hpp"
#include "portico/portico.hpp"
#include "portico/tuning.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"

using namespace portico::test;
using Json = nlohmann::ordered_json;

namespace {

// A cache folder of its own: the tuning of one case is not another's.
struct Machine {
  TemporaryFolder folder, plugins;  // the plugins without what ships for families of devices
  Machine() {
    for (const auto& entry : std::filesystem::directory_iterator(PORTICO_PLUGINS))
      if (entry.path().extension() == ".so")
        std::filesystem::create_symlink(entry.path(), plugins.path() / entry.path().filename());
  }
  ProgramRun tune(const std::string& arguments) const {
    return run_program("env PORTICO_LOG=warning PORTICO_CACHE_DIR='" + folder.path().string() +
                       "' PORTICO_BACKEND_DIR='" + plugins.path().string() + "' '" PORTICO_TUNE "' " + arguments);
  }
  void ship(const std::string& families) const {
    std::filesystem::create_directories(plugins.path() / "tuning");
    std::ofstream(plugins.path() / "tuning" / "families.json") << families;
  }
  std::string path(const char* name) const { return (folder.path() / name).string(); }
  std::string write(const char* name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> tunings(const Machine& machine) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(machine.folder.path()))
    if (entry.path().filename().string().rfind("tuning-", 0) == 0) found.push_back(entry.path());
  return found;
}

}  // namespace

TEST_CASE("what is measured is listed in another process, exported, forgotten and imported again") {
  const Machine machine;
  ProgramRun run = machine.tune("--seconds 0.5");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("classes measured") != std::string::npos);
  const std::string listed = machine.tune("--list").out;
  CHECK(listed.find("gemm f32 NT m:64 n:256 k:1024") != std::string::npos);
  REQUIRE(tunings(machine).size() == 1);

  REQUIRE(machine.tune("--export " + machine.path("a.json")).code == 0);
  REQUIRE(machine.tune("--forget").code == 0);
  CHECK(machine.tune("--list").out.find("0 classes measured") != std::string::npos);
  REQUIRE(machine.tune("--import " + machine.path("a.json")).code == 0);
  CHECK(machine.tune("--list").out == listed);

  SECTION("a damaged file in the cache folder means the rules") {
    std::filesystem::path file = tunings(machine)[0];
    std::string text = text_of(file.string());
    text[text.size() - 10] ^= 1;
    std::ofstream(file, std::ios::binary) << text;
    run = machine.tune("--list");
    CHECK(run.code == 0);
    CHECK(run.out.find("0 classes measured") != std::string::npos);
  }
}

TEST_CASE("a tuning that is broken or another device's is refused and changes nothing") {
  const Machine machine;
  REQUIRE(machine.tune("--export " + machine.path("a.json")).code == 0);
  const Json good = Json::parse(text_of(machine.path("a.json")));
  const auto refused = [&](const std::string& text, const std::string& reason) {
    const ProgramRun run = machine.tune("--import " + machine.write("bad.json", text));
    INFO(run.err);
    CHECK(run.code == 2);
    CHECK(run.err.find(reason) != std::string::npos);
  };
  refused("", "no tuning of Portico");
  refused("{\"context\": 1}", "no tuning of Portico");
  Json bad = good;
  bad["identity"] = "another";
  bad["device"] = "Another GPU";
  refused(bad.dump(), "measured on Another GPU");
  bad = good;
  bad["gemm"].push_back(1);
  refused(bad.dump(), "changed or damaged");
  bad = good;
  bad["portico_tuning"] = 99;
  refused(bad.dump(), "format 99");
  bad = good;
  bad.erase("digest");
  refused(bad.dump(), "missing or of the wrong kind");
  CHECK(machine.tune("--import " + machine.path("none.json")).code == 1);
  CHECK(machine.tune("--list --forget").code == 2);
  CHECK(machine.tune("--seconds 0").code == 2);
}

TEST_CASE("what ships for a family of devices holds until something is in the cache folder") {
  const Machine machine;
  const Json gemm = {{"class", {0, 0, 5, 5, 5}},
                     {"vendor", -1},
                     {"rows", 7},
                     {"vecs", 0},
                     {"pack_b", -1},
                     {"depth", 0},
                     {"tile", -1},
                     {"gain", 1.5}};
  const Json conv = {{"class", {0, 0, 1, 6, 6, 7}}, {"vendor", -1}, {"winograd", 2}, {"tile", 0}, {"gain", 1.25}};
  const auto family = [&](const std::string& backend, const std::string& name) {
    return Json{{"backend", backend},
                {"name_has", name},
                {"toolchain_has", ""},
                {"gemm", Json::array({gemm})},
                {"conv", Json::array({conv})}};
  };
  const auto listed = [&] {
    const ProgramRun run = machine.tune("--list");
    INFO(run.err);
    REQUIRE(run.code == 0);
    return run.out;
  };
  CHECK(listed().find("0 classes") != std::string::npos);
  machine.ship(
      Json{{"families", {family("cuda", ""), family("opencl", "no such device"), family("opencl", "")}}}.dump());
  const std::string shipped = listed();
  CHECK(shipped.find("2 classes") != std::string::npos);
  CHECK(shipped.find("1.25x  winograd 2") != std::string::npos);
  CHECK(shipped.find("conv f32 forward 3x3 c:64 k:64 pixels:128") != std::string::npos);

  REQUIRE(machine.tune("--forget").code == 0);
  CHECK(listed().find("0 classes") != std::string::npos);
  for (const auto& entry : tunings(machine)) std::filesystem::remove(entry);
  CHECK(listed() == shipped);

  machine.ship(Json{{"families", Json::array({family("opencl", "no such device")})}}.dump());
  CHECK(listed().find("0 classes") != std::string::npos);
  Json odd = family("opencl", "");
  odd["conv"][0]["winograd"] = 3;
  for (const std::string& broken : {std::string("{"), Json{{"families", Json::array({odd})}}.dump()}) {
    machine.ship(broken);
    const ProgramRun run = machine.tune("--list");
    CHECK(run.code == 0);
    CHECK(run.out.find("0 classes") != std::string::npos);
    CHECK(run.err.find("families.json is not used") != std::string::npos);
  }
}

TEST_CASE("--warm fills a folder, and a process that uses it compiles nothing") {
  const Machine machine;
  const std::string folder = machine.path("programs");
  ProgramRun run = machine.tune("--warm " + folder);
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) > 10);
  // The same again, the log saying what is compiled.
  run = run_program("env PORTICO_LOG=debug '" PORTICO_TUNE "' --warm " + folder);
  CHECK(run.code == 0);
  CHECK(run.err.find("compiling ") == std::string::npos);
}
