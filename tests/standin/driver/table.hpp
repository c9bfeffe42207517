// Handles that can be looked up: what a stand-in gives out is a number, never an address, so that a handle that was
// destroyed or never existed is found out instead of being followed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace portico::standin {

/// Numbers are never used twice in a process, and are no valid address on any machine that this runs on.
inline void* next_handle() {
  static std::atomic<std::uintptr_t> last{0x5a00000000000000u};
  return reinterpret_cast<void*>(last.fetch_add(64) + 64);
}

template <typename T>
class Table {
 public:
  void* add(std::shared_ptr<T> object) {
    void* const handle = next_handle();
    const std::unique_lock lock(mutex_);
    objects_.emplace(handle, std::move(object));
    return handle;
  }

  /// Null for a handle that is not alive.
  std::shared_ptr<T> find(const void* handle) const {
    const std::shared_lock lock(mutex_);
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }

  std::shared_ptr<T> remove(const void* handle) {
    const std::unique_lock lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return nullptr;
    std::shared_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

  std::vector<std::shared_ptr<T>> all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<T>> objects;
    for (const auto& [handle, object] : objects_) objects.push_back(object);
    return objects;
  }

  std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return objects_.size();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<const void*, std::shared_ptr<T>> objects_;
};

}  // namespace portico::standin
