// A run of a suite: its rows are registered with Google Benchmark, so that its filters, repetitions and formats work,
// but the contestants of one workload are measured together, alternately, when the first of them has its turn.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "suite/measure.hpp"
#include "suite/options.hpp"

namespace benchmark {
class State;
}

namespace portico::bench {

class Session {
 public:
  /// Opens every device that is asked for. One that does not open gets rows that say why. Throws
  /// `Error{invalid_argument}` for an unknown suite, with the nearest names, and for an unknown device.
  explicit Session(const SuiteOptions& options);
  ~Session();

  /// Registers the rows. `filter` is Google Benchmark's: contestants that it leaves out are not measured either.
  /// Returns how many are left in.
  std::size_t add_rows(const std::string& filter);
  const std::vector<std::string>& names() const { return names_; }

  /// Measures the limits of the devices: before the first row. Not needed to list the rows.
  void begin();
  /// What a result file begins with: devices, versions, command, options, date.
  nlohmann::ordered_json manifest() const;
  /// What is known of a row's repetition beyond Google Benchmark's fields: median, quartiles, samples. Null for one
  /// that has not run.
  const nlohmann::ordered_json& details(const std::string& row, std::size_t repetition) const;
  /// The end of a result file: how the run ended, and how many rows it had no time for.
  nlohmann::ordered_json ending() const;

  bool interrupted() const;
  int rows_not_run() const { return not_run_; }

 private:
  struct OpenDevice;
  struct Group;
  void run_row(benchmark::State& state, Group& group, std::size_t contestant);
  void measure_group(Group& group);
  bool out_of_time() const;
  void progress(const Group& group) const;

  SuiteOptions options_;
  bool quick_ = false;
  double started_ = 0, deadline_ = 0;
  std::vector<std::unique_ptr<OpenDevice>> devices_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<nlohmann::ordered_json>> details_;
  int not_run_ = 0, groups_chosen_ = 0, groups_done_ = 0;
};

/// The error of a row that was not run for lack of time, or after Ctrl-C; reporters leave such rows out.
inline constexpr const char* kNotRun = "not run";

}  // namespace portico::bench
