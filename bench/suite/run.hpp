#pragma once

#include "suite/options.hpp"

namespace portico::bench {

/// Runs suites and reports as Google Benchmark's flags say. Returns the exit code: 0, 2 when no row matches the filter,
/// 130 after Ctrl-C (what was measured is kept).
int run_suites(const SuiteOptions& options);

}  // namespace portico::bench
