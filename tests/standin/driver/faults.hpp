// Calls are counted by name, and a chosen one fails: how the tests find out what the library does when a driver does
// not do as it is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace portico::standin {

/// What one exported function has been called so far. Never destroyed, so that a reference may be kept.
struct Calls {
  std::string name;
  std::atomic<std::uint64_t> made{0};
};

/// The counter of a function; made at the first question.
Calls& calls_of(const char* name);

/// Counts the call, and answers the code that it is to fail with, or 0.
int count_call(Calls& calls);

/// Sets what fails from now on and counts from zero again: `name:N:code` fails the N-th call (1 is the next) of a
/// function, `name:N+:code` that and all later ones; several are separated by commas. Throws std::invalid_argument.
/// PORTICO_STANDIN_FAULT is read once in the same way when the stand-in is opened.
void set_faults(const std::string& text);

/// Every function called since the counters were set to zero, with how often.
std::vector<std::pair<std::string, std::uint64_t>> calls_made();

}  // namespace portico::standin
