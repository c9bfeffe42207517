// A process that opens the device, trains two steps and prints what came out; 3 and the message on a portico::Error.
#include <cstdio>

#include "scenario.hpp"

int main() try {
  for (const float value : portico::test::train_two_steps()) std::printf("%a\n", static_cast<double>(value));
  return 0;
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 3;
}
