// What portico-bench is asked for beside Google Benchmark's own flags.
#pragma once

#include <string>
#include <vector>

namespace portico::bench {

struct SuiteOptions {
  std::vector<std::string> suites;   ///< "quick", "full", or names of lists; empty without --suite
  double time = 0;                   ///< seconds; 0 without --time
  std::vector<std::string> devices;  ///< "opencl:0"; empty: all of the machine, or PORTICO_BACKEND's
  bool flush = false;                ///< --flush: caches flushed before each sample
  std::string command;               ///< as it was typed
};

/// Takes its own flags out of argv, which Google Benchmark then reads. Throws `Error{invalid_argument}`.
SuiteOptions take_options(int& argc, char** argv);

}  // namespace portico::bench
