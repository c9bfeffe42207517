#include "tests/standin/driver/graph.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace portico::standin {
namespace {

// Every capture that goes on, whichever streams take part.
std::vector<std::shared_ptr<Capture>>& active() {
  static auto& all = *new std::vector<std::shared_ptr<Capture>>;
  return all;
}

int invalidate(Capture& capture, int code) {
  capture.invalidated = true;
  return code;
}

void merge(std::vector<std::size_t>& into, const std::vector<std::size_t>& from) {
  into.insert(into.end(), from.begin(), from.end());
  std::sort(into.begin(), into.end());
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

std::vector<std::shared_ptr<Stream>> streams_of(const Capture& capture) {
  std::vector<std::shared_ptr<Stream>> all;
  for (auto& stream : machine().streams.all())
    if (stream->capture.get() == &capture) all.push_back(std::move(stream));
  return all;
}

// Whether each node is one of `tips` or comes before one of them.
bool all_joined(const Graph& graph, const std::vector<std::size_t>& tips) {
  std::vector<bool> reached(graph.nodes.size(), false);
  for (const std::size_t tip : tips) reached[tip] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;)
    if (reached[i])
      for (const std::size_t before : graph.nodes[i].after) reached[before] = true;
  return std::find(reached.begin(), reached.end(), false) == reached.end();
}

}  // namespace

std::mutex& capture_mutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

int submit(Stream& stream, Work work) {
  {
    const std::lock_guard lock(capture_mutex());
    if (Capture* capture = stream.capture.get()) {
      if (capture->invalidated) return kCaptureInvalidated;
      capture->graph.nodes.push_back({std::move(work), stream.tips});
      stream.tips = {capture->graph.nodes.size() - 1};
      return kOk;
    }
  }
  stream.submit(std::move(work));
  return kOk;
}

int record(Event& event, Stream& stream) {
  {
    const std::lock_guard lock(capture_mutex());
    if (stream.capture) {
      if (stream.capture->invalidated) return kCaptureInvalidated;
      event.captured = stream.capture;
      event.tips = stream.tips;
      return kOk;
    }
    event.captured = nullptr;
  }
  auto marker = stream.mark();
  const std::lock_guard lock(event.mutex);
  event.marker = std::move(marker);
  return kOk;
}

int wait_event(Stream& stream, Event& event) {
  {
    const std::lock_guard lock(capture_mutex());
    if (event.captured) {
      if (event.captured->invalidated) return kCaptureInvalidated;
      if (stream.capture && stream.capture != event.captured) {
        stream.capture->invalidated = true;
        return invalidate(*event.captured, kCaptureMerge);
      }
      if (!stream.capture) stream.tips.clear();
      stream.capture = event.captured;  // the stream joins
      merge(stream.tips, event.tips);
      return kOk;
    }
    if (stream.capture) return invalidate(*stream.capture, kCaptureIsolation);
  }
  std::shared_ptr<Marker> marker;
  {
    const std::lock_guard lock(event.mutex);
    marker = event.marker;
  }
  if (marker) stream.wait_for(std::move(marker));
  return kOk;
}

int begin_capture(Stream& stream, int mode) {
  if (mode < 0 || mode > 2) return kInvalidValue;
  const std::lock_guard lock(capture_mutex());
  if (stream.capture) return invalidate(*stream.capture, kInvalidValue);
  auto capture = std::make_shared<Capture>();
  capture->graph.device = &stream.device;
  capture->origin = &stream;
  capture->mode = static_cast<CaptureMode>(mode);
  capture->thread = std::this_thread::get_id();
  active().push_back(capture);
  stream.capture = std::move(capture);
  stream.tips.clear();
  return kOk;
}

int end_capture(Stream& stream, std::shared_ptr<Graph>& out) {
  const std::lock_guard lock(capture_mutex());
  const std::shared_ptr<Capture> capture = stream.capture;
  if (!capture) return kInvalidValue;
  if (capture->origin != &stream) return invalidate(*capture, kCaptureUnmatched);
  if (capture->mode != CaptureMode::relaxed && capture->thread != std::this_thread::get_id())
    return invalidate(*capture, kCaptureWrongThread);
  int code = capture->invalidated ? kCaptureInvalidated : kOk;
  if (code == kOk && !all_joined(capture->graph, stream.tips)) code = kCaptureUnjoined;
  for (const auto& taking_part : streams_of(*capture)) {
    taking_part->capture = nullptr;
    taking_part->tips.clear();
  }
  stream.capture = nullptr;
  stream.tips.clear();
  std::erase(active(), capture);
  if (code == kOk) out = std::make_shared<Graph>(std::move(capture->graph));
  return code;
}

int capture_status(Stream& stream) {
  const std::lock_guard lock(capture_mutex());
  return !stream.capture ? 0 : stream.capture->invalidated ? 2 : 1;
}

int forbid_in_capture(Stream* stream) {
  const std::lock_guard lock(capture_mutex());
  if (stream) return stream->capture ? invalidate(*stream->capture, kCaptureUnsupported) : kOk;
  int code = kOk;
  for (const auto& capture : active()) {
    const bool own = capture->thread == std::this_thread::get_id();
    if (capture->mode == CaptureMode::global || (capture->mode == CaptureMode::thread_local_ && own))
      code = invalidate(*capture, kCaptureUnsupported);
  }
  return code;
}

int forbid_in_any_capture(Device& device) {
  const std::lock_guard lock(capture_mutex());
  int code = kOk;
  for (const auto& capture : active())
    if (capture->graph.device == &device) code = invalidate(*capture, kCaptureUnsupported);
  return code;
}

int launch_graph(Executable& executable, Stream& stream) {
  if (const int code = forbid_in_capture(&stream)) return code;
  std::vector<Node> nodes;
  {
    const std::lock_guard lock(executable.mutex);
    nodes = executable.nodes;
  }
  // Any order that the dependencies allow is right. Random order takes one that the capture did not have.
  if (order() != Order::random) {
    for (Node& node : nodes) stream.submit(std::move(node.work));
    return kOk;
  }
  static std::mt19937& choice = *new std::mt19937(1);
  static auto& choice_mutex = *new std::mutex;
  std::vector<std::size_t> waiting_for(nodes.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if ((waiting_for[i] = nodes[i].after.size()) == 0) ready.push_back(i);
  while (!ready.empty()) {
    std::size_t at = 0;
    {
      const std::lock_guard lock(choice_mutex);
      at = choice() % ready.size();
    }
    const std::size_t next = ready[at];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(at));
    for (std::size_t i = next + 1; i < nodes.size(); ++i) {
      const auto& after = nodes[i].after;
      if (std::find(after.begin(), after.end(), next) != after.end() && --waiting_for[i] == 0) ready.push_back(i);
    }
    stream.submit(std::move(nodes[next].work));
  }
  return kOk;
}

}  // namespace portico::standin
