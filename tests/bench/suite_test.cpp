// portico-bench --suite on a device: rows, files and errors. Times are not judged.
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "catch.hpp"
#include "portico/device.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"

using namespace portico::test;
using Json = nlohmann::json;

namespace {

const std::string kBench = "'" PORTICO_BENCH "'";

// Small blocks for the roofs: their figures do not matter here. Kernels run unchecked, as they would be timed.
const std::string kSmall = "env PORTICO_DEBUG=0 PORTICO_MEMORY_LIMIT=256M " + kBench;

std::string text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Json read(const std::filesystem::path& path) { return Json::parse(text(path)); }

}  // namespace

TEST_CASE("every list can be named, and quick has forty rows") {
  const auto rows = [](const std::string& suite) {
    const ProgramRun run = run_program(kBench + " --suite " + suite + " --benchmark_list_tests");
    INFO(run.err);
    REQUIRE(run.code == 0);
    return std::count(run.out.begin(), run.out.end(), '\n');
  };
  CHECK(rows("quick") >= 40);
  CHECK(rows("full") > 900);
  CHECK(rows("gemm_deepbench_train") >= 160);
  CHECK(rows("conv_resnet50") >= 60);
}

TEST_CASE("rows carry counters and details, the file a manifest") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.json";
  const ProgramRun run =
      run_program(kSmall + " --suite quick,allocation --benchmark_filter='launch/p|relu/cols:1024/|pooled' " +
                  "--benchmark_out=" + file.string() + " --benchmark_out_format=json");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const Json result = read(file);
  const Json& context = result.at("context");
  for (const char* key : {"portico_version", "commit", "command", "date", "host_compiler", "options", "variables"})
    CHECK(context.contains(key));
  REQUIRE(context.at("devices").size() == 1);
  CHECK(context.at("devices")[0].at("limits").at("fma_f32_flops").get<double>() > 1e6);
  CHECK(context.at("devices")[0].at("sensor").is_string());
  CHECK(result.at("ending").at("ended") == "complete");
  std::set<std::string> names;
  for (const Json& row : result.at("benchmarks")) {
    INFO(row.dump());
    names.insert(row.at("name"));
    CHECK(row.at("fraction_of_limit").get<double>() >= 0);
    CHECK(row.at("median_seconds").get<double>() > 0);
    CHECK(row.at("q1_seconds") <= row.at("median_seconds"));
    CHECK(row.at("median_seconds") <= row.at("q3_seconds"));
    CHECK(row.at("samples").get<int>() >= 5);
    CHECK(std::abs(row.at("real_time").get<double>() * 1e-6 / row.at("median_seconds").get<double>() - 1) < 1e-6);
  }
  CHECK(names.count("memory_bound/relu/cols:1024/opencl:0/own") == 1);
  CHECK(names.count("allocation/pooled/bytes:67108864/opencl:0/own") == 1);
  CHECK(names.size() == 6);
}

TEST_CASE("repetitions are measured anew, and a filter by its end matches") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.json";
  const ProgramRun run = run_program(
      kBench +
      " --suite launch --benchmark_filter='pointwise/opencl:0/own$' --benchmark_repetitions=2 --benchmark_out=" +
      file.string());
  INFO(run.err);
  REQUIRE(run.code == 0);
  std::set<double> times;
  const Json result = read(file);
  for (const Json& row : result.at("benchmarks"))
    if (row.at("run_type") == "iteration") times.insert(row.at("median_seconds").get<double>());
  CHECK(times.size() == 2);
}

TEST_CASE("what does not fit in memory, and a device that is not there, are rows; the others go on") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.json";
  const ProgramRun run = run_program(
      "env PORTICO_DEBUG=0 PORTICO_MEMORY_LIMIT=64M " + kBench +
      " --suite memory_bound --devices opencl:0,opencl:77 --benchmark_filter='device|relu/cols:(1024|67108864)/' " +
      "--benchmark_out=" + file.string());
  INFO(run.err);
  REQUIRE(run.code == 0);
  int measured = 0, no_memory = 0, no_device = 0;
  const Json result = read(file);
  for (const Json& row : result.at("benchmarks")) {
    const std::string error = row.value("error_message", "");
    measured += error.empty() ? 1 : 0;
    no_memory += error.find("PORTICO_MEMORY_LIMIT is reached") != std::string::npos ? 1 : 0;
    no_device += row.at("name") == "device/opencl:77" && error.find("77") != std::string::npos ? 1 : 0;
  }
  CHECK(measured == 1);
  CHECK(no_memory == 1);
  CHECK(no_device == 1);
}

TEST_CASE("a filter that matches nothing offers the nearest rows") {
  const ProgramRun run = run_program(kBench + " --suite quick --benchmark_filter=sofmax");
  CHECK(run.code == 2);
  CHECK(run.err.find("memory_bound/softmax") != std::string::npos);
}

TEST_CASE("an interrupted run, and one out of time, keep what was measured") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.json";
  const std::string arguments = " --suite launch,allocation --benchmark_out=" + file.string();
  SECTION("Ctrl-C") {
    const auto err = folder.path() / "err";
    const pid_t child =
        start_program(kSmall + arguments + " --benchmark_repetitions=1000 >/dev/null 2>" + err.string());
    // Until a row was written: it stands in the file from then on.
    for (int i = 0; i < 2400 && text(file).find("median_seconds") == std::string::npos; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    REQUIRE(kill(child, SIGINT) == 0);
    REQUIRE(kill(child, SIGINT) == 0);  // as timeout(1) does; one request
    INFO(text(err));
    CHECK(exit_code(child) == 130);
    CHECK(text(file).find("median_seconds") != std::string::npos);
    CHECK(read(file).at("ending").at("ended") == "interrupted");
  }
  SECTION("time") {
    const ProgramRun run = run_program(kSmall + arguments + " --time 0.001");
    CHECK(run.code == 0);
    CHECK(run.err.find("rows not run: the time was over") != std::string::npos);
    CHECK(read(file).at("ending").at("ended") == "out of time");
  }
}
