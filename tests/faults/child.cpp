// A process that opens the device, trains two steps and prints what came out; 3 and the message on a portico::Error.
// With
// --fork a second process does the same after the first has.
#include <sys/wait.h>

#include <cstdio>
#include <cstring>

#include "scenario.hpp"

int main(int argc, char** argv) try {
  for (const float value : portico::test::train_two_steps()) std::printf("%a\n", static_cast<double>(value));
  if (portico::Device::current().backend() ==
      "opencl")  // its staging memory is made at the first write to a busy stream
    for (const float value : portico::test::two_streams()) std::printf("%a\n", static_cast<double>(value));
  if (argc > 1 && std::strcmp(argv[1], "--fork") == 0) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      portico::test::train_two_steps();
      return 0;
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return 0;
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 3;
}
