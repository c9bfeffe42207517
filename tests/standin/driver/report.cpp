#include "tests/standin/driver/report.hpp"

#include <cstdio>
#include <cstdlib>

#include "tests/standin/driver/faults.hpp"

namespace portico::standin {
namespace {

void report() {
  const char* file = std::getenv("PORTICO_STANDIN_REPORT");
  std::FILE* out = file ? std::fopen(file, "w") : nullptr;
  if (!out) return;
  for (const auto& [kind, count] : objects_alive()) std::fprintf(out, "alive %s %zu\n", kind.c_str(), count);
  for (const auto& [name, count] : calls_made())
    std::fprintf(out, "calls %s %llu\n", name.c_str(), (unsigned long long)count);
  std::fclose(out);
}

}  // namespace

void report_at_exit() { std::atexit(report); }

}  // namespace portico::standin
