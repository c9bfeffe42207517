#include "backends/opencl/capture.hpp"

#include "backends/opencl/objects.hpp"

namespace portico::opencl {

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

// The hot path of a replay. Commands are counted before the one flush, not each: a queue that is flushed half way only
// starts earlier, and the host is done sooner without.
portico_status graph_launch(portico_stream* stream, portico_graph* graph) {
  return guarded([&] {
    cl_command_queue queue = stream->queue.get();
    if (graph->buffer) {
      graph->buffer->enqueue(*stream);
    } else {
      for (const Command& c : graph->commands) {
        cl_int code = CL_SUCCESS;
        if (c.kind == Command::Kind::launch) [[likely]]
          code = cl.EnqueueNDRangeKernel(queue, c.kernel.get(), c.dimensions, nullptr, c.global, c.local, 0, nullptr,
                                         nullptr);
        else if (c.kind == Command::Kind::copy)
          code = cl.EnqueueCopyBuffer(queue, c.from, c.to, c.from_offset, c.to_offset, c.bytes, 0, nullptr, nullptr);
        else
          code = cl.EnqueueFillBuffer(queue, c.to, &c.pattern, sizeof c.pattern, c.to_offset, c.bytes, 0, nullptr,
                                      nullptr);
        stream->queued.fetch_add(1, std::memory_order_release);  // also before a failure: what was queued is running
        check(code, "replay of a recorded command");
      }
      if (graph->commands.empty()) return;
    }
    stream->note_queued();
    cl.Flush(queue);
  });
}

// Commands that are still queued hold their kernels and memory, and a command buffer itself.
void graph_destroy(portico_graph* graph) { delete graph; }

}  // namespace portico::opencl
