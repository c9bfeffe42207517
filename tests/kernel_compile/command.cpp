#include "command.hpp"

#include <cstdio>

namespace portico::test {

bool run_command(const std::string& command, std::string& output) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return false;
  char piece[4096];
  while (const std::size_t size = std::fread(piece, 1, sizeof piece, pipe)) output.append(piece, size);
  return pclose(pipe) == 0;
}

}  // namespace portico::test
