#include "runtime/program_saver.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <set>
#include <thread>

#include "runtime/disk_cache.hpp"

namespace portico::detail {
namespace {

using Clock = std::chrono::steady_clock;

class Saver {
 public:
  static Saver& instance() {
    static Saver& saver = *new Saver;
    return saver;
  }

  void launched(Program& program) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    launched_.insert(&program);
    pending_.store(true, std::memory_order_release);
  }

  void waited() {
    if (!pending_.load(std::memory_order_acquire)) [[likely]]
      return;
    const std::lock_guard lock(mutex_);
    pending_.store(false, std::memory_order_release);
    ran_.merge(launched_);
    launched_.clear();
    last_ = Clock::now();
    finish_before_drivers();
    if (!thread_.joinable() && !stopped_) thread_ = std::thread([this] { run(); });
    wake_.notify_one();
  }

 private:
  // First launches come in bursts. Waiting for a burst's end leaves the machine to it and saves each program once.
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      const auto quiet = last_ + std::chrono::seconds(2);
      if (ran_.empty()) {
        wake_.wait(lock);
      } else if (Clock::now() < quiet) {
        wake_.wait_until(lock, quiet);
      } else {
        save_one(lock);
        finish_before_drivers();
      }
    }
  }

  // A driver's compiler registers exit handlers of its own as it goes, and must not be called once they have run.
  // Handlers run in reverse order, so ours is registered again whenever the compiler has worked.
  static void finish_before_drivers() {
    std::atexit([] { instance().finish(); });
  }

  void finish() {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      stopped_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(mutex_);
    while (!ran_.empty()) save_one(lock);
  }

  void save_one(std::unique_lock<std::mutex>& lock) {
    Program* program = *ran_.begin();
    ran_.erase(ran_.begin());
    lock.unlock();
    store_program(*program);
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
  std::set<Program*> launched_, ran_;
  std::atomic<bool> pending_{false};
  Clock::time_point last_;
  bool stopped_ = false;
};

}  // namespace

void save_later(KernelImpl& kernel) {
  if (DiskCache::instance().info().enabled && note_launched(kernel)) Saver::instance().launched(*kernel.program);
}

void save_what_ran() { Saver::instance().waited(); }

}  // namespace portico::detail
