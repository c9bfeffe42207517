// Writing files so that a failure leaves the old one whole, and finding out before the work that it would fail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace portico::tools {

/// Throws `Error{io}` naming `path` and the cause when a file of `bytes` cannot be put there, as far as that can be
/// known beforehand: the folder is missing or not writable, the disk is full, something else than a file lies there.
void check_can_write(const std::filesystem::path& path, std::uintmax_t bytes);

/// Writes aside, flushes and renames. Throws `Error{io}`.
void write_file(const std::filesystem::path& path, std::span<const unsigned char> bytes);

}  // namespace portico::tools
