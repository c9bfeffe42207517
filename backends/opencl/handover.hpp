// Replays that a thread of the device's queues, so that the caller goes on at once.
//
// Queueing a list of commands costs the host 1 to 3 us each, and on a CPU 4 to 12 us more to wake the driver's workers.
// Here the caller only notes the replay and wakes one thread. Nothing else may overtake it: whoever uses the stream
// next settles it first. What the thread has not begun by then the caller queues itself, so that it never waits for a
// thread that the system is slow to run, nor for one that a fork() has left behind.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "backends/opencl/api.hpp"

struct portico_graph;
struct portico_stream;

namespace portico::opencl {

/// A stream's part in it, guarded by its device's Handover.
struct HandedOver {
  portico_graph* graph = nullptr;  ///< what is to be queued; one at a time, so that order is kept
  bool begun = false;
  std::optional<Failure> failure;  ///< of a replay that nobody was told of yet
};

class Handover {
 public:
  Handover() = default;
  ~Handover() { stop(); }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// The thread will queue `graph` on `stream`. Throws what an earlier replay on the stream failed with. False when no
  /// thread can be had: the caller does it.
  bool take(portico_stream& stream, portico_graph& graph);
  /// Returns once nothing of the stream is left to queue. Throws what its replay failed with; `forget` says whether
  /// that is told once, or to the next one who settles too.
  void settle(portico_stream& stream, bool forget);
  /// The same for whatever stream `graph` goes to; failures stay with the stream.
  void settle(portico_graph& graph) noexcept;
  /// Ends the thread; replays that it has not begun stay for who settles.
  void stop() noexcept;

 private:
  bool start();
  void work();
  void queue(portico_stream& stream, std::unique_lock<std::mutex>& lock) noexcept;
  void finish(portico_stream& stream, std::unique_lock<std::mutex>& lock) noexcept;
  void throw_failure(portico_stream& stream, bool forget);

  std::mutex mutex_;
  std::condition_variable wake_;          // the thread: there is work, or it is to end
  std::condition_variable queued_;        // others: a replay is queued
  std::vector<portico_stream*> streams_;  // with a replay to queue or being queued
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace portico::opencl
