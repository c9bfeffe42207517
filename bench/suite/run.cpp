#include "suite/run.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "google_flags.hpp"
#include "names.hpp"
#include "suite/reporters.hpp"
#include "suite/session.hpp"

namespace portico::bench {

int run_suites(const SuiteOptions& options) {
  const GoogleFlags flags = google_flags();
  const std::string filter = benchmark::GetBenchmarkFilter();
  Session session(options);
  const std::size_t chosen = session.add_rows(filter);
  if (chosen == 0) {
    std::fprintf(stderr, "portico-bench: no row of --suite %s matches --benchmark_filter=%s; nearest: %s\n",
                 joined(options.suites).c_str(), filter.c_str(), joined(nearest(filter, session.names())).c_str());
    return 2;
  }
  // A filter that ends at the name's end must match in spite of Google Benchmark's marks.
  if (!filter.empty() && filter.back() == '$')
    benchmark::SetBenchmarkFilter(filter.substr(0, filter.size() - 1) + "(/iterations:[0-9]+)?(/manual_time)?$");
  if (!flags.list) session.begin();

  std::unique_ptr<benchmark::BenchmarkReporter> display, file;
  std::size_t width = 0;
  for (const std::string& name : session.names()) width = std::max(width, name.size());
  if (flags.format == "console") display = std::make_unique<TableReporter>(width);
  if (flags.format == "json") display = std::make_unique<ResultFile>(session);
  if (!flags.out.empty() && flags.out_format == "json") file = std::make_unique<ResultFile>(session);
  benchmark::RunSpecifiedBenchmarks(display.get(), file.get());

  if (session.rows_not_run() > 0 && !flags.list)
    std::fprintf(
        stderr, "portico-bench: %d rows not run: %s\n", session.rows_not_run(),
        session.interrupted() ? "interrupted; what was measured is kept" : "the time was over (--time SECONDS)");
  return session.interrupted() ? 130 : 0;
}

}  // namespace portico::bench
