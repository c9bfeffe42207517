// The layer map as a table, and the check that holds a tree's #include lines against it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace portico::test {

/// One line for each #include that the map does not allow: "api/src/nn/linear.cpp:3: nn may not include runtime (...)".
/// Also names files that belong to no layer.
std::vector<std::string> include_violations(const std::filesystem::path& root);

/// One line for each line of code outside the layers that launch kernels which asks for a library kernel by name.
std::vector<std::string> kernel_name_violations(const std::filesystem::path& root);

/// How many #include lines the last call of include_violations() looked at: a check that saw nothing proves nothing.
int includes_seen();

}  // namespace portico::test
