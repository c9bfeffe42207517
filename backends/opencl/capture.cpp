#include "backends/opencl/capture.hpp"

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

/// Holds a replay's first command back until the last one is queued. A CPU's worker threads otherwise begin at once,
/// and the host then shares the driver's locks with them and wakes them a launch at a time: twelve launches with 20
/// arguments take 109 us so on an idle PoCL and 42 behind a gate; 99 and 35 on Intel's runtime. On a GPU there is
/// nothing to gain.
class Gate {
 public:
  Gate(portico_device& device, std::size_t commands) {
    constexpr std::size_t kWorthwhile = 3;
    cl_int code = CL_SUCCESS;
    if (device.is_cpu && commands >= kWorthwhile) event_.reset(cl.CreateUserEvent(device.context.get(), &code));
  }
  ~Gate() {
    // The queue would wait for ever behind a gate that stays shut: once more, then as failed, which PoCL 3.1 dies of.
    if (!event_) return;
    for (const cl_int status : {CL_COMPLETE, CL_COMPLETE, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST})
      if (cl.SetUserEventStatus(event_.get(), status) == CL_SUCCESS) return;
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  cl_event event() const { return event_.get(); }

 private:
  Event event_;
};

// Out of memory invites the core to try the whole list again, so that it is said only while nothing of it is queued.
[[noreturn, gnu::cold]] void fail_replay(cl_int code, std::size_t queued, std::size_t commands) {
  const std::string call =
      "replay of recorded commands: " + std::to_string(queued) + " of " + std::to_string(commands) + " queued, then";
  try {
    fail(code, call, Phase::enqueue);
  } catch (Failure& failure) {
    if (queued > 0 && failure.status == PORTICO_OUT_OF_MEMORY) failure.status = PORTICO_INTERNAL;
    throw;
  }
}

}  // namespace

Kernel twin(const portico_kernel& kernel) {
  cl_program program = nullptr;
  check(cl.GetKernelInfo(kernel.kernel.get(), CL_KERNEL_PROGRAM, sizeof(cl_program), &program, nullptr),
        "clGetKernelInfo(CL_KERNEL_PROGRAM)");
  cl_int code = CL_SUCCESS;
  Kernel made(cl.CreateKernel(program, kernel.name.c_str(), &code));
  if (code != CL_SUCCESS) fail(code, "kernel " + kernel.name + ": clCreateKernel", Phase::allocate);
  return made;
}

portico_status capture_begin(portico_stream* stream) {
  return guarded([&] {
    if (stream->recording) throw Failure{PORTICO_INTERNAL, "capture_begin: the stream is capturing already"};
    stream->recording = std::make_unique<Recording>();
  });
}

portico_status capture_end(portico_stream* stream, portico_graph** out) {
  return guarded([&] {
    const std::unique_ptr<Recording> recording = std::move(stream->recording);
    if (!recording) throw Failure{PORTICO_INTERNAL, "capture_end: the stream is not capturing"};
    if (!out) return;
    auto graph = std::make_unique<portico_graph>();
    graph->commands = std::move(recording->commands);
    graph->buffer = CommandBuffer::make(*stream, graph->commands);
    *out = graph.release();
  });
}

namespace {

// The hot path of a replay. Every command is behind the first, the queue being in order. Commands are counted before
// the one flush, not each: a queue that is flushed half way only starts earlier, and the host is done sooner without.
void queue_commands(portico_stream& stream, portico_graph& graph) {
  cl_command_queue queue = stream.queue.get();
  const Gate gate(*stream.device, graph.commands.size());
  cl_event first = gate.event();
  if (graph.buffer) {
    graph.buffer->enqueue(stream, first);
  } else {
    for (const Command& c : graph.commands) {
      cl_int code = CL_SUCCESS;
      const cl_event* wait = first != nullptr ? &first : nullptr;
      const cl_uint waits = first != nullptr;
      if (c.kind == Command::Kind::launch) [[likely]]
        code = cl.EnqueueNDRangeKernel(queue, c.kernel.get(), c.dimensions, nullptr, c.global, c.local, waits, wait,
                                       nullptr);
      else if (c.kind == Command::Kind::copy)
        code = cl.EnqueueCopyBuffer(queue, c.from, c.to, c.from_offset, c.to_offset, c.bytes, waits, wait, nullptr);
      else
        code =
            cl.EnqueueFillBuffer(queue, c.to, &c.pattern, sizeof c.pattern, c.to_offset, c.bytes, waits, wait, nullptr);
      stream.queued.fetch_add(1, std::memory_order_release);  // also before a failure: what was queued is running
      if (code != CL_SUCCESS) [[unlikely]]
        fail_replay(code, static_cast<std::size_t>(&c - graph.commands.data()), graph.commands.size());
      first = nullptr;
    }
  }
  stream.note_queued();
  cl.Flush(queue);
}

}  // namespace

void queue_replay(portico_stream& stream, portico_graph& graph, Retry retry) {
  try {
    queue_commands(stream, graph);
  } catch (const Failure& failure) {
    if (retry == Retry::by_core || failure.status != PORTICO_OUT_OF_MEMORY) throw;
    if (cl.Finish(stream.queue.get()) != CL_SUCCESS) throw Failure{PORTICO_INTERNAL, failure.message};
    try {
      queue_commands(stream, graph);
    } catch (Failure& again) {
      if (again.status == PORTICO_OUT_OF_MEMORY) again.status = PORTICO_INTERNAL;
      throw;
    }
  }
}

portico_status graph_launch(portico_stream* stream, portico_graph* graph) {
  return guarded([&] {
    if (graph->commands.empty()) return;
    // Waking the thread costs as much as a few launches.
    constexpr std::size_t kWorthwhile = 4;
    if (graph->commands.size() >= kWorthwhile && stream->device->handover.take(*stream, *graph)) {
      graph->handed_over_on = &stream->device->handover;
      return;
    }
    stream->settle();
    queue_replay(*stream, *graph, Retry::by_core);
  });
}

void graph_destroy(portico_graph* graph) {
  // The core frees the graph's memory next, which commands hold only from when they are queued on.
  if (graph != nullptr && graph->handed_over_on != nullptr) graph->handed_over_on->settle(*graph);
  delete graph;
}

}  // namespace portico::opencl
