// Device, Stream, Event, Buffer and Kernel: the whole of what the rest of the library knows about a GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "portico/error.hpp"

namespace portico {

class Buffer;
class Event;
class Kernel;
class Spec;
class Stream;

namespace detail {
class DeviceImpl;
struct StreamImpl;
struct EventImpl;
struct KernelImpl;
struct Block;
struct Access;
}  // namespace detail

/// What a device is and can do. Constant once the device is open.
struct DeviceInfo {
  std::string backend;  ///< "cuda", "hip" or "opencl"
  int index = 0;        ///< among the backend's devices
  std::string name;
  std::string arch;       ///< "sm_90", "gfx1100", or the OpenCL device version
  std::string toolchain;  ///< compiler and driver versions
  std::uint64_t memory_bytes = 0;
  std::uint32_t max_group_size = 0;
  std::uint32_t local_bytes = 0;    ///< local (shared) memory of one group
  std::uint32_t subgroup_size = 0;  ///< 0 when unknown
  std::uint32_t compute_units = 0;
  std::uint32_t feature_bits = 0;  ///< PORTICO_FEATURE_* of backend_abi.h

  bool is_cpu() const { return (feature_bits & 1u) != 0; }
  /// "cpu", "unified_memory", "fp16", "fp64", "subgroups", "gemm", "timing"
  PORTICO_API std::vector<std::string> features() const;
};

/// What the loader found for one backend: for portico-info and error messages.
struct BackendReport {
  std::string name;
  bool usable = false;
  std::string reason;              ///< why not, when not usable
  std::vector<std::string> tried;  ///< plugin paths tried, in order
  std::vector<DeviceInfo> devices;
};

/// Where compiled kernels are kept between runs.
struct CacheInfo {
  std::string path;  ///< empty when there is no place for one
  bool enabled = false;
  std::string reason;  ///< why not, when not enabled
};
PORTICO_API CacheInfo cache_info();

/// Bytes of a device's pool.
struct MemoryStats {
  std::uint64_t in_use = 0;              ///< handed out now
  std::uint64_t cached = 0;              ///< freed by its users, kept for reuse
  std::uint64_t peak = 0;                ///< highest in_use since the start or reset_peak()
  std::uint64_t limit = 0;               ///< PORTICO_MEMORY_LIMIT, 0 without one
  std::uint64_t driver_allocations = 0;  ///< how often the driver was asked for memory
};

/// A GPU opened through one backend. A copy is a pointer to the same device; devices stay open for the life of the
/// process.
///
/// Work goes to the calling thread's current stream of the device (the default stream unless a StreamGuard says
/// otherwise), in order: a launch sees the effects of every call made before it. Calls that return data to the host
/// wait for it; nothing else does.
class PORTICO_API Device {
 public:
  /// The calling thread's device: a DeviceGuard's, else the one that PORTICO_BACKEND asks for, else the first of cuda,
  /// hip, opencl that has one. Throws `Error{unsupported}` listing what was tried and why each was passed over.
  static Device current();

  /// "opencl", "cuda:1": backend and index. Throws `Error` with the reason when it cannot be opened.
  static Device open(std::string_view name);

  /// Every backend with its devices, or the reason why it cannot be used. Opens no device.
  static std::vector<BackendReport> survey();

  const DeviceInfo& info() const;
  std::string_view backend() const;  ///< "cuda", "hip" or "opencl"
  std::string_view name() const;     ///< the vendor's name for the device
  int index() const;
  std::string label() const;  ///< "opencl:0", as open() takes it

  /// Uninitialised memory. Freed memory is pooled and handed out again in stream order. Zero bytes give a buffer that
  /// may be passed to kernels but holds nothing. Throws `Error{out_of_memory}` saying what is in use and what is
  /// cached.
  Buffer allocate(std::size_t bytes) const;

  /// The kernel `function` of the library's `kernels/<file>.cl`, specialised by `spec`. Compiled at most once per
  /// process, and normally read from the disk cache. Throws `Error{compile_failed}` with the compiler's log.
  Kernel kernel(std::string_view file, std::string_view function, const Spec& spec) const;

  /// The same for a user's own text in the dialect. `name` appears in traces and dumps.
  Kernel compile(std::string_view name, std::string_view source, std::string_view function, const Spec& spec) const;

  Stream stream() const;         ///< the calling thread's current stream
  Stream create_stream() const;  ///< a further stream

  void synchronize() const;  ///< waits for every stream of the device

  MemoryStats memory() const;
  void reset_peak() const;
  void empty_cache() const;  ///< gives cached memory back to the driver

  bool operator==(const Device& other) const noexcept { return impl_ == other.impl_; }

 private:
  friend struct detail::Access;
  explicit Device(detail::DeviceImpl* impl) : impl_(impl) {}
  detail::DeviceImpl* impl_;
};

/// Makes a device the calling thread's current one until the guard is gone.
class PORTICO_API DeviceGuard {
 public:
  explicit DeviceGuard(const Device& device);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  detail::DeviceImpl* previous_;
};

/// Says for the calling thread whether vendors' libraries may be used, until the guard is gone: own kernels and the
/// library's can so be compared in one process. PORTICO_VENDOR says it for the process.
class PORTICO_API VendorGuard {
 public:
  explicit VendorGuard(bool allowed);
  ~VendorGuard();
  VendorGuard(const VendorGuard&) = delete;
  VendorGuard& operator=(const VendorGuard&) = delete;

