// Capture of a stream into a graph, and its replay.
#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::Failure;
using plugin::guarded;

namespace {

/// A captured graph, until it has become executable.
struct Captured {
  vendor::Graph graph{};
  ~Captured() {
    if (graph) vendor::graph_destroy(graph);
  }
};

/// The capture is over, however its end went: what was kept from being freed meanwhile can go.
void note_end(portico_stream& stream) {
  stream.capturing = false;
  if (--stream.device->captures == 0) release_deferred(*stream.device);
}

}  // namespace

portico_status capture_begin(portico_stream* stream) {
  return guarded([&] {
    if (!vendor::has_graphs())
      throw Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) + ": the driver is too old for graphs"};
    const std::lock_guard lock(stream->mutex);
    stream->device->make_current();
    if (stream->capturing) throw Failure{PORTICO_INTERNAL, "capture_begin: the stream is capturing already"};
    // A library's handle may allocate and wait when it is made, which a capture forbids.
    std::string reason;
    if (!stream->blas && blas_exists(stream->device->facts)) stream->blas = blas_create(*stream, reason);
    open_conv(*stream);
    check(vendor::capture_begin(stream->stream), "beginning a capture");
    stream->capturing = true;
    ++stream->device->captures;
  });
}

portico_status capture_end(portico_stream* stream, portico_graph** out) {
  return guarded([&] {
    const std::lock_guard lock(stream->mutex);
    stream->device->make_current();
    if (!stream->capturing) throw Failure{PORTICO_INTERNAL, "capture_end: the stream is not capturing"};
    Captured captured;
    const vendor::Result code = vendor::capture_end(stream->stream, &captured.graph);
    note_end(*stream);
    if (!out) return;  // abandoned; an error of its end says only why
    check(code, "ending a capture");
    auto graph = std::make_unique<portico_graph>();
    graph->device = stream->device;
    check(vendor::graph_instantiate(&graph->graph, captured.graph), "making a captured graph executable");
    *out = graph.release();
  });
}

portico_status graph_launch(portico_stream* stream, portico_graph* graph) {
  return guarded([&] {
    stream->device->make_current();
    check(vendor::graph_launch(graph->graph, stream->stream), "launching a graph");
  });
}

// A replay may be under way; not every version of HIP promises to wait for it.
void graph_destroy(portico_graph* graph) {
  guarded([&] {
    const std::unique_ptr<portico_graph> owned(graph);
    settle(*graph->device);
    vendor::graph_exec_destroy(graph->graph);
  });
}

}  // namespace portico::cuda_hip
