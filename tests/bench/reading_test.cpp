// portico-bench report and compare, over made-up results.
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "catch.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"

using namespace portico::test;
using Json = nlohmann::json;

namespace {

const std::string kBench = "'" PORTICO_BENCH "'";

Json row(const std::string& workload, const std::string& column, double median, double spread = 0.01) {
  return {{"name", "gemm/" + workload + "/opencl:0/" + column},
          {"run_type", "iteration"},
          {"suite", "gemm"},
          {"workload", workload},
          {"device", "opencl:0"},
          {"column", column},
          {"median_seconds", median},
          {"q1_seconds", median * (1 - spread)},
          {"q3_seconds", median * (1 + spread)},
          {"real_time", median * 1e6},
          {"time_unit", "us"},
          {"flops", 1e9 / median},
          {"flops_per_call", 1e9},
          {"bytes_per_call", 1e8},
          {"fraction_of_limit", 0.5}};
}

Json result(const std::vector<Json>& rows, const std::string& device = "a device") {
  return {{"context",
           {{"processor", "a processor"},
            {"date", "2026-01-01T00:00:00Z"},
            {"commit", "abc"},
            {"devices",
             {{{"label", "opencl:0"},
               {"name", device},
               {"arch", "1"},
               {"limits", {{"copy_bytes_per_second", 1e10}, {"fma_f32_flops", 1e11}}}}}}}},
          {"benchmarks", rows},
          {"ending", {{"ended", "complete"}}}};
}

std::string written(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  return folder.write(name, Bytes(text.begin(), text.end())).string();
}

std::string page_of(const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string page = (folder.path() / "page.html").string();
  const ProgramRun run = run_program(kBench + " report " + arguments + " -o " + page);
  INFO(run.err);
  REQUIRE(run.code == 0);
  std::ifstream file(page);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

}  // namespace

TEST_CASE("the page holds a line a workload, a column a contestant, ratios and roofs, and needs no network") {
  const TemporaryFolder folder;
  const std::string file = written(
      folder, "a.json",
      result({row("x", "own", 0.02), row("x", "vendor", 0.04), row("y<&", "own", 0.01), row("y<&", "vendor", 0.04)})
          .dump());
  const std::string page = page_of(file);
  CHECK(count_of(page, "<section id='gemm'>") == 1);
  CHECK(count_of(page, "<tr><td") == 2);
  CHECK(count_of(page, "<th>") == 3);
  CHECK(page.find("opencl:0 vendor") != std::string::npos);
  CHECK(page.find("20.0 ms") != std::string::npos);
  CHECK(page.find("&plusmn;1.0%") != std::string::npos);
  CHECK(page.find("y&lt;&amp;") != std::string::npos);
  CHECK(page.find("y<&") == std::string::npos);
  CHECK(page.find(">2.83<") != std::string::npos);  // sqrt(2 * 4): the geometric mean of the ratios
  CHECK(count_of(page, "class='roof'") == 1);
  CHECK(count_of(page, "<circle") >= 4);
  CHECK_FALSE(std::regex_search(page, std::regex("(src|href)=['\"]?(https?:|//)|@import|url\\(")));
}

TEST_CASE("several files become columns beside each other") {
  const TemporaryFolder folder;
  const std::string a = written(folder, "a.json", result({row("x", "own", 0.02)}).dump()),
                    b = written(folder, "b.json", result({row("x", "own", 0.03)}, "another").dump());
  const std::string page = page_of(a + " " + b);
  CHECK(page.find("opencl:0 own [1]") != std::string::npos);
  CHECK(page.find("opencl:0 own [2]") != std::string::npos);
  CHECK(page.find(">1.50<") != std::string::npos);
}

TEST_CASE("a row that failed says so on the page and in Markdown") {
  const TemporaryFolder folder;
  Json failed = row("x", "vendor", 0.1);
  failed["error_occurred"] = true;
  failed["error_message"] = "out of memory: needs 8 GB | more";
  const std::string file = written(folder, "a.json", result({row("x", "own", 0.02), failed}).dump());
  CHECK(page_of(file).find("out of memory: needs 8 GB") != std::string::npos);
  const ProgramRun run = run_program(kBench + " report --markdown " + file);
  CHECK(run.code == 0);
  CHECK(run.out.find("| x | 20.0 ms, 50.0 GFLOPS, 0.50 | no: out of memory: needs 8 GB \\| more |") !=
        std::string::npos);
}

TEST_CASE("Google Benchmark's own files are read, too") {
  const TemporaryFolder folder;
  const Json plain = {
      {"context", {{"host_name", "h"}}},
      {"benchmarks", {{{"name", "copy/bytes:1"}, {"run_type", "iteration"}, {"real_time", 3.0}, {"time_unit", "ms"}}}}};
  const std::string page = page_of(written(folder, "a.json", plain.dump()));
  CHECK(page.find("bytes:1") != std::string::npos);
  CHECK(page.find("3.00 ms") != std::string::npos);
}

TEST_CASE("what is no result is refused with its name and the reason") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const std::string& reason) {
    const std::string file = written(folder, "bad.json", text);
    for (const std::string& command : {" report " + file, " compare " + file + " " + file}) {
      const ProgramRun run = run_program(kBench + command);
      INFO(command << run.err);
      CHECK(run.code == 2);
      CHECK(run.err.find("bad.json: no result of portico-bench: ") != std::string::npos);
      CHECK(run.err.find(reason) != std::string::npos);
    }
  };
  refused("", "it is empty");
  refused("{\"context\": {}, \"bench", "was cut off");
  refused("[1, 2]", "\"context\" and \"benchmarks\"");
  refused(R"({"context": {}, "benchmarks": [3]})", "a row that is no object");
  refused(R"({"context": {}, "benchmarks": [{"real_time": 1}]})", "a row without a name");
  refused(R"({"context": {}, "benchmarks": [{"name": "a", "real_time": 1, "time_unit": "h"}]})", "a time in h");
  const ProgramRun missing = run_program(kBench + " report " + (folder.path() / "none.json").string());
  CHECK(missing.code == 1);
  CHECK(missing.err.find("none.json: cannot be read") != std::string::npos);
}

