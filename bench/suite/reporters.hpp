// Google Benchmark's reporters for a suite: a result file that is whole after every row, and a table.
#pragma once

#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <string>

namespace portico::bench {

class Session;

/// JSON in Google Benchmark's form (context, benchmarks) with the manifest in the context and each row's details beside
/// its fields. The closing brackets are written after every row and overwritten by the next, so that a run that is cut
/// off leaves a file that reads.
class ResultFile : public benchmark::BenchmarkReporter {
 public:
  explicit ResultFile(const Session& session) : session_(session) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  void write_ending(const nlohmann::ordered_json& ending, bool last);
  const Session& session_;
  bool any_ = false;
};

/// One line a row: time, dispersion, rate, fraction of the limit; or why there is none.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  explicit TableReporter(std::size_t name_width) : name_width_(name_width) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  std::size_t name_width_;
};

}  // namespace portico::bench
