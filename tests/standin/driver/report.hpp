// What a stand-in says of itself: objects that are alive, and a report when the process ends.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace portico::standin {

/// Objects that are alive, by kind, in a fixed order. Each stand-in defines its own.
std::vector<std::pair<std::string, std::size_t>> objects_alive();

/// Asks for the report: when the process ends the file that PORTICO_STANDIN_REPORT names gets a line for each kind of
/// object that is left and for each function that was called. To be called once, when the stand-in is first used.
void report_at_exit();

}  // namespace portico::standin
