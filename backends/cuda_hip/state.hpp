// The objects behind the contract's opaque pointers, and how a driver's codes become statuses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/common/plugin.hpp"
#include "backends/cuda_hip/blas.hpp"
#include "backends/cuda_hip/conv.hpp"
#include "backends/cuda_hip/staging.hpp"
#include "backends/cuda_hip/transfers.hpp"
#include "vendor.hpp"

namespace portico::cuda_hip {

/// Throws the Failure that `code` stands for: out of memory, lost device, or internal; `what` names what was tried.
[[noreturn, gnu::cold]] void fail_with(vendor::Result code, const std::string& what);

inline void check(vendor::Result code, const char* what) {
  if (code != vendor::kOk) [[unlikely]]
    fail_with(code, what);
}

/// Waits for all work of the device, so that what it uses can be freed. Not while a stream captures.
void settle(const portico_device& device);
/// Frees what was given back while a stream captured.
void release_deferred(portico_device& device);

/// Opens the convolution library for the stream, once. The stream is locked, its device current.
void open_conv(portico_stream& stream);

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

  std::once_flag ordered_once;  // the driver's pool keeps what it is given back

  // While a stream of the device captures, waiting for the device is an error that also ends the capture. Memory that
  // is given back meanwhile is freed when the last capture is over.
  std::atomic<int> captures{0};
  std::mutex deferred_mutex;
  std::vector<std::uint64_t> deferred;  // device addresses
  std::vector<void*> deferred_host;     // pinned memory

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
  std::mutex mutex;  // guards what follows
  bool capturing = false;
  portico::cuda_hip::Staging staging;    // small writes
  portico::cuda_hip::Transfers uploads;  // large ones
  std::unique_ptr<portico::cuda_hip::Blas> blas;
  std::unique_ptr<portico::cuda_hip::Conv> conv;
  std::string no_conv;  // why there is none; empty until that is known

  std::mutex download_mutex;  // guards what follows: a read waits, and writes go on meanwhile
  portico::cuda_hip::Transfers downloads;
};

struct portico_graph {
  portico_device* device;
  vendor::GraphExec graph{};
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
