#include "suite/interrupts.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace portico::bench {
namespace {

std::atomic<bool> g_interrupted{false};

// timeout(1) signals its child and then the child's group, so one request arrives twice.
constexpr std::chrono::milliseconds kOneRequest{300};

}  // namespace

void watch_interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int signal = 0;
    std::chrono::steady_clock::time_point first;
    while (sigwait(&set, &signal) == 0) {
      const auto now = std::chrono::steady_clock::now();
      if (!interrupted()) {
        first = now;
        g_interrupted = true;
      } else if (now - first > kOneRequest) {
        _exit(128 + signal);
      }
    }
  }).detach();
}

bool interrupted() { return g_interrupted; }

}  // namespace portico::bench
