// Which of a library's algorithms was fastest for a problem: for all streams of this process, and through the core's
// cache for later processes.
#pragma once

#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "backends/common/plugin.hpp"

namespace portico::cuda_hip {

template <typename Algorithm>
class Findings {
 public:
  /// `key` names the device, the library's version and the problem.
  std::optional<Algorithm> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (const auto at = known_.find(key); at != known_.end()) return at->second;
    Algorithm remembered;
    if (!plugin::recall(key, remembered)) return std::nullopt;
    known_.emplace(key, remembered);
    return remembered;
  }

  /// What counts from now on: `found`, unless another thread was first, so that all streams agree to the last bit.
  /// `measured` findings outlive the process.
  Algorithm keep(const std::string& key, const Algorithm& found, bool measured) {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = known_.emplace(key, found);
    if (is_new && measured) plugin::remember(key, found);
    return at->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Algorithm> known_;
};

}  // namespace portico::cuda_hip
