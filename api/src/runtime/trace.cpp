#include "runtime/trace.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "portico/error.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/environment.hpp"

namespace portico::detail {
namespace {

using Clock = std::chrono::steady_clock;

struct Launch {
  std::string name;
  StreamImpl* stream;
  double host_begin, host_end;  // microseconds since the trace began
  portico_event *begin, *end;   // null where the device keeps no times
};

// Device times count from one event per device, recorded when the device was idle at a known host time.
struct Origin {
  portico_event* event;
  double host;
};

class Trace {
 public:
  explicit Trace(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "w")) {
    if (file_ == nullptr) throw Error(ErrorCode::io, "PORTICO_TRACE=" + path_ + ": the file cannot be written");
    // Registered after the drivers' own handlers, so it runs before them.
    std::atexit([] { instance()->write(); });
  }

  static Trace* instance() {
    static Trace* trace = [] {
      const auto path = variable("PORTICO_TRACE");
      return path ? new Trace(*path) : nullptr;
    }();
    return trace;
  }

  portico_status run(StreamImpl& stream, const std::string& name, const std::function<portico_status()>& call) {
    DeviceImpl& device = *stream.device;
    const bool timed = (device.info.feature_bits & PORTICO_FEATURE_TIMING) != 0;
    if (timed) set_origin(device, stream);
    Launch entry{.name = name, .stream = &stream, .begin = nullptr, .end = nullptr};
    if (timed) entry.begin = mark(device, stream);
    entry.host_begin = now();
    const portico_status status = call();
    entry.host_end = now();
    if (timed) entry.end = mark(device, stream);
    const std::lock_guard lock(mutex_);
    launches_.push_back(std::move(entry));
    return status;
  }

 private:
  double now() const { return std::chrono::duration<double, std::micro>(Clock::now() - start_).count(); }

  static portico_event* mark(DeviceImpl& device, StreamImpl& stream) {
    portico_event* event = nullptr;
    if (device.api.event_create(device.handle, &event) != PORTICO_OK) return nullptr;
    if (device.api.event_record(event, stream.handle) == PORTICO_OK) return event;
    device.api.event_destroy(event);
    return nullptr;
  }

  void set_origin(DeviceImpl& device, StreamImpl& stream) {
    const std::lock_guard lock(mutex_);
    if (origins_.contains(&device)) return;
    portico_event* event = mark(device, stream);
    if (event != nullptr) device.api.event_synchronize(event);
    origins_[&device] = {event, now()};
  }

  void write() {
    using nlohmann::json;
    const std::lock_guard lock(mutex_);
    json events = json::array();
    const auto add = [&](const std::string& name, const char* process, const std::string& thread, double begin,
                         double duration) {
      events.push_back(
          {{"name", name}, {"ph", "X"}, {"pid", process}, {"tid", thread}, {"ts", begin}, {"dur", duration}});
    };
    for (const Launch& launch : launches_) {
      DeviceImpl& device = *launch.stream->device;
      const std::string thread = device.label + " stream " + std::to_string(launch.stream->number);
      add(launch.name, "host", thread, launch.host_begin, launch.host_end - launch.host_begin);
      const Origin& origin = origins_[&device];
      double begin = 0, duration = 0;
      if (launch.begin != nullptr && launch.end != nullptr && origin.event != nullptr &&
          device.api.event_synchronize(launch.end) == PORTICO_OK &&
          device.api.event_elapsed(origin.event, launch.begin, &begin) == PORTICO_OK &&
          device.api.event_elapsed(launch.begin, launch.end, &duration) == PORTICO_OK)
        add(launch.name, "device", thread, origin.host + begin * 1e3, duration * 1e3);
    }
    const std::string text = json{{"traceEvents", events}, {"displayTimeUnit", "ns"}}.dump();
    std::fwrite(text.data(), 1, text.size(), file_);
    if (std::fclose(file_) != 0)
      std::fprintf(stderr, "portico: PORTICO_TRACE: %s could not be written\n", path_.c_str());
  }

  const std::string path_;
  std::FILE* file_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::vector<Launch> launches_;
  std::map<DeviceImpl*, Origin> origins_;
};

}  // namespace

bool trace_enabled() {
  static const bool enabled = Trace::instance() != nullptr;
  return enabled;
}

portico_status trace_call(StreamImpl& stream, const std::string& name, const std::function<portico_status()>& call) {
  return Trace::instance()->run(stream, name, call);
}

}  // namespace portico::detail
