// Compilations in child processes: hipRTC ends the process on an architecture that it does not know, and one crash must
// not hide the results of the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace portico::test {

/// One compilation. `run` is called in a child process and returns what is wrong, nothing when all is well.
struct Job {
  std::string name;
  std::function<std::string()> run;
};

/// Runs the jobs in `workers` child processes at a time. Prints and returns "name: what is wrong" for each that failed,
/// a child's death included.
std::vector<std::string> run_jobs(const std::vector<Job>& jobs, unsigned workers);

}  // namespace portico::test
