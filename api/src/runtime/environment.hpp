// The PORTICO_* variables, read once. A value that makes no sense is an error that names the variable, the value and
// what is accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace portico::detail {

/// A variable's value; nullopt when unset or empty.
std::optional<std::string> variable(const char* name);

/// A switch: 0 or 1. Throws `Error{invalid_argument}` for anything else.
bool variable_switch(const char* name, bool otherwise);

/// One of `choices`, as its position. Throws `Error{invalid_argument}` listing them.
int variable_choice(const char* name, std::initializer_list<const char*> choices, int otherwise);

/// A number of bytes with an optional K, M or G (powers of 1024). Throws `Error{invalid_argument}`.
std::uint64_t variable_bytes(const char* name, std::uint64_t otherwise);

/// "12.5 MiB", for messages.
std::string readable_bytes(std::uint64_t bytes);

}  // namespace portico::detail
