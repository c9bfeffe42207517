// Random numbers by Philox 4x32-10 (Salmon et al., SC 2011): a function of (seed, counter), so one seed gives the same
// numbers on every vendor, in any order of execution.
#pragma once

#include <atomic>
#include <cstdint>

#include "portico/error.hpp"

namespace portico {

/// A seed and a position. Every random operation takes the next stretch of counters.
class PORTICO_API Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}
  std::uint64_t seed() const noexcept { return seed_; }
  std::uint64_t position() const noexcept { return position_; }
  void reset(std::uint64_t seed, std::uint64_t position = 0) noexcept;

  /// Reserves `count` counters (four 32-bit numbers each) and returns the first. Safe from any thread.
  std::uint64_t take(std::uint64_t count) noexcept;

  /// The next 32-bit number, for the host's own needs (shuffling).
  std::uint32_t next() noexcept;

 private:
  std::atomic<std::uint64_t> seed_;
  std::atomic<std::uint64_t> position_{0};
};

/// The generator behind Tensor::uniform, Tensor::normal, dropout, initial weights and shuffling.
PORTICO_API Generator& default_generator();

/// default_generator().reset(seed)
PORTICO_API void seed(std::uint64_t seed);

}  // namespace portico
