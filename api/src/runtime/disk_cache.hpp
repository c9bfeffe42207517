// Compiled programs between runs. One file an entry: magic, digest and length of the payload, then the payload, written
// aside and renamed. Any doubt about a file means that it is not there; a cache problem is never an error.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "portico/device.hpp"

namespace portico::detail {

class DiskCache {
 public:
  /// The cache of PORTICO_CACHE_DIR, else $XDG_CACHE_HOME/portico, else ~/.cache/portico; off with PORTICO_CACHE=0, and
  /// where the folder is not the user's own and private.
  static const DiskCache& instance();
  /// The cache in `folder`, made when missing, under the same conditions.
  explicit DiskCache(const std::string& folder);

  std::optional<std::vector<std::byte>> load(std::string_view key) const;
  void store(std::string_view key, std::span<const std::byte> payload) const;
  const CacheInfo& info() const { return info_; }

 private:
  DiskCache() = default;
  CacheInfo info_;
};

/// The payload of an entry's file; nullopt when there is none or anything about it is wrong, which `damaged` then
/// tells.
std::optional<std::vector<std::byte>> read_cache_entry(const std::string& path, bool& damaged);

}  // namespace portico::detail