 private:
  int previous_;
};

/// A queue of work on one device, run in order. Buffers may be used on any stream: the library ties the streams by
/// events where one needs another's result.
class PORTICO_API Stream {
 public:
  Device device() const;
  void synchronize() const;             ///< the host waits for the work queued so far
  void wait(const Event& event) const;  ///< later work of this stream waits for the event; the host does not
  bool operator==(const Stream& other) const noexcept { return impl_ == other.impl_; }

 private:
  friend struct detail::Access;
  friend class StreamGuard;
  friend class Event;
  explicit Stream(std::shared_ptr<detail::StreamImpl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<detail::StreamImpl> impl_;
};

/// Makes a stream the calling thread's current one of its device until the guard is gone.
class PORTICO_API StreamGuard {
 public:
  explicit StreamGuard(const Stream& stream);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;
};

/// A mark in a stream.
class PORTICO_API Event {
 public:
  /// Marks the end of what is queued on `stream` so far.
  explicit Event(const Stream& stream);
  void synchronize() const;
  /// Milliseconds of device time from `start` to this event; waits for both. Throws `Error{unsupported}` when the
  /// device keeps no times.
  double milliseconds_since(const Event& start) const;

 private:
  friend class Stream;
  std::shared_ptr<detail::EventImpl> impl_;
};

/// A block of device memory. Copies share the block; the last one gives it back to the pool. An empty Buffer holds
/// nothing and belongs to no device.
class PORTICO_API Buffer {
 public:
  Buffer() = default;
  std::size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }
  Device device() const;

  /// Copies host bytes in; `bytes` may be reused at once. Throws `Error{invalid_argument}` beyond the end.
  void write(std::size_t offset, std::span<const std::byte> bytes) const;
  void read(std::size_t offset, std::span<std::byte> bytes) const;  ///< waits for the work queued so far
  /// Copies on the device; also between two devices, then through the host. Ranges must not overlap.
  void copy_from(std::size_t offset, const Buffer& source, std::size_t source_offset, std::size_t bytes) const;
  void fill(std::size_t offset, std::uint32_t pattern, std::size_t bytes) const;  ///< offset and bytes multiples of 4

  /// Counts in-place changes, so that what was derived from the contents (a packed weight, a saved activation) can tell
  /// that it is stale.
  std::uint64_t version() const noexcept;
  void bump_version() const noexcept;

 private:
  friend struct detail::Access;
  Buffer(std::shared_ptr<detail::Block> block, std::size_t size) : block_(std::move(block)), size_(size) {}
  std::shared_ptr<detail::Block> block_;
  std::size_t size_ = 0;
};

/// Compile-time constants of a kernel: integers, types and expressions. Floats are launch arguments, never constants:
/// a learning-rate schedule must not compile a kernel a step.
class PORTICO_API Spec {
 public:
  Spec& set(std::string_view name, std::int64_t value);
  Spec& set(std::string_view name, std::string_view text);
  std::string prefix() const;  ///< the #define lines, sorted by name, so that equal specs give equal text

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// One kernel argument. A buffer carries the element that its view starts at.
struct PORTICO_API Arg {
  Arg(std::int32_t value) : bits(static_cast<std::uint32_t>(value)), size(4) {}
  Arg(std::uint32_t value) : bits(value), size(4) {}
  Arg(std::int64_t value) : bits(static_cast<std::uint64_t>(value)), size(8) {}
  Arg(std::uint64_t value) : bits(value), size(8) {}
  Arg(float value);
  Arg(const Buffer& buffer, std::size_t first_element, std::size_t element_size);

  const Buffer* buffer = nullptr;  ///< must outlive the launch call, not the work
  std::uint64_t bits = 0;
  std::uint32_t size = 0;  ///< bytes of the scalar, or of one element
  std::size_t first_element = 0;
};

/// Groups times threads per group, up to three dimensions.
struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
};
struct Grid {
  Dim3 groups;
  Dim3 local;
};

/// A compiled function, ready to launch from any thread. A copy is a pointer; kernels live as long as their device.
class PORTICO_API Kernel {
 public:
  Kernel() = default;
  explicit operator bool() const noexcept { return impl_ != nullptr; }

  /// Queues the kernel on the current stream and returns. Arguments are copied before it returns, and buffers stay
  /// alive until the work is done. A grid with a zero dimension does nothing. Throws `Error{invalid_argument}` when the
  /// arguments' count or device, or the group's size, does not fit.
  void operator()(const Grid& grid, std::initializer_list<Arg> args) const {
    launch(grid, {args.begin(), args.size()});
  }
  void launch(const Grid& grid, std::span<const Arg> args) const;

 private:
  friend struct detail::Access;
  explicit Kernel(detail::KernelImpl* impl) : impl_(impl) {}
  detail::KernelImpl* impl_ = nullptr;
};

}  // namespace portico
