// Result files as they are read back: those of --suite, and any of Google Benchmark's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace portico::bench {

struct ResultRow {
  std::string suite, workload, device, column;
  double median = 0, q1 = 0, q3 = 0;  ///< seconds of one call
  double flops_rate = 0, bytes_rate = 0;
  double flops_per_call = 0, bytes_per_call = 0;
  double fraction = -1;  ///< of the device's limit; below 0 when the file does not say
  double joules = 0;
  long count = 1;
  std::string error;  ///< why there is no time
  bool measured() const { return error.empty() && median > 0; }
  std::string name() const;
};

struct Results {
  std::string path;
  nlohmann::json context;
  std::vector<ResultRow> rows;
  std::string ended;  ///< "complete", "interrupted", ...
  int rows_not_run = 0;

  /// What the manifest says of a device; null when nothing.
  nlohmann::json device(const std::string& label) const;
};

/// Throws `Error{io}` when the file cannot be read and `Error{invalid_argument}` when it is no result, saying what is
/// wrong with it.
Results load_results(const std::string& path);

}  // namespace portico::bench
