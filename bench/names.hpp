// What was probably meant: the nearest of known names.
#pragma once

#include <string>
#include <vector>

namespace portico::bench {

/// Up to `count` of `known`, nearest first: those that contain `wanted`, then those few letters away.
std::vector<std::string> nearest(const std::string& wanted, const std::vector<std::string>& known,
                                 std::size_t count = 3);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);

}  // namespace portico::bench
