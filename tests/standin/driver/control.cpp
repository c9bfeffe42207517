#include "tests/standin/driver/control.hpp"

#include <cstdio>
#include <stdexcept>

#include "tests/standin/driver/faults.hpp"
#include "tests/standin/driver/report.hpp"
#include "tests/standin/export.hpp"

using namespace portico::standin;

STANDIN_EXPORT int standin_faults(const char* text) {
  try {
    set_faults(text);
    return 1;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "stand-in: %s\n", error.what());
    return 0;
  }
}

STANDIN_EXPORT void standin_calls(void (*visit)(void*, const char*, std::uint64_t), void* context) {
  for (const auto& [name, count] : calls_made()) visit(context, name.c_str(), count);
}

STANDIN_EXPORT void standin_alive(void (*visit)(void*, const char*, std::uint64_t), void* context) {
  for (const auto& [kind, count] : objects_alive()) visit(context, kind.c_str(), count);
}
