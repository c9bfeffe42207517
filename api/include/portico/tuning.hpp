// What was measured on a device about how its kernels should be cut: tile heights, packing, block depths, and whether
// the vendor's library or the own kernel is the faster one. portico-tune is the program over this.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "portico/device.hpp"

namespace portico {

struct TuneOptions {
  double seconds = 60;                               ///< at most; what was measured until then is kept
  std::function<bool(const std::string&)> progress;  ///< called before each class of shapes; false ends the run
};
struct TuneResult {
  int classes = 0;   ///< of shapes that were measured
  int improved = 0;  ///< where something beats the rules by more than 3 %
  bool complete = false;
  bool stored = false;  ///< in the cache folder
};

/// Measures matrix products on the device, alternately against what the rules choose, and keeps what is faster: for
/// this process at once and, in the cache folder, for later ones. Throws `Error` when the device fails.
PORTICO_API TuneResult tune(const Device& device, const TuneOptions& options = {});

/// What is in force for the device.
struct TunedEntry {
  std::string shape;   ///< "gemm f32 NN m:1024 n:64 k:1024", the middle of the class
  std::string choice;  ///< "rows 8, vecs 2, pack_b 1"
  double gain = 1;     ///< time of the rules over its own, as measured
};
PORTICO_API std::vector<TunedEntry> tuned_entries(const Device& device);

/// A text that import_tuning() takes on an equal device: same name, architecture, toolchain and kernels.
PORTICO_API std::string export_tuning(const Device& device);
/// Throws `Error{invalid_argument}` for a text that is broken or belongs to another device or version, and then changes
/// nothing.
PORTICO_API void import_tuning(const Device& device, std::string_view text);

/// Back to the rules, in this process and in the cache folder.
PORTICO_API void forget_tuning(const Device& device);

}  // namespace portico
