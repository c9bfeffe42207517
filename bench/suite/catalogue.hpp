// Which workloads a suite has, in which order, and on which devices it runs.
#pragma once

#include <string>
#include <vector>

#include "suite/workload.hpp"

namespace portico::bench {

/// "quick", "full", and every list.
std::vector<std::string> suite_names();

/// True when one of them is "quick". Throws `Error{invalid_argument}` with the nearest names for an unknown one.
bool check_suites(const std::vector<std::string>& suites);

/// "full" takes its lists in turn, a workload of each, so that a run that is short of time has something of all.
std::vector<Workload> workloads_of(const std::vector<std::string>& suites, const std::vector<Device>& devices);

/// The labels to open: those asked for, else PORTICO_BACKEND's, else every device of every backend. Throws
/// `Error{unsupported}` when there is none.
std::vector<std::string> devices_of(const std::vector<std::string>& asked);

}  // namespace portico::bench
