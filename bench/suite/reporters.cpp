#include "suite/reporters.hpp"

#include <unistd.h>

#include <cstdio>
#include <ostream>

#include "suite/session.hpp"
#include "units.hpp"

namespace portico::bench {
namespace {

using Json = nlohmann::ordered_json;
using Run = benchmark::BenchmarkReporter::Run;

// Google Benchmark renamed these fields in 1.8.
template <typename AnyRun>
std::string error_of(const AnyRun& run) {
  if constexpr (requires { run.error_occurred; })
    return run.error_occurred ? run.error_message : std::string();
  else
    return run.skipped ? run.skip_message : std::string();
}

// Names are an interface: without the marks "/iterations:1/manual_time", which all rows have.
std::string name_of(const Run& run) {
  auto name = run.run_name;
  name.time_type.clear();
  name.iterations.clear();
  return name.str();
}

double seconds_of(const Run& run) {
  return run.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(run.time_unit);
}

}  // namespace

bool ResultFile::ReportContext(const Context&) {
  auto& out = GetOutputStream();
  Json context = session_.manifest();
  out << "{\n\"context\": " << context.dump(1, ' ', false, Json::error_handler_t::replace) << ",\n\"benchmarks\": [";
  write_ending({{"ended", "cut off"}}, false);
  return true;
}

// Every row is longer than the ending that it overwrites, and so is the last ending.
void ResultFile::write_ending(const Json& ending, bool last) {
  auto& out = GetOutputStream();
  const auto place = out.tellp();
  if (place < 0 && !last) return;  // a pipe, which cannot be written over
  out.clear();
  out << "\n],\n\"ending\": " << ending.dump() << "}\n";
  out.flush();
  if (!last) out.seekp(place);
}

void ResultFile::ReportRuns(const std::vector<Run>& runs) {
  auto& out = GetOutputStream();
  for (const Run& run : runs) {
    const std::string error = error_of(run), name = name_of(run);
    if (error == kNotRun) continue;
    Json row = {{"name", name + (run.aggregate_name.empty() ? "" : "_" + run.aggregate_name)},
                {"run_name", name},
                {"run_type", run.run_type == Run::RT_Iteration ? "iteration" : "aggregate"},
                {"repetitions", run.repetitions},
                {"threads", run.threads}};
    if (run.run_type == Run::RT_Iteration) {
      row["repetition_index"] = run.repetition_index;
      const auto& details =
          session_.details(name, static_cast<std::size_t>(std::max<std::int64_t>(0, run.repetition_index)));
      if (!details.is_null()) row.update(details);
    } else {
      row["aggregate_name"] = run.aggregate_name;
    }
    if (!error.empty()) {
      row["error_occurred"] = true;
      row["error_message"] = error;
    } else {
      row["iterations"] = run.iterations;
      row["real_time"] = run.GetAdjustedRealTime();
      row["cpu_time"] = run.GetAdjustedCPUTime();
      row["time_unit"] = benchmark::GetTimeUnitString(run.time_unit);
      for (const auto& [counter, value] : run.counters) row[counter] = value.value;
    }
    out << (any_ ? ",\n" : "\n") << row.dump(-1, ' ', false, Json::error_handler_t::replace);
    any_ = true;
  }
  write_ending({{"ended", "cut off"}}, false);
}

void ResultFile::Finalize() { write_ending(session_.ending(), true); }

bool TableReporter::ReportContext(const Context&) {
  GetOutputStream() << std::string(name_width_ > 4 ? name_width_ - 4 : 0, ' ')
                    << "row        median     +-IQR          rate   of limit\n";
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  auto& out = GetOutputStream();
  if (isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);
  for (const Run& run : runs) {
    const std::string error = error_of(run);
    std::string name = name_of(run);
    if (error == kNotRun) continue;
    if (!run.aggregate_name.empty()) name += "_" + run.aggregate_name;
    name.resize(std::max(name.size(), name_width_), ' ');
    if (!error.empty()) {
      out << name << "  ERROR: " << error << "\n";
      continue;
    }
    const auto counter = [&](const char* key) {
      const auto at = run.counters.find(key);
      return at == run.counters.end() ? 0.0 : at->second.value;
    };
    const double flops = counter("flops"), bytes = counter("bytes_per_second");
    const std::string rate = flops > 0 ? rate_text(flops, "FLOPS") : bytes > 0 ? rate_text(bytes, "B/s") : "";
    char text[160];
    std::snprintf(text, sizeof text, "  %11s %8.1f%% %13s %10.3f\n", time_text(seconds_of(run)).c_str(),
                  50 * counter("iqr"), rate.c_str(), counter("fraction_of_limit"));
    out << name << text;
  }
  out.flush();
}

}  // namespace portico::bench
