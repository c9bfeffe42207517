// The tests' main: a missing device ends the program with 77 before the first test, because a skip made inside a test
// framework can be reported as passed.
#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "catch.hpp"
#include "portico/device.hpp"

namespace {

constexpr int kSkipped = 77;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && std::strcmp(value, "1") == 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Only a run for one backend needs its device; the tests of the loader come without PORTICO_BACKEND.
  if (std::getenv("PORTICO_BACKEND") != nullptr) {
    try {
      portico::Device::current();
    } catch (const portico::Error& error) {
      const bool required = is_set("PORTICO_REQUIRE_BACKEND") || error.code() != portico::ErrorCode::unsupported;
      std::fprintf(stderr, "%s: %s\n", required ? "failed" : "skipped", error.what());
      return required ? 1 : kSkipped;
    }
  }
  const int failed = Catch::Session().run(argc, argv);
  // Catch2 returns the number of failures, which must never look like the code for "skipped".
  return failed == 0 ? 0 : 1;
}
