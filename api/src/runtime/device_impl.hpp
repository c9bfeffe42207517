// What the handles of device.hpp point to. Devices, streams and kernels live as long as the process: a handle is then a
// plain pointer, and nothing is torn down in a driver that is itself being torn down.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "portico/backend_abi.h"
#include "portico/device.hpp"
#include "runtime/pool.hpp"
#include "runtime/program_cache.hpp"
#include "runtime/program_saver.hpp"

namespace portico::detail {

class GraphMemory;
class Recorder;

struct StreamImpl {
  DeviceImpl* device;
  portico_stream* handle;
  std::uint32_t number;          ///< 0 for the default stream
  Recorder* recorder = nullptr;  ///< capture.hpp: what goes here is recorded, not run
};

struct EventImpl {
  DeviceImpl* device;
  portico_event* handle;
  ~EventImpl();
};

/// Device memory and the stream that last used it. Work on another stream is tied behind that one first, so that
/// `last_stream` always comes after everything that touched the block. It is null while the block has been recorded
/// into a graph that has never run.
struct Block : std::enable_shared_from_this<Block> {
  Block(DeviceImpl* owner, portico_buffer* memory, std::size_t bytes, StreamImpl* stream)
      : device(owner), handle(memory), capacity(bytes), last_stream(stream) {}

  DeviceImpl* device;
  portico_buffer* handle;
  std::size_t capacity;
  std::atomic<StreamImpl*> last_stream;
  std::atomic<std::uint64_t> version{0};
  std::size_t requested = 0;     ///< bytes asked for; the guard of PORTICO_DEBUG begins behind them
  bool ordered = false;          ///< of the driver's own pool, and goes back there
  bool guarded = false;          ///< the guard was written: a driver may have refused to
  GraphMemory* graph = nullptr;  ///< whose it is, when not the pool's
};

class DeviceImpl {
 public:
  /// The open device `index` of a backend; opened on first use. Throws with the reason when it cannot be.
  static DeviceImpl& open(std::string_view backend, std::int32_t index);
  /// The calling thread's device (Device::current()).
  static DeviceImpl& current();
  static DeviceImpl* exchange_current(DeviceImpl* device);
  /// Every open device.
  static std::vector<DeviceImpl*> all();

  const portico_backend& api;
  portico_device* const handle;
  const DeviceInfo info;
  const std::string label;

  Pool pool;
  ProgramCache programs;

  StreamImpl& current_stream() {
    if (!has_other_streams()) [[likely]]
      return *default_stream_;
    return overridden_stream();
  }
  /// Whether the current stream may be another than the default one: further streams exist, or some thread records.
  bool has_other_streams() const {
    return has_other_streams_.load(std::memory_order_relaxed) || recordings_.load(std::memory_order_relaxed) != 0;
  }
  /// A thread's recording begins or ends. Every device must know, to refuse work that the thread gives to it meanwhile.
  static void begin_recording() { recordings_.fetch_add(1); }
  static void end_recording() { recordings_.fetch_sub(1); }
  static bool some_thread_records() { return recordings_.load(std::memory_order_relaxed) != 0; }
  StreamImpl& default_stream() { return *default_stream_; }
  std::shared_ptr<StreamImpl> share(StreamImpl& stream);
  std::shared_ptr<StreamImpl> create_stream();
  static void push_current_stream(StreamImpl& stream);
  static void pop_current_stream();
  void synchronize();
  void wait_for_streams();  ///< synchronize() without what follows a wait

  /// Makes `stream` run after everything that used `block` so far, and the block the stream's.
  void use(Block& block, StreamImpl& stream) {
    if (block.last_stream.load(std::memory_order_relaxed) != &stream) [[unlikely]]
      tie(block, stream);
  }
  /// Makes later work of `stream` wait for what `last` has so far.
  void tie_streams(StreamImpl& last, StreamImpl& stream);
  [[noreturn]] static void refuse_never_run();
  /// Held across use() and the call that follows it: with several streams the two must be one step.
  std::unique_lock<std::mutex> lock_streams() {
    if (!has_other_streams()) [[likely]]
      return {};
    return std::unique_lock(stream_mutex_);
  }

  /// Four words in which kernels report what a user did wrong: code, and three values. A kernel that may write it is
  /// followed by expect_report(), and the next call that waits for the device then reads the word and throws.
  const Buffer& report_word();
  void expect_report();
  /// After every wait of the host for this device.
  void after_wait() {
    if (report_expected_.load(std::memory_order_acquire)) [[unlikely]]
      read_report();
    save_what_ran();
  }

 private:
  DeviceImpl(const portico_backend& api, portico_device* handle, DeviceInfo info);
  StreamImpl& overridden_stream();
  void tie(Block& block, StreamImpl& stream);
  void read_report();

  static inline std::atomic<int> recordings_{0};  ///< threads that record, on any device

  StreamImpl* default_stream_ = nullptr;
  std::atomic<bool> has_other_streams_{false};
  std::mutex stream_mutex_;
  std::vector<StreamImpl*> streams_;       // all, in order of creation
  std::vector<StreamImpl*> idle_streams_;  // given back by their last handle

  std::once_flag report_once_;
  Buffer report_word_;
  std::atomic<bool> report_expected_{false};
};

/// What device_report's first word means.
enum class Report : std::int32_t { none = 0, label_out_of_range = 1 };

/// Waits for everything queued on the stream.
void synchronize(StreamImpl& stream);

/// The way from public handles to what they point to.
struct Access {
  static DeviceImpl& impl(const Device& device) { return *device.impl_; }
  static Device device(DeviceImpl& impl) { return Device(&impl); }
  static StreamImpl& impl(const Stream& stream) { return *stream.impl_; }
  static Stream stream(std::shared_ptr<StreamImpl> impl) { return Stream(std::move(impl)); }
  static Block* block(const Buffer& buffer) { return buffer.block_.get(); }
  static long owners(const Buffer& buffer) { return buffer.block_.use_count(); }
  static Buffer buffer(std::shared_ptr<Block> block, std::size_t size) { return {std::move(block), size}; }
  static KernelImpl* impl(const Kernel& kernel) { return kernel.impl_; }
  static Kernel kernel(KernelImpl* impl) { return Kernel(impl); }
};

}  // namespace portico::detail
