// Failures of what happens once a process: opening libraries and a device, compiling, loading, the first launches. Each
// in a process of its own, which this program starts: itself with --once.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"
#include "tests/standin/stand_in.hpp"

namespace portico::test {
namespace {

std::string program() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "fault_child"; }

ProgramRun child(const std::string& variables) {
  return run_program("env PORTICO_CACHE=0 " + variables + " timeout 120 '" + program() + "'");
}

// "calls NAME COUNT" lines of the stand-in's report.
std::map<std::string, std::uint64_t> calls_in(const std::string& file) {
  std::map<std::string, std::uint64_t> calls;
  std::ifstream report(file);
  for (std::string word, name; report >> word;) {
    std::uint64_t count = 0;
    std::string line;
    std::getline(report, line);
    std::istringstream fields(line);
    if (word == "calls" && fields >> name >> count) calls[name] = count;
  }
  return calls;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::vector<int> codes_of(const std::string& name) {
  if (contains(name, "clBuildProgram")) return {-11, -6};  // the compiler's failure, and a lack of host memory
  if (contains(name, "MapBuffer")) return {-12};
  if (name.starts_with("cl")) return {-5};
  if (contains(name, "rtc")) return {6};
  if (contains(name, "blas")) return {6};
  return {2, 719};
}

// The first and the last call. OpenCL: the first, and a spread over the questions about the device.
std::set<std::uint64_t> positions(const std::string& name, std::uint64_t count) {
  if (!name.starts_with("cl")) return {1, count};
  if (name != "clGetDeviceInfo") return {1};
  std::set<std::uint64_t> chosen;
  for (std::uint64_t part = 1; part <= 10; ++part) chosen.insert(std::max<std::uint64_t>(1, count * part / 10));
  return chosen;
}

}  // namespace

TEST_CASE("a process whose first calls fail ends with an error or with the result") {
  const TemporaryFolder folder;
  const std::string report = folder.path() / "report";
  const ProgramRun good = child("PORTICO_STANDIN_REPORT=" + report);
  REQUIRE(good.code == 0);
  const auto calls = calls_in(report);
  REQUIRE(calls.size() > 15);
  int cases = 0, errors = 0, same = 0;
  for (const auto& [name, count] : calls)
    for (const int code : codes_of(name))
      for (const std::uint64_t n : positions(name, count)) {
        if (n > 1 && code == 719) continue;  // the walk in one process has those
        const std::string fault = name + ":" + std::to_string(n) + ":" + std::to_string(code);
        INFO(fault);
        const ProgramRun run = child("PORTICO_STANDIN_FAULT=" + fault);
        INFO(run.err);
        ++cases;
        if (run.code == 0) {
          CHECK(run.out == good.out);
          ++same;
        } else {
          CHECK(run.code == 3);  // the child's own code for a portico::Error
          CHECK(run.err.find("error: ") != std::string::npos);
          ++errors;
        }
      }
  std::printf("%zu functions, %d processes: %d as without it, %d errors\n", calls.size(), cases, same, errors);
}

TEST_CASE("a kept program that does not load is compiled from its text") {
  if (std::string(std::getenv("PORTICO_BACKEND")) != "opencl") return;  // elsewhere tests/runtime damages the files
  const TemporaryFolder folder;
  const auto cached = [&](const std::string& variables) {
    return run_program("env PORTICO_CACHE=1 PORTICO_CACHE_DIR='" + folder.path().string() + "' " + variables +
                       " timeout 120 '" + program() + "'");
  };
  const ProgramRun first = cached("");
  REQUIRE(first.code == 0);
  for (const char* fault : {"clCreateProgramWithBinary:1:-42", "clCreateProgramWithBinary:2+:-6",
                            "clBuildProgram:1:-11", "clBuildProgram:1:-5"}) {
    INFO(fault);
    const std::string report = folder.path() / "report";
    const ProgramRun run = cached("PORTICO_STANDIN_REPORT=" + report + " PORTICO_STANDIN_FAULT=" + fault);
    INFO(run.err);
    CHECK(run.code == 0);
    CHECK(run.out == first.out);
    auto calls = calls_in(report);
    CHECK(calls["clCreateProgramWithBinary"] >= 1);
    CHECK(calls["clCreateProgramWithSource"] >= 1);
  }
}

}  // namespace portico::test
