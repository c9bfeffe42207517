// Files of this folder that are part of the program: the lists of workloads, the report's style and script.
#pragma once

#include <string>
#include <string_view>

namespace portico::bench {

/// The text of a file by its name. Throws `Error{internal}` for one that CMakeLists.txt does not embed.
std::string_view embedded(const std::string& file);

}  // namespace portico::bench
