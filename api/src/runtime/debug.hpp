// PORTICO_DEBUG=1: every launch is waited for, fresh memory holds NaN, and each block has guard words behind it that
// are looked at when it is freed.
#pragma once

#include <cstddef>

namespace portico::detail {

struct Block;
struct StreamImpl;

bool debug_enabled();

/// Bytes of guard behind each block; 0 without PORTICO_DEBUG.
std::size_t debug_guard_bytes();

/// Fills a fresh block with NaN and its guard with a pattern.
void debug_prepare(Block& block, StreamImpl& stream);

/// Ends the process with a message when the guard was overwritten: what wrote there cannot be told any more, and memory
/// is not what it should be.
void debug_examine(Block& block) noexcept;

}  // namespace portico::detail
