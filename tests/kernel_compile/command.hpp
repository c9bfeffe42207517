// A tool of the system, run by its command line.
#pragma once

#include <string>

namespace portico::test {

/// Adds what `command` printed, errors included, to `output`; whether it ended well.
bool run_command(const std::string& command, std::string& output);

}  // namespace portico::test
