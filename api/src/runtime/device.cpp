// Device, its guards, Stream and Event: thin handles over device_impl.hpp.
#include "portico/device.hpp"

#include "runtime/capture.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/kernel_table.hpp"
#include "runtime/loader.hpp"
#include "runtime/status.hpp"

namespace portico {

using detail::Access;
using detail::DeviceImpl;

Device Device::current() { return Device(&DeviceImpl::current()); }

Device Device::open(std::string_view name) {
  const detail::DeviceName wanted = detail::parse_device_name(name, "Device::open: name");
  return Device(&DeviceImpl::open(wanted.backend, wanted.index));
}

const DeviceInfo& Device::info() const { return impl_->info; }
std::string_view Device::backend() const { return impl_->info.backend; }
std::string_view Device::name() const { return impl_->info.name; }
int Device::index() const { return impl_->info.index; }
std::string Device::label() const { return impl_->label; }

Buffer Device::allocate(std::size_t bytes) const {
  return Access::buffer(impl_->pool.allocate(bytes, impl_->current_stream()), bytes);
}

Kernel Device::kernel(std::string_view file, std::string_view function, const Spec& spec) const {
  const auto& table = detail::kernel_table();
  const auto text = table.find(file);
  if (text == table.end())
    throw Error(ErrorCode::invalid_argument, "kernel: there is no kernels/" + std::string(file) + ".cl in the library");
  return Access::kernel(&impl_->programs.kernel(file, text->second, function, spec));
}

Kernel Device::compile(std::string_view name, std::string_view source, std::string_view function,
                       const Spec& spec) const {
  return Access::kernel(&impl_->programs.kernel(name, source, function, spec));
}

Stream Device::stream() const {
  detail::refuse_while_recording("Device::stream", "a graph is replayed on whatever stream is current then");
  return Access::stream(impl_->share(impl_->current_stream()));
}
Stream Device::create_stream() const { return Access::stream(impl_->create_stream()); }
void Device::synchronize() const { impl_->synchronize(); }
MemoryStats Device::memory() const { return impl_->pool.stats(); }
void Device::reset_peak() const { impl_->pool.reset_peak(); }
void Device::empty_cache() const {
  detail::refuse_while_recording("Device::empty_cache", "it waits for the device");
  impl_->pool.trim();
}

DeviceGuard::DeviceGuard(const Device& device) : previous_(DeviceImpl::exchange_current(&Access::impl(device))) {}
DeviceGuard::~DeviceGuard() { DeviceImpl::exchange_current(previous_); }

Device Stream::device() const { return Access::device(*impl_->device); }
void Stream::synchronize() const { detail::synchronize(*impl_); }
void Stream::wait(const Event& event) const {
  detail::refuse_while_recording("Stream::wait", "wait on the stream that replay() goes to");
  if (event.impl_->device != impl_->device)
    throw Error(ErrorCode::invalid_argument, "Stream::wait: the event is of " + event.impl_->device->label +
                                                 ", the stream of " + impl_->device->label);
  detail::check(impl_->device->api.stream_wait(impl_->handle, event.impl_->handle), "Stream::wait");
}

StreamGuard::StreamGuard(const Stream& stream) { DeviceImpl::push_current_stream(Access::impl(stream)); }
StreamGuard::~StreamGuard() { DeviceImpl::pop_current_stream(); }

Event::Event(const Stream& stream) {
  detail::refuse_while_recording("Event", "mark the stream that replay() goes to");
  DeviceImpl& device = *stream.impl_->device;
  portico_event* handle = nullptr;
  detail::check(device.api.event_create(device.handle, &handle), "Event");
  impl_ = std::make_shared<detail::EventImpl>(&device, handle);
  detail::check(device.api.event_record(handle, stream.impl_->handle), "Event");
}

void Event::synchronize() const {
  detail::refuse_while_recording("Event::synchronize", "recorded work runs at replay(), not now");
  detail::check(impl_->device->api.event_synchronize(impl_->handle), "Event::synchronize");
}

double Event::milliseconds_since(const Event& start) const {
  DeviceImpl& device = *impl_->device;
  if (start.impl_->device != &device)
    throw Error(ErrorCode::invalid_argument, "Event::milliseconds_since: the start is of " +
                                                 start.impl_->device->label + ", the end of " + device.label);
  if ((device.info.feature_bits & PORTICO_FEATURE_TIMING) == 0)
    throw Error(ErrorCode::unsupported, "Event::milliseconds_since: " + device.label + " keeps no device times");
  start.synchronize();
  synchronize();
  double milliseconds = 0;
  detail::check(device.api.event_elapsed(start.impl_->handle, impl_->handle, &milliseconds),
                "Event::milliseconds_since");
  return milliseconds;
}

}  // namespace portico
