#include "tests/standin/driver/device.hpp"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

#include "tests/standin/driver/control.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/report.hpp"
#include "tests/standin/export.hpp"

namespace portico::standin {
namespace {

std::atomic<bool> g_started{false};
std::atomic<bool> g_forked{false};

}  // namespace

const char* meaning(int code) {
  switch (code) {
    case kOk:
      return "no error";
    case kInvalidValue:
      return "invalid argument";
    case kOutOfMemory:
      return "out of memory";
    case kNotInitialized:
      return "initialization error";
    case kNoDevice:
      return "no CUDA-capable device is detected";
    case kInvalidDevice:
      return "invalid device ordinal";
    case kInvalidImage:
      return "device kernel image is invalid";
    case kInvalidContext:
      return "invalid device context";
    case kUnsupported:
      return "operation not supported";
    case kNoBinaryForGpu:
      return "no kernel image is available for execution on the device";
    case kInvalidPtx:
      return "a PTX JIT compilation failed";
    case kPeerAccessUnsupported:
      return "peer access is not supported between these two devices";
    case kInvalidHandle:
      return "invalid resource handle";
    case kNotFound:
      return "named symbol not found";
    case kNotReady:
      return "device not ready";
    case kIllegalAddress:
      return "an illegal memory access was encountered";
    case kLaunchOutOfResources:
      return "too many resources requested for launch";
    case kMisalignedAddress:
      return "misaligned address";
    case kLaunchFailed:
      return "unspecified launch failure";
    case kCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case kCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    case kCaptureMerge:
      return "operation would result in a merge of separate capture sequences";
    case kCaptureUnmatched:
      return "capture was not ended in the same stream as it began";
    case kCaptureUnjoined:
      return "capturing stream has unjoined work";
    case kCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
    case kCapturedEvent:
      return "operation not permitted on an event last recorded in a capturing stream";
    case kCaptureWrongThread:
      return "attempt to terminate a thread-local capture sequence from another thread";
    default:
      return nullptr;
  }
}

bool is_sticky(int code) {
  return code == 214 || code == 220 || code == 226 || code == 702 ||
         (code >= 700 && code <= 721 && code != kLaunchOutOfResources && code != 704 && code != 705 && code != 708 &&
          code != 712 && code != 713 && code != 720);
}

std::size_t memory_setting() {
  const char* text = std::getenv("PORTICO_STANDIN_MEMORY");
  const unsigned long long bytes = text ? std::strtoull(text, nullptr, 10) : 0;
  return bytes > 0 ? bytes : std::size_t{4} << 30;
}

Machine& machine() {
  static Machine& made = *[] {
    auto* fresh = new Machine;
    report_at_exit();
    // A driver's state does not survive a fork: its threads are gone.
    pthread_atfork(nullptr, nullptr, [] { g_forked = true; });
    return fresh;
  }();
  return made;
}

Device*& current_device() {
  thread_local Device* device = nullptr;
  return device;
}

void mark_started() { g_started = true; }

int enter(Calls& calls, Needs needs) {
  const int code = count_call(calls);
  if (g_forked.load(std::memory_order_relaxed) && needs != Needs::nothing) return kNotInitialized;
  Device* const device = current_device();
  if (code != kOk) {
    if (device && is_sticky(code)) device->lose(code);
    return code;
  }
  if (needs == Needs::nothing) return kOk;
  if (!g_started.load(std::memory_order_relaxed)) return kNotInitialized;
  if (needs == Needs::start) return kOk;
  if (!device || !device->has_context()) return kInvalidContext;
  return device->lost();
}

Device::Device(int number) : index(number), memory(profile().memory) {}

void Device::lose(int code) {
  int expected = kOk;
  lost_.compare_exchange_strong(expected, code);
}

void Device::drain() {
  for (const auto& stream : machine().streams.all())
    if (&stream->device == this) stream->drain();
  std::shared_ptr<Stream> own;
  {
    const std::lock_guard lock(mutex_);
    own = default_stream_;
  }
  if (own) own->drain();
}

Stream& Device::default_stream() {
  const std::lock_guard lock(mutex_);
  if (!default_stream_) default_stream_ = Stream::make(*this);
  return *default_stream_;
}

Device* device_of(std::uintptr_t address, std::size_t bytes) {
  for (Device& device : machine().devices) {
    Block block{};
    if (device.memory.find(address, block) && bytes <= block.bytes - (address - block.begin)) return &device;
  }
  return nullptr;
}

bool holds(Device& device, std::uintptr_t address, std::size_t bytes, const char* what) {
  Block block{};
  if (device.memory.find(address, block) && bytes <= block.bytes - (address - block.begin)) return true;
  const char* reason = "no memory of any device";
  for (const Device& other : machine().devices)
    if (&other != &device && other.memory.find(address, block)) reason = "memory of another device";
  if (device.memory.find(address, block)) reason = "a block that is too small";
  if (device.memory.why(address) == Memory::Why::released) reason = "memory that was released";
  std::fprintf(stderr, "stand-in: %s: %zu bytes at %#zx of device %d: %s\n", what, bytes, std::size_t(address),
               device.index, reason);
  return false;
}

std::vector<std::pair<std::string, std::size_t>> objects_alive() {
  Machine& m = machine();
  std::size_t blocks = 0;
  for (const Device& device : m.devices) blocks += device.memory.live_blocks();
  std::size_t pinned = 0;
  {
    const std::lock_guard lock(m.pinned_mutex);
    pinned = m.pinned.size();
  }
  return {{"memory", blocks},
          {"pinned memory", pinned},
          {"streams", m.streams.size()},
          {"events", m.events.size()},
          {"modules", m.modules.size()},
          {"graphs", m.graphs.size()},
          {"executable graphs", m.executables.size()},
          {"library handles", m.others}};
}

}  // namespace portico::standin

STANDIN_EXPORT int standin_lose(int device, int code) {
  using namespace portico::standin;
  if (device < 0 || device >= kDevices) return 0;
  machine().devices[device].restore();
  if (code != kOk) machine().devices[device].lose(code);
  return 1;
}
