#include "runtime/device_impl.hpp"

#include <array>
#include <map>
#include <utility>

#include "runtime/capture.hpp"
#include "runtime/debug.hpp"
#include "runtime/environment.hpp"
#include "runtime/loader.hpp"
#include "runtime/log.hpp"
#include "runtime/status.hpp"
#include "runtime/survey.hpp"

namespace portico::detail {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::pair<std::string, std::int32_t>, DeviceImpl*> devices;
};

Registry& registry() {
  static Registry& registry = *new Registry;
  return registry;
}

thread_local DeviceImpl* t_device = nullptr;
thread_local std::vector<StreamImpl*> t_streams;  // StreamGuards, innermost last

StreamImpl* make_stream(DeviceImpl& device, std::uint32_t number) {
  portico_stream* handle = nullptr;
  check(device.api.stream_create(device.handle, &handle), "create a stream on " + device.label);
  return new StreamImpl{.device = &device, .handle = handle, .number = number};
}

// Asked for by name: no silent second choice. Not asked: the first backend with a device.
DeviceImpl& choose() {
  if (const auto wanted = variable("PORTICO_BACKEND")) {
    const DeviceName name = parse_device_name(*wanted, "PORTICO_BACKEND");
    return DeviceImpl::open(name.backend, name.index);
  }
  std::string tried;
  for (const std::string& name : backend_names()) {
    const LoadedBackend& backend = load_backend(name);
    if (backend.devices > 0) return DeviceImpl::open(name, 0);
    tried += "\n  " + why_unusable(backend);
  }
  throw Error(ErrorCode::unsupported, "no backend has a device:" + tried);
}

}  // namespace

EventImpl::~EventImpl() { device->api.event_destroy(handle); }

DeviceImpl::DeviceImpl(const portico_backend& table, portico_device* opened, DeviceInfo described)
    : api(table),
      handle(opened),
      info(std::move(described)),
      label(info.backend + ":" + std::to_string(info.index)),
      pool(*this),
      programs(*this) {
  default_stream_ = make_stream(*this, 0);
  streams_.push_back(default_stream_);
}

DeviceImpl& DeviceImpl::open(std::string_view backend_name, std::int32_t index) {
  const LoadedBackend& backend = load_backend(backend_name);
  if (backend.devices == 0) throw Error(ErrorCode::unsupported, "backend " + why_unusable(backend));
  if (index >= backend.devices)
    throw Error(ErrorCode::invalid_argument, "device " + backend.name + ":" + std::to_string(index) +
                                                 " does not exist: " + backend.name + " has " +
                                                 std::to_string(backend.devices) +
                                                 (backend.devices == 1 ? " device" : " devices") + ", counted from 0");
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  DeviceImpl*& device = all.devices[{backend.name, index}];
  if (device == nullptr) {
    const std::string subject = "open " + backend.name + ":" + std::to_string(index);
    DeviceInfo info = describe(backend, index);
    portico_device* handle = nullptr;
    check(backend.api->device_open(index, &handle), subject);
    device = new DeviceImpl(*backend.api, handle, std::move(info));
    log(PORTICO_LOG_INFO, "opened " + device->label + ", " + device->info.name);
  }
  return *device;
}

DeviceImpl& DeviceImpl::current() {
  if (t_device != nullptr) [[likely]]
    return *t_device;
  static DeviceImpl& chosen = choose();
  return chosen;
}

DeviceImpl* DeviceImpl::exchange_current(DeviceImpl* device) { return std::exchange(t_device, device); }

std::vector<DeviceImpl*> DeviceImpl::all() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<DeviceImpl*> devices;
  for (const auto& [name, device] : all.devices)
    if (device != nullptr) devices.push_back(device);
  return devices;
}

// ---- Streams

std::shared_ptr<StreamImpl> DeviceImpl::share(StreamImpl& stream) {
  return {&stream, [](StreamImpl*) {}};
}

