// Runs a command and keeps what it printed, for tests that need variables of their own.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "catch.hpp"

namespace portico::test {

struct Finished {
  int code;            ///< exit code, or 128 + signal
  std::string output;  ///< both streams
};

inline Finished run(const std::string& command) {
  // NOLINTNEXTLINE: a shell is what sets the variables here.
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Finished finished{};
  char chunk[4096];
  for (std::size_t size; (size = fread(chunk, 1, sizeof chunk, pipe)) > 0;) finished.output.append(chunk, size);
  const int status = pclose(pipe);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (finished.code == 127 + 128) finished.code = 127;
  return finished;
}

/// `env VARIABLES probe DEED`
inline Finished probe(const std::string& variables, const std::string& deed) {
  return run("env " + variables + " " PORTICO_PROBE " " + deed);
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace portico::test
