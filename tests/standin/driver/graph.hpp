// Graphs: what a capture collects instead of running it, and its replay.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/standin/driver/device.hpp"

namespace portico::standin {

struct Node {
  Work work;
  std::vector<std::size_t> after;  ///< smaller indices
};

class Graph {
 public:
  Device* device = nullptr;
  std::vector<Node> nodes;
  std::vector<void*> handles;  ///< of the nodes, made when asked for
};

/// A graph that can be launched. A launch takes the calls as they are then; later changes are for later launches.
class Executable {
 public:
  Device* device = nullptr;
  std::mutex mutex;
  std::vector<Node> nodes;
  std::vector<void*> handles;
};

/// How far the calls of others are forbidden while a capture goes on.
enum class CaptureMode { global = 0, thread_local_ = 1, relaxed = 2 };

class Capture {
 public:
  Graph graph;
  Stream* origin = nullptr;
  CaptureMode mode = CaptureMode::global;
  std::thread::id thread;
  bool invalidated = false;
};

/// Guards all captures: the streams' `capture` and `tips`, the events' `captured`.
std::mutex& capture_mutex();

/// Queues the work on the stream, or puts it into the capture that the stream takes part in.
int submit(Stream& stream, Work work);

int record(Event& event, Stream& stream);
int wait_event(Stream& stream, Event& event);

int begin_capture(Stream& stream, int mode);
int end_capture(Stream& stream, std::shared_ptr<Graph>& out);
/// 0: not capturing, 1: capturing, 2: capturing and invalidated.
int capture_status(Stream& stream);

/// A call that must not happen while this stream captures, or (null) while any capture that this thread has to heed
/// goes on: the code, with the captures invalidated. kOk when there is none.
int forbid_in_capture(Stream* stream);

/// The same for calls that wait for a whole device.
int forbid_in_any_capture(Device& device);

int launch_graph(Executable& executable, Stream& stream);

}  // namespace portico::standin
