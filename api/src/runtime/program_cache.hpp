// Compiled programs of one device: each text is compiled at most once per process, or read from the disk cache.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "portico/backend_abi.h"

namespace portico {
class Spec;
}

namespace portico::detail {

class DeviceImpl;
struct Program;

/// A kernel ready to launch; lives as long as its device.
struct KernelImpl {
  DeviceImpl* device;
  portico_kernel* handle;
  Program* program;
  std::string name;
  std::uint32_t arg_count;  ///< UINT32_MAX when unknown
};

class ProgramCache {
 public:
  explicit ProgramCache(DeviceImpl& device) : device_(device) {}

  /// `name` is for messages, traces and dumps; `text` the kernel file without specialisation and prelude.
  KernelImpl& kernel(std::string_view name, std::string_view text, std::string_view function, const Spec& spec);

 private:
  std::shared_ptr<Program> program(std::string_view name, std::string_view text, const Spec& spec);
  std::shared_ptr<Program> build(const std::string& name, const std::string& key, const std::string& source);

  DeviceImpl& device_;
  std::mutex mutex_;  // never held while compiling
  std::map<std::string, std::shared_future<std::shared_ptr<Program>>> programs_;
};

/// Called after a kernel's first launch: some drivers make machine code only then, and the disk cache is to hold it.
void store_after_launch(KernelImpl& kernel);

}  // namespace portico::detail
