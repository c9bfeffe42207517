// The start of a process up to the end of its first training step, as a call to time.
#pragma once

#include <memory>
#include <string>

namespace portico::bench {

class ColdStart {
 public:
  /// With `warm` the program caches are filled first. `device` as Device::open takes it. Throws `Error` when the first
  /// step fails.
  ColdStart(const std::string& model, const std::string& device, bool warm);
  void operator()() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portico::bench