TEST_CASE("compare tells what is beyond the noise, and ends with 3 when something is slower") {
  const TemporaryFolder folder;
  const auto compare = [&](const std::vector<Json>& before, const std::vector<Json>& after) {
    return run_program(kBench + " compare " + written(folder, "old.json", result(before).dump()) + " " +
                       written(folder, "new.json", result(after).dump()));
  };
  ProgramRun run =
      compare({row("x", "own", 0.010), row("y", "own", 0.010)}, {row("x", "own", 0.012), row("y", "own", 0.005)});
  CHECK(run.code == 3);
  CHECK(run.out.find("2 rows in both: 1 slower, 1 faster, 0 within the noise") != std::string::npos);
  CHECK(run.out.find("1.20x") != std::string::npos);

  run = compare({row("x", "own", 0.010, 0.15)}, {row("x", "own", 0.012, 0.15)});  // the boxes touch
  CHECK(run.code == 0);
  CHECK(run.out.find("0 slower, 0 faster, 1 within the noise") != std::string::npos);
  CHECK(compare({row("x", "own", 0.010)}, {row("x", "own", 0.005)}).code == 0);

  Json failed = row("x", "own", 0.010);
  failed["error_message"] = "gone";
  run = compare({row("x", "own", 0.010)}, {failed});
  CHECK(run.code == 3);
  CHECK(run.out.find("failed now (1)") != std::string::npos);
  run = compare({row("x", "own", 0.010)}, {row("z", "own", 0.010)});
  CHECK(run.code == 2);
  CHECK(run.err.find("no row in common") != std::string::npos);
}

TEST_CASE("different devices are compared only with --force") {
  const TemporaryFolder folder;
  const std::string files = written(folder, "old.json", result({row("x", "own", 0.01)}, "one").dump()) + " " +
                            written(folder, "new.json", result({row("x", "own", 0.01)}, "other").dump());
  const ProgramRun run = run_program(kBench + " compare " + files);
  CHECK(run.code == 2);
  CHECK(run.err.find("different devices; --force") != std::string::npos);
  CHECK(run_program(kBench + " compare --force " + files).code == 0);
}

TEST_CASE("what is asked wrongly is named") {
  const auto says = [](const std::string& arguments, const std::string& text) {
    const ProgramRun run = run_program(kBench + " " + arguments);
    INFO(arguments << ": " << run.err);
    CHECK(run.code == 2);
    CHECK(run.err.find(text) != std::string::npos);
  };
  says("report", "no file");
  says("report --pdf x", "unknown option --pdf");
  says("compare a", "1 files; expected two");
  says("--suite quikc", "nearest: quick");
  says("--suite gemm_bret,quick", "nearest: gemm_bert");
  says("--suite", "--suite needs a value");
  says("--suite quick --time soon", "--time soon: expected seconds");
  says("--time 3", "belong to --suite");
}
