// SHA-256 (FIPS 180-4), for the program cache's keys and checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace portico::detail {

class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  /// A field: its length, then its bytes, so that ("a", "bc") differs from ("ab", "c").
  void field(std::string_view text);
  std::string hex();  ///< 64 digits; the object is spent

 private:
  void block(const std::uint8_t* data);

  std::uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint8_t pending_[64] = {};
  std::size_t pending_size_ = 0;
  std::uint64_t total_ = 0;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace portico::detail
