// The texts of kernels/*.cl, flattened and embedded at build time by cmake/embed_texts.cmake.
#pragma once

#include <map>
#include <string_view>

namespace portico::detail {

const std::map<std::string_view, std::string_view>& kernel_table();

}  // namespace portico::detail
