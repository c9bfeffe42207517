// The tuned choices of one device: found without a lock, kept in the cache folder.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "portico/device.hpp"
#include "runtime/tuning/gemm_table.hpp"

namespace portico::detail {

class Tuning {
 public:
  /// Of a device; read from the cache folder at first use. PORTICO_TUNING=0 leaves the rules in force.
  static Tuning& of(const Device& device);

  /// The choice of the product's class, else that of the nearest one near it (gemm_table.hpp); null where
  /// the rules decide. Costs a few nanoseconds, never compiles or measures.
  const GemmChoice* find(const GemmClass& shape) const noexcept {
    const GemmTable* table = table_.load(std::memory_order_acquire);
    return table == nullptr ? nullptr : table->find(shape);
  }

  std::vector<GemmEntry> entries() const;
  void replace(std::vector<GemmEntry> entries);
  bool store() const;  ///< false when there is no cache folder

  std::string text() const;                ///< JSON with the device, versions and a digest
  void replace_by_text(std::string_view);  ///< throws `Error{invalid_argument}`

 private:
  explicit Tuning(const Device& device);
  std::string identity_;  ///< of device, toolchain and kernels
  std::string described_;
  std::string key_;  ///< in the disk cache
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<GemmTable>> tables_;  // older ones stay: a thread may be reading
  std::atomic<const GemmTable*> table_{nullptr};
};

/// For the tuner: what a matrix product of this thread takes while the object lives.
class ForcedGemmChoice {
 public:
  explicit ForcedGemmChoice(const GemmChoice& choice) : previous_(current()) { current() = &choice; }
  ~ForcedGemmChoice() { current() = previous_; }
  ForcedGemmChoice(const ForcedGemmChoice&) = delete;
  ForcedGemmChoice& operator=(const ForcedGemmChoice&) = delete;
  static const GemmChoice*& current();

 private:
  const GemmChoice* previous_;
};

}  // namespace portico::detail
