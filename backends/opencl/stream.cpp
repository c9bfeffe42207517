// Streams are in-order queues, events are markers.
//
// Every queue has profiling on, so that a marker carries the device's own time and the core needs no second kind of
// stream for measuring. Interleaved runs on PoCL 3.1 put the price at 0.05 to 0.1 us a launch, beside 1.7 us for the
// launch itself.
#include "backends/opencl/objects.hpp"

void portico_stream::finish() {
  using namespace portico::opencl;
  settle();
  const std::uint64_t before = queued.load(std::memory_order_acquire);
  check(cl.Finish(queue.get()), "clFinish", Phase::synchronize);
  std::uint64_t known = done.load(std::memory_order_relaxed);
  while (known < before && !done.compare_exchange_weak(known, before, std::memory_order_release)) {
  }
}

namespace portico::opencl {
namespace {

Event current(portico_event& event, const portico_stream** stream = nullptr) {
  const std::lock_guard lock(event.mutex);
  if (stream) *stream = event.stream;
  if (event.event) check(cl.RetainEvent(event.event.get()), "clRetainEvent");
  return Event(event.event.get());
}

cl_int execution_status(cl_event event) {
  cl_int status = CL_QUEUED;
  check(cl.GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr), "clGetEventInfo");
  return status;
}

cl_ulong end_time(const portico_event& event) {
  cl_ulong nanoseconds = 0;
  if (!event.event) throw Failure{PORTICO_INTERNAL, "event_elapsed: an event was never recorded"};
  check(
      cl.GetEventProfilingInfo(event.event.get(), CL_PROFILING_COMMAND_END, sizeof nanoseconds, &nanoseconds, nullptr),
      "event_elapsed: clGetEventProfilingInfo");
  return nanoseconds;
}

}  // namespace

portico_status stream_create(portico_device* device, portico_stream** out) {
  return guarded([&] {
    auto stream = std::make_unique<portico_stream>();
    cl_int code = CL_SUCCESS;
    stream->device = device;
    stream->queue.reset(cl.CreateCommandQueue(device->context.get(), device->id, CL_QUEUE_PROFILING_ENABLE, &code));
    check(code, "clCreateCommandQueue", Phase::allocate);
    *out = stream.release();
  });
}

void stream_destroy(portico_stream* stream) {
  if (!stream) return;
  try {
    stream->settle();
  } catch (const Failure&) {
    // Nobody is left to be told.
  }
  // The staging memory of queued writes goes with the stream. Once more, in case the first was not waited for; a driver
  // that fails twice runs nothing any more.
  if (cl.Finish(stream->queue.get()) != CL_SUCCESS) cl.Finish(stream->queue.get());
  stream->staging.release(*stream->device);
  delete stream;
}

portico_status stream_synchronize(portico_stream* stream) {
  return guarded([&] { stream->finish(); });
}

portico_status stream_wait(portico_stream* stream, portico_event* event) {
  return guarded([&] {
    const portico_stream* recorded_on = nullptr;
    const Event pending = current(*event, &recorded_on);
    // A stream is in order with itself, and what is done already must not make an idle stream look busy.
    if (!pending || recorded_on == stream || execution_status(pending.get()) == CL_COMPLETE) return;
    cl_event wait_for = pending.get();
    check(cl.EnqueueBarrierWithWaitList(stream->commands(), 1, &wait_for, nullptr), "clEnqueueBarrierWithWaitList");
    stream->note_queued();
  });
}

portico_status event_create(portico_device*, portico_event** out) {
  return guarded([&] { *out = new portico_event; });
}

void event_destroy(portico_event* event) { delete event; }

portico_status event_record(portico_event* event, portico_stream* stream) {
  return guarded([&] {
    // Who only wants a time may let this error go: the next call on the stream says it again.
    stream->settle(false);
    cl_event marker = nullptr;
    check(cl.EnqueueMarkerWithWaitList(stream->queue.get(), 0, nullptr, &marker), "clEnqueueMarkerWithWaitList");
    Event made(marker);
    stream->note_queued();
    // Another queue may wait for it, which OpenCL leaves undefined until a flush.
    check(cl.Flush(stream->queue.get()), "clFlush");
    const std::lock_guard lock(event->mutex);
    event->event = std::move(made);
    event->stream = stream;
  });
}

portico_status event_synchronize(portico_event* event) {
  return guarded([&] {
    const Event pending = current(*event);
    if (!pending) return;
    cl_event wait_for = pending.get();
    check(cl.WaitForEvents(1, &wait_for), "clWaitForEvents", Phase::synchronize);
  });
}

portico_status event_elapsed(const portico_event* start, const portico_event* stop, double* milliseconds) {
  return guarded([&] {
    const cl_ulong from = end_time(*start), to = end_time(*stop);
    *milliseconds = 1e-6 * (to >= from ? static_cast<double>(to - from) : -static_cast<double>(from - to));
  });
}

}  // namespace portico::opencl
