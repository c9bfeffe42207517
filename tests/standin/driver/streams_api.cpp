// Streams and events.
#include "tests/standin/driver/streams_api.hpp"

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/graph.hpp"

namespace portico::standin::api {

std::shared_ptr<Stream> stream_of(void* handle) {
  return handle ? machine().streams.find(handle) : current_device()->default_stream().shared_from_this();
}

int stream_create(void** out, unsigned flags) {
  if (!out || flags > 1) return kInvalidValue;
  *out = machine().streams.add(Stream::make(*current_device()));
  return kOk;
}

int stream_destroy(void* handle) {
  const auto stream = machine().streams.remove(handle);
  if (!stream) return kInvalidHandle;
  stream->drain();
  return stream->device.lost();
}

int stream_synchronize(void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (const int code = forbid_in_capture(stream.get())) return code;
  stream->drain();
  return stream->device.lost();
}

int stream_query(void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (const int code = forbid_in_capture(stream.get())) return code;
  if (const int code = stream->device.lost()) return code;
  return stream->idle() ? kOk : kNotReady;
}

int stream_wait(void* handle, void* event_handle, unsigned flags) {
  const auto stream = stream_of(handle);
  const auto event = machine().events.find(event_handle);
  if (!stream || !event) return kInvalidHandle;
  if (flags != 0) return kInvalidValue;
  return wait_event(*stream, *event);
}

// Flags: 1 blocking wait, 2 no times.
int event_create(void** out, unsigned flags) {
  if (!out || flags > 3) return kInvalidValue;
  auto event = std::make_shared<Event>();
  event->device = current_device();
  event->timed = (flags & 2u) == 0;
  *out = machine().events.add(std::move(event));
  return kOk;
}

int event_destroy(void* handle) {
  const auto event = machine().events.remove(handle);
  return event ? event->device->lost() : kInvalidHandle;
}

int event_record(void* handle, void* stream_handle) {
  const auto event = machine().events.find(handle);
  const auto stream = stream_of(stream_handle);
  if (!event || !stream || event->device != &stream->device) return kInvalidHandle;
  return record(*event, *stream);
}

namespace {

// The marker of an event's last record; null before the first. A code when the event was recorded inside a capture.
int marker_of(Event& event, std::shared_ptr<Marker>& out) {
  {
    const std::lock_guard lock(capture_mutex());
    if (event.captured) {
      event.captured->invalidated = true;
      return kCapturedEvent;
    }
  }
  const std::lock_guard lock(event.mutex);
  out = event.marker;
  return kOk;
}

}  // namespace

int event_synchronize(void* handle) {
  const auto event = machine().events.find(handle);
  if (!event) return kInvalidHandle;
  std::shared_ptr<Marker> marker;
  if (const int code = marker_of(*event, marker)) return code;
  if (marker) marker->wait();
  return event->device->lost();
}

int event_query(void* handle) {
  const auto event = machine().events.find(handle);
  if (!event) return kInvalidHandle;
  if (const int code = forbid_in_capture(nullptr)) return code;
  std::shared_ptr<Marker> marker;
  if (const int code = marker_of(*event, marker)) return code;
  if (const int code = event->device->lost()) return code;
  return !marker || marker->done() ? kOk : kNotReady;
}

int event_elapsed(float* milliseconds, void* start_handle, void* stop_handle) {
  const auto start = machine().events.find(start_handle), stop = machine().events.find(stop_handle);
  if (!milliseconds) return kInvalidValue;
  if (!start || !stop || start->device != stop->device || !start->timed || !stop->timed) return kInvalidHandle;
  std::shared_ptr<Marker> from, to;
  if (const int code = marker_of(*start, from)) return code;
  if (const int code = marker_of(*stop, to)) return code;
  if (!from || !to) return kInvalidHandle;
  if (!from->done() || !to->done()) return kNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(to->when() - from->when()).count();
  return kOk;
}

int synchronize_device() {
  Device& device = *current_device();
  if (const int code = forbid_in_any_capture(device)) return code;
  device.drain();
  return device.lost();
}

}  // namespace portico::standin::api
