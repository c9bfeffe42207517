// The devices of a stand-in, what they are said to be, and the state that every call is checked against.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/standin/driver/codes.hpp"
#include "tests/standin/driver/faults.hpp"
#include "tests/standin/driver/stream.hpp"
#include "tests/standin/driver/table.hpp"
#include "tests/standin/memory.hpp"

namespace portico::standin {

inline constexpr int kDevices = 2;

/// What a device is said to be. Each vendor's stand-in defines its own.
struct Profile {
  const char* name;
  std::size_t memory;
  std::size_t shared;    ///< bytes a block
  unsigned max_threads;  ///< a block
  unsigned max_block_z;
  unsigned max_grid_yz;
  bool threads_in_32_bits;  ///< grid times block stays below 2^32 in each dimension
};
const Profile& profile();

/// Bytes of memory a device has: PORTICO_STANDIN_MEMORY, else 4 GiB.
std::size_t memory_setting();

class Device {
 public:
  explicit Device(int number);

  const int index;
  Memory memory;
  std::atomic<int> retained{0};  ///< of the primary context; always at least 1 in HIP
  bool has_context() const { return retained.load(std::memory_order_relaxed) > 0; }

  /// The code that ended this device's work, or kOk.
  int lost() const { return lost_.load(std::memory_order_relaxed); }
  void lose(int code);
  void restore() { lost_ = kOk; }

  /// The device's clock by what its work says it takes; a marker takes a microsecond.
  double stated_milliseconds() { return clock_.fetch_add(1000) * 1e-6; }
  void spend(double milliseconds) { clock_ += static_cast<std::int64_t>(milliseconds * 1e6); }

  /// Waits for all streams of the device.
  void drain();
  Stream& default_stream();

 private:
  std::atomic<int> lost_{kOk};
  std::atomic<std::int64_t> clock_{0};  // nanoseconds
  std::mutex mutex_;
  std::shared_ptr<Stream> default_stream_;
};

struct Module {
  Device* device;
  std::shared_ptr<Image> image;
  std::mutex mutex;
  std::vector<void*> functions;  ///< handles that go with the module
};

struct Function {
  Device* device;
  std::shared_ptr<const Kernel> kernel;
};

class Graph;
class Executable;

/// All that exists. Made at the first call, never destroyed: workers may outlive main().
struct Machine {
  Device devices[kDevices] = {Device(0), Device(1)};
  Table<Stream> streams;
  Table<Event> events;
  Table<Module> modules;
  Table<Function> functions;
  Table<Graph> graphs;
  Table<Executable> executables;

  std::mutex pinned_mutex;
  std::vector<std::pair<std::uintptr_t, std::size_t>> pinned;  ///< begin and size
  std::atomic<std::size_t> others{0};                          ///< handles of BLAS and compilers
};
Machine& machine();

/// The calling thread's device; null when it has none.
Device*& current_device();

/// What a function asks for before it looks at its arguments.
enum class Needs {
  nothing,  ///< not even the library's initialisation
  start,    ///< the library is initialised (cuInit) and the process is no fork of the one that did it
  device,   ///< and the thread has a device that still works
};

/// Counts the call of a function; the code to answer at once, or kOk.
int enter(Calls& calls, Needs needs);

/// cuInit was called; HIP's stand-in is initialised from the start.
void mark_started();

/// The device whose memory holds `bytes` bytes at `address` in one block; null when there is none.
Device* device_of(std::uintptr_t address, std::size_t bytes);

/// Whether `bytes` at `address` are in one live block of `device`; says on stderr what is wrong when they are not.
bool holds(Device& device, std::uintptr_t address, std::size_t bytes, const char* what);

}  // namespace portico::standin

/// First line of every exported function.
#define STANDIN_ENTER(needs)                                                         \
  static ::portico::standin::Calls& calls_ = ::portico::standin::calls_of(__func__); \
  if (const int code_ = ::portico::standin::enter(calls_, ::portico::standin::Needs::needs)) return code_

/// The body of a function that gives something back: made also when it is told to fail, or every failure of it would be
/// a leak, and not the plugin's. `needs` is `start` or, for libraries beside the driver, `nothing`.
#define STANDIN_GIVE_BACK(needs, call)                                                                    \
  using ::portico::standin::Needs;                                                                        \
  static ::portico::standin::Calls& calls_ = ::portico::standin::calls_of(__func__);                      \
  const int failing_ = ::portico::standin::enter(calls_, Needs::needs);                                   \
  if (Needs::needs != Needs::nothing && failing_ == ::portico::standin::kNotInitialized) return failing_; \
  const int code_ = call;                                                                                 \
  return failing_ ? failing_ : code_
