// clang's assembly for AMD processors that the installed hipRTC does not know yet. No ROCm is needed: hip_words.h
// stands for what its headers supply.
#pragma once

#include <string>

#include "expected.hpp"

namespace portico::test {

/// Why the compiler cannot be used; empty when it can.
std::string open_clang_hip();

/// Empty when the text compiles and no kernel in it uses scratch memory, spills, computes in double or has another
/// wavefront than the target's; else what is wrong. `target` is "gfx942", or "gfx1100 -mwavefrontsize64". Where a
/// density is expected the hot loop is looked at too; `figures`, when given, gets a line of what was counted.
std::string compile_isa(const std::string& text, const std::string& target, const Expected& expected,
                        std::string* figures = nullptr);

}  // namespace portico::test