std::shared_ptr<StreamImpl> DeviceImpl::create_stream() {
  const std::lock_guard lock(stream_mutex_);
  StreamImpl* stream = nullptr;
  if (!idle_streams_.empty()) {
    stream = idle_streams_.back();
    idle_streams_.pop_back();
  } else {
    stream = make_stream(*this, static_cast<std::uint32_t>(streams_.size()));
    streams_.push_back(stream);
  }
  has_other_streams_ = true;
  return {stream, [](StreamImpl* done) {
            const std::lock_guard lock(done->device->stream_mutex_);
            done->device->idle_streams_.push_back(done);
          }};
}

void DeviceImpl::push_current_stream(StreamImpl& stream) { t_streams.push_back(&stream); }
void DeviceImpl::pop_current_stream() { t_streams.pop_back(); }

StreamImpl& DeviceImpl::overridden_stream() {
  if (const Recorder* recorder = Recorder::current()) {
    if (&recorder->device() != this)
      refuse_recording(("work on " + label).c_str(),
                       ("the graph is of " + recorder->device().label + ", and a graph has one device").c_str());
    if (t_streams.back() != &recorder->stream())
      refuse_recording("StreamGuard", "a graph is one sequence of work; put the guard around replay() instead");
    return *t_streams.back();
  }
  for (auto at = t_streams.rbegin(); at != t_streams.rend(); ++at)
    if ((*at)->device == this) return **at;
  return *default_stream_;
}

void DeviceImpl::tie(Block& block, StreamImpl& stream) {
  if (stream.recorder != nullptr) return stream.recorder->hold(block);
  StreamImpl* last = block.last_stream.load(std::memory_order_relaxed);
  if (last == nullptr) refuse_never_run();
  tie_streams(*last, stream);
  block.last_stream.store(&stream, std::memory_order_relaxed);
}

void DeviceImpl::refuse_never_run() {
  throw Error(
      ErrorCode::invalid_argument,
      "tensor: it was made while a graph was recorded, and holds nothing yet: call the graph's replay() first, or, "
      "if the recording ended with an error, make the tensor again");
}

void DeviceImpl::tie_streams(StreamImpl& last, StreamImpl& stream) {
  portico_event* event = nullptr;
  check(api.event_create(handle, &event), "tie two streams");
  const EventImpl owner{this, event};
  check(api.event_record(event, last.handle), "tie two streams");
  check(api.stream_wait(stream.handle, event), "tie two streams");
}

void synchronize(StreamImpl& stream) {
  refuse_while_recording("Stream::synchronize", "recorded work runs at replay(), not now");
  check(stream.device->api.stream_synchronize(stream.handle), "synchronize " + stream.device->label);
  stream.device->after_wait();
}

void DeviceImpl::synchronize() {
  refuse_while_recording("Device::synchronize", "recorded work runs at replay(), not now");
  wait_for_streams();
  after_wait();
}

void DeviceImpl::wait_for_streams() {
  std::vector<StreamImpl*> streams;
  {
    const std::lock_guard lock(stream_mutex_);
    streams = streams_;
  }
  for (StreamImpl* stream : streams) check(api.stream_synchronize(stream->handle), "synchronize " + label);
}

// ---- Reports of kernels

const Buffer& DeviceImpl::report_word() {
  std::call_once(report_once_, [this] {
    report_word_ = Access::device(*this).allocate(16);
    report_word_.fill(0, 0, 16);
  });
  return report_word_;
}

void DeviceImpl::expect_report() {
  if (Recorder* recorder = Recorder::current()) return recorder->expect_report();  // each replay expects it
  report_expected_.store(true, std::memory_order_release);
}

void DeviceImpl::read_report() {
  report_expected_.store(false, std::memory_order_release);
  std::array<std::int32_t, 4> word{};
  report_word().read(0, std::as_writable_bytes(std::span(word)));
  if (static_cast<Report>(word[0]) == Report::none) return;
  report_word().fill(0, 0, 16);
  throw Error(ErrorCode::invalid_argument, "cross_entropy: label " + std::to_string(word[1]) + " in row " +
                                               std::to_string(word[2]) + " is not in [0, " + std::to_string(word[3]) +
                                               ") and not ignore_index");
}

}  // namespace portico::detail
