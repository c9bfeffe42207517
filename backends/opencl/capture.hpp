// Work written down instead of queued, and queued again as a whole.
//
// A list of prepared launches: each has a cl_kernel of its own, whose arguments are set once, so that a replay is one
// enqueue a launch. Where the device has cl_khr_command_buffer the list becomes a command buffer, and a replay one
// enqueue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/opencl/api.hpp"
#include "backends/opencl/command_buffer.hpp"
#include "backends/opencl/handover.hpp"

struct portico_graph;
struct portico_kernel;
struct portico_launch;
struct portico_stream;

namespace portico::opencl {

struct Command {
  enum class Kind { launch, copy, fill };
  Kind kind = Kind::launch;
  Kernel kernel;
  cl_uint dimensions = 0;
  std::size_t global[3] = {}, local[3] = {};
  cl_mem from = nullptr, to = nullptr;  // the core keeps a graph's memory
  std::size_t from_offset = 0, to_offset = 0, bytes = 0;
  cl_uint pattern = 0;
};

/// What a stream has written down so far.
struct Recording {
  std::vector<Command> commands;
};

/// Queues all of `graph`. Throws Failure. Where a replay is queued before its call returns, the core may try one that
/// found no memory again (Retry::by_core); later nobody could tell whose memory it was, so `here` waits for the queue,
/// tries once more, and never says "out of memory".
enum class Retry { by_core, here };
void queue_replay(portico_stream& stream, portico_graph& graph, Retry retry);

/// A kernel of the same program and name, with arguments of its own.
Kernel twin(const portico_kernel& kernel);

}  // namespace portico::opencl

struct portico_graph {
  std::vector<portico::opencl::Command> commands;
  std::unique_ptr<portico::opencl::CommandBuffer> buffer;  // null: the commands are queued one by one
  portico::opencl::Handover* handed_over_on = nullptr;     // of the device, once a replay was handed over
};
