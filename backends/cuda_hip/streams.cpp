// Streams and events.
#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::guarded;

portico_status stream_create(portico_device* device, portico_stream** out) {
  return guarded([&] {
    device->make_current();
    auto stream = std::make_unique<portico_stream>();
    stream->device = device;
    check(vendor::stream_create(&stream->stream), "creating a stream");
    *out = stream.release();
  });
}

// Waits, because the staging memory and the BLAS library's workspace go with the stream.
void stream_destroy(portico_stream* stream) {
  guarded([&] {
    const std::unique_ptr<portico_stream> owned(stream);
    stream->device->make_current();
    vendor::stream_synchronize(stream->stream);
    stream->blas.reset();
    stream->conv.reset();
    stream->staging.release();
    stream->uploads.release();
    stream->downloads.release();
    vendor::stream_destroy(stream->stream);
  });
}

portico_status stream_synchronize(portico_stream* stream) {
  return guarded([&] {
    stream->device->make_current();
    check(vendor::stream_synchronize(stream->stream), "waiting for a stream");
  });
}

portico_status stream_wait(portico_stream* stream, portico_event* event) {
  return guarded([&] {
    stream->device->make_current();
    check(vendor::stream_wait(stream->stream, event->event), "making a stream wait");
  });
}

portico_status event_create(portico_device* device, portico_event** out) {
  return guarded([&] {
    device->make_current();
    auto event = std::make_unique<portico_event>();
    event->device = device;
    check(vendor::event_create(&event->event), "creating an event");
    *out = event.release();
  });
}

void event_destroy(portico_event* event) {
  guarded([&] {
    const std::unique_ptr<portico_event> owned(event);
    event->device->make_current();
    vendor::event_destroy(event->event);
  });
}

portico_status event_record(portico_event* event, portico_stream* stream) {
  return guarded([&] {
    stream->device->make_current();
    check(vendor::event_record(event->event, stream->stream), "recording an event");
  });
}

portico_status event_synchronize(portico_event* event) {
  return guarded([&] {
    event->device->make_current();
    check(vendor::event_synchronize(event->event), "waiting for an event");
  });
}

portico_status event_elapsed(const portico_event* start, const portico_event* stop, double* milliseconds) {
  return guarded([&] {
    start->device->make_current();
    float value = 0.0f;
    check(vendor::event_elapsed(&value, start->event, stop->event), "timing between two events");
    *milliseconds = value;
  });
}

}  // namespace portico::cuda_hip
