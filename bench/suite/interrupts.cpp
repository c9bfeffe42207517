#include "suite/interrupts.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace portico::bench {
namespace {

std::atomic<bool> g_interrupted{false};

}  // namespace

void watch_interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int signal = 0;
    for (int count = 0; sigwait(&set, &signal) == 0; ++count) {
      g_interrupted = true;
      if (count == 1) _exit(128 + signal);
    }
  }).detach();
}

bool interrupted() { return g_interrupted; }

}  // namespace portico::bench
