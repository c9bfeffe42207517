// Compiled programs of one device: each text is compiled at most once per process, or read from the disk cache.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "portico/backend_abi.h"
#include "portico/error.hpp"

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
  std::atomic<bool> launched{false};
};

class ProgramCache {
 public:
  explicit ProgramCache(DeviceImpl& device) : device_(device) {}

  /// `name` is for messages, traces and dumps; `text` the kernel file without specialisation and prelude.
  KernelImpl& kernel(std::string_view name, std::string_view text, std::string_view function, const Spec& spec);

 private:
  /// A program, or why there is none. Every thread that waited throws an exception of its own: one object shared by
  /// threads would be counted and freed where no sanitizer sees it.
  struct Outcome {
    std::shared_ptr<Program> program;
    ErrorCode code = ErrorCode::internal;
    std::string message;
  };

  std::shared_ptr<Program> program(std::string_view name, std::string_view text, const Spec& spec);
  std::shared_ptr<Program> build(const std::string& name, const std::string& key, const std::string& source);

  DeviceImpl& device_;
  std::mutex mutex_;  // never held while compiling
  std::map<std::string, std::shared_future<Outcome>> programs_;
};

/// Marks the kernel as launched. True when its program's disk entry does not hold it yet.
bool note_launched(KernelImpl& kernel);

/// Writes the program's binary, with the names of the kernels launched so far, to the disk cache.
void store_program(Program& program);

}  // namespace portico::detail
