// The tuned choices of one device: found without a lock, kept in the cache folder.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "portico/device.hpp"
#include "runtime/tuning/conv_class.hpp"
#include "runtime/tuning/gemm_class.hpp"

namespace portico::detail {

/// All that was measured on a device.
struct TunedChoices {
  std::vector<GemmEntry> gemm;
  std::vector<ConvEntry> conv;
};

class Tuning {
 public:
  /// Of a device; read from the cache folder at first use, else from the families that ship with the library.
  /// PORTICO_TUNING=0 leaves the rules in force.
  static Tuning& of(const Device& device);

  /// The choice of the class, else that of the nearest one near it (class_table.hpp); null where the rules decide.
  /// Costs a few nanoseconds, never compiles or measures.
  const GemmChoice* find(const GemmClass& shape) const noexcept {
    const Tables* tables = tables_.load(std::memory_order_acquire);
    return tables == nullptr ? nullptr : tables->gemm.find(shape);
  }
  const ConvChoice* find(const ConvClass& shape) const noexcept {
    const Tables* tables = tables_.load(std::memory_order_acquire);
    return tables == nullptr ? nullptr : tables->conv.find(shape);
  }

  TunedChoices choices() const;
  void replace(TunedChoices choices);
  bool store() const;  ///< false when there is no cache folder

  std::string text() const;                ///< JSON with the device, versions and a digest
  void replace_by_text(std::string_view);  ///< throws `Error{invalid_argument}`

 private:
  struct Tables {
    GemmTable gemm;
    ConvTable conv;
  };
  explicit Tuning(const Device& device);
  std::string identity_;  ///< of device, toolchain and kernels
  std::string described_;
  std::string key_;  ///< in the disk cache
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Tables>> all_;  // older ones stay: a thread may be reading
  std::atomic<const Tables*> tables_{nullptr};
};

}  // namespace portico::detail
