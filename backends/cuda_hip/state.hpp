// The objects behind the contract's opaque pointers, and how a driver's codes become statuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/common/plugin.hpp"
#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/staging.hpp"
#include "vendor.hpp"

namespace portico::cuda_hip {

/// Throws the Failure that `code` stands for: out of memory, lost device, or internal; `what` names what was tried.
[[noreturn, gnu::cold]] void fail_with(vendor::Result code, const std::string& what);

inline void check(vendor::Result code, const char* what) {
  if (code != vendor::kOk) [[unlikely]]
    fail_with(code, what);
}

/// A loaded image. Kernels share it, so that it outlives the program it came from.
struct LoadedModule {
  portico_device* device;
  vendor::Module module{};

  LoadedModule(portico_device& owner, const void* image);
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;
};

}  // namespace portico::cuda_hip

struct portico_device {
  int32_t index;
  vendor::Context context{};
  portico::cuda_hip::DeviceFacts facts;

  /// Makes this the calling thread's device. Asked each time, since other code of the process may have changed it;
  /// asking reads a variable of the thread.
  void make_current() const {
    vendor::Context current{};
    if (vendor::current(&current) == vendor::kOk && current == context) return;
    portico::cuda_hip::check(vendor::set_current(context), "making the device current");
  }
};

struct portico_stream {
  portico_device* device;
  vendor::Stream stream{};
  std::mutex mutex;  // guards the two below
  portico::cuda_hip::Staging staging;
  std::unique_ptr<portico::cuda_hip::Blas> blas;
};

struct portico_event {
  portico_device* device;
  vendor::Event event{};
};

struct portico_buffer {
  portico_device* device;
  std::uint64_t address;  // of the vendor's pointer
};

struct portico_program {
  portico_device* device;
  std::vector<char> image;  // the disk cache asks for it
  std::shared_ptr<portico::cuda_hip::LoadedModule> module;
};

struct portico_kernel {
  std::shared_ptr<portico::cuda_hip::LoadedModule> module;
  vendor::Function function{};
  std::string name;
};
