// Which libraries this process has mapped.
#pragma once

#include <fstream>
#include <set>
#include <string>

namespace portico::test {

/// File names, without folder, of what /proc/self/maps lists.
inline std::set<std::string> mapped_libraries() {
  std::set<std::string> names;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.find_last_of('/');
    if (slash != std::string::npos) names.insert(line.substr(slash + 1));
  }
  return names;
}

}  // namespace portico::test
