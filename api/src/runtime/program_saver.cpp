#include "runtime/program_saver.hpp"

#include <atomic>
#include <cstdlib>
#include <set>

#include "runtime/device_impl.hpp"
#include "runtime/disk_cache.hpp"

namespace portico::detail {
namespace {

class Saver {
 public:
  static Saver& instance() {
    static Saver& saver = *new Saver;
    return saver;
  }

  void launched(Program& program) {
    const std::lock_guard lock(mutex_);
    launched_.insert(&program);
    pending_.store(true, std::memory_order_release);
  }

  // A driver's compiler registers exit handlers of its own as it goes, and must not be called once they have run.
  // Handlers run in reverse order, so ours is registered again whenever kernels have run, and thus been compiled, for
  // the first time.
  void waited() {
    if (!pending_.load(std::memory_order_acquire)) [[likely]]
      return;
    const std::lock_guard lock(mutex_);
    pending_.store(false, std::memory_order_release);
    ran_.merge(launched_);
    launched_.clear();
    std::atexit([] { instance().save(); });
  }

 private:
  void save() noexcept {
    const std::lock_guard lock(mutex_);
    try {
      if (!ran_.empty())
        for (DeviceImpl* device : DeviceImpl::all()) device->wait_for_streams();
      for (Program* program : ran_) store_program(*program);
    } catch (const std::exception&) {
      // A lost device leaves nothing to save; whoever lost it has been told.
    }
    ran_.clear();
  }

  std::mutex mutex_;
  std::set<Program*> launched_, ran_;
  std::atomic<bool> pending_{false};
};

}  // namespace

void save_later(KernelImpl& kernel) {
  if (DiskCache::instance().info().enabled && note_launched(kernel)) Saver::instance().launched(*kernel.program);
}

void save_what_ran() { Saver::instance().waited(); }

}  // namespace portico::detail
