#pragma once

namespace portico::bench {

/// The fixed rows on the current device, as any Google Benchmark program. Returns the exit code.
int run_fixed_rows();

}  // namespace portico::bench
