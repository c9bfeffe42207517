// portico-bench: a Google Benchmark program. Without --suite the fixed rows on the current device, which
// PORTICO_BACKEND picks; with it the suites, on every device. `report` and `compare` read what was measured.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "fixed_rows.hpp"
#include "portico/error.hpp"
#include "reading/commands.hpp"
#include "suite/run.hpp"
#include "suites.hpp"

namespace {

constexpr const char* kHelp = R"(portico-bench [Google Benchmark's options]
    the fixed rows on the current device (PORTICO_BACKEND)
portico-bench --suite NAME[,NAME...] [--time SECONDS] [--devices LABEL,...] [--flush] [Google Benchmark's options]
    quick, full, or lists by name, on every device of the machine; --flush empties the caches before each sample
    --benchmark_out=FILE keeps the result, --benchmark_filter=REGEX chooses rows, --benchmark_list_tests names them
portico-bench report A.json [B.json ...] [-o report.html | --markdown]
    one page that needs no network, or tables for a README
portico-bench compare old.json new.json [--force]
    what became slower or faster beyond the noise; exit code 3 if something is slower
)";

}  // namespace

int main(int argc, char** argv) try {
  using namespace portico::bench;
  if (run_first_step()) return 0;
  if (argc > 1 && std::strcmp(argv[1], "report") == 0) return report_command(argc - 1, argv + 1);
  if (argc > 1 && std::strcmp(argv[1], "compare") == 0) return compare_command(argc - 1, argv + 1);
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--help") == 0) std::fputs(kHelp, stdout);

  const SuiteOptions options = take_options(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  return options.suites.empty() ? run_fixed_rows() : run_suites(options);
} catch (const portico::Error& error) {
  std::fprintf(stderr, "portico-bench: %s\n", error.what());
  return error.code() == portico::ErrorCode::invalid_argument ? 2 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "portico-bench: %s\n", error.what());
  return 1;
}
