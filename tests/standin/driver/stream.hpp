// Streams and events: work runs on a thread of the stream's own, so that what nobody waited for is seen to be missing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/standin/driver/executor.hpp"

namespace portico::standin {

class Device;
class Stream;
class Capture;

/// When queued work runs. PORTICO_STANDIN_ORDER: `eager` (default) at once; `late` only when the host waits for it;
/// `random` after pauses of its own (PORTICO_STANDIN_SEED), so that streams overtake each other.
enum class Order { eager, late, random };
Order order();

/// What events tell. PORTICO_STANDIN_CLOCK: `host` (default) the host's time; `stated` the sum of what the work of the
/// device says it takes, so that a test knows what a measurement must find.
enum class Clock { host, stated };
Clock clock();

/// A piece of queued work: a kernel, or anything else.
struct Work {
  std::shared_ptr<const Call> call;
  std::function<int()> run;  ///< used when there is no call; answers a code
  double milliseconds = 0;   ///< what it says it takes (Clock::stated)
};

/// A point in a stream's work.
class Marker {
 public:
  Marker(std::weak_ptr<Stream> stream, std::uint64_t position) : stream_(std::move(stream)), position_(position) {}

  void reach(Device& device);  ///< by the stream's worker
  void wait();
  bool done();
  std::chrono::steady_clock::time_point when();

 private:
  const std::weak_ptr<Stream> stream_;
  const std::uint64_t position_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::chrono::steady_clock::time_point when_;
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  static std::shared_ptr<Stream> make(Device& device);
  ~Stream();  ///< waits for all of its work

  Device& device;

  void submit(Work work);
  std::shared_ptr<Marker> mark();  ///< a marker behind all work so far
  void wait_for(std::shared_ptr<Marker> marker);
  void drain();
  bool idle();

  /// The capture that this stream takes part in, and the nodes that its next one comes after. Guarded by
  /// capture_mutex() in graph.hpp.
  std::shared_ptr<Capture> capture;
  std::vector<std::size_t> tips;

  /// Lets work up to this position run although nobody has waited for it yet (Order::late).
  void demand(std::uint64_t position);

 private:
  struct Item {
    Work work;
    std::shared_ptr<Marker> reached, awaited;
  };

  explicit Stream(Device& owner);
  void start(Item item);
  void work_off();
  void perform(Item& item);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  std::uint64_t queued_ = 0, finished_ = 0, demanded_ = 0;
  bool ending_ = false;
  std::unique_ptr<Lane> lane_;
  std::mt19937 pauses_;
  std::thread worker_;
};

struct Event {
  Device* device;
  bool timed;
  std::mutex mutex;
  std::shared_ptr<Marker> marker;     ///< of the last record
  std::shared_ptr<Capture> captured;  ///< recorded inside a capture: it stands for these nodes
  std::vector<std::size_t> tips;
};

}  // namespace portico::standin
