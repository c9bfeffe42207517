// Device memory, pinned host memory, and the copies between them.
#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::guarded;

namespace {

vendor::Pointer place(const portico_buffer* buffer, size_t offset) {
  return vendor::pointer_at(buffer->address + offset);
}

// True when the address was put aside: a stream captures, and neither waiting nor freeing is allowed now.
template <typename Address>
bool defer(portico_device& device, std::vector<Address>& list, Address address) {
  const std::lock_guard lock(device.deferred_mutex);
  if (device.captures == 0) return false;
  list.push_back(address);
  return true;
}

}  // namespace

// Memory may be given back while work that uses it is queued; neither driver promises to wait for that in every
// version.
void settle(const portico_device& device) {
  device.make_current();
  if (device.captures == 0) vendor::synchronize_device();
}

void release_deferred(portico_device& device) {
  std::vector<std::uint64_t> addresses;
  std::vector<void*> pinned;
  {
    const std::lock_guard lock(device.deferred_mutex);
    addresses.swap(device.deferred);
    pinned.swap(device.deferred_host);
  }
  if (addresses.empty() && pinned.empty()) return;
  settle(device);
  for (const std::uint64_t address : addresses) vendor::release(vendor::pointer_at(address));
  for (void* memory : pinned) vendor::host_release(memory);
}

portico_status buffer_create(portico_device* device, size_t bytes, portico_buffer** out) {
  return guarded([&] {
    device->make_current();
    auto buffer = std::make_unique<portico_buffer>();
    buffer->device = device;
    vendor::Pointer pointer{};
    const vendor::Result code = vendor::allocate(&pointer, bytes > 0 ? bytes : 1);
    if (code != vendor::kOk) fail_with(code, "allocating " + std::to_string(bytes) + " bytes");
    buffer->address = vendor::address(pointer);
    *out = buffer.release();
  });
}

void buffer_destroy(portico_buffer* buffer) {
  guarded([&] {
    const std::unique_ptr<portico_buffer> owned(buffer);
    if (defer(*buffer->device, buffer->device->deferred, buffer->address)) return;
    settle(*buffer->device);
    vendor::release(place(buffer, 0));  // a failure here is an earlier one of the device, reported where it happened
  });
}

portico_status buffer_create_ordered(portico_stream* stream, size_t bytes, portico_buffer** out) {
  return guarded([&] {
    if (!vendor::has_ordered_memory())
      throw plugin::Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) + ": the driver has no pool of memory"};
    portico_device& device = *stream->device;
    device.make_current();
    std::call_once(device.ordered_once, [&] {
      check(vendor::keep_ordered_memory(device.index), "asking the driver's pool to keep memory");
    });
    auto buffer = std::make_unique<portico_buffer>();
    buffer->device = &device;
    vendor::Pointer pointer{};
    const vendor::Result code = vendor::allocate_ordered(&pointer, bytes > 0 ? bytes : 1, stream->stream);
    if (code != vendor::kOk) fail_with(code, "allocating " + std::to_string(bytes) + " bytes from the driver's pool");
    buffer->address = vendor::address(pointer);
    *out = buffer.release();
  });
}

void buffer_destroy_ordered(portico_stream* stream, portico_buffer* buffer) {
  guarded([&] {
    const std::unique_ptr<portico_buffer> owned(buffer);
    stream->device->make_current();
    vendor::release_ordered(place(buffer, 0), stream->stream);  // as buffer_destroy
  });
}

portico_status write(portico_stream* stream, portico_buffer* dst, size_t offset, const void* src, size_t bytes) {
  return guarded([&] {
    const std::lock_guard lock(stream->mutex);
    stream->device->make_current();
    const bool large = bytes >= Transfers::kSmallest && !stream->device->facts.unified_memory;
    if (large && stream->uploads.upload(stream->stream, dst->address + offset, src, bytes)) return;
    stream->staging.upload(stream->stream, dst->address + offset, src, bytes);
  });
}

portico_status read(portico_stream* stream, const portico_buffer* src, size_t offset, void* dst, size_t bytes) {
  return guarded([&] {
    stream->device->make_current();
    const bool large = bytes >= Transfers::kSmallest && bytes <= Transfers::kLargestDownload;
    if (large && !stream->device->facts.unified_memory) {
      const std::lock_guard lock(stream->download_mutex);
      if (stream->downloads.download(stream->stream, dst, src->address + offset, bytes)) return;
    }
    if (bytes > 0) check(vendor::download(dst, place(src, offset), bytes, stream->stream), "read");
    check(vendor::stream_synchronize(stream->stream), "read");
  });
}

portico_status copy(portico_stream* stream, portico_buffer* dst, size_t dst_offset, const portico_buffer* src,
                    size_t src_offset, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    stream->device->make_current();
    check(vendor::copy(place(dst, dst_offset), place(src, src_offset), bytes, stream->stream), "copy");
  });
}

portico_status fill(portico_stream* stream, portico_buffer* dst, size_t offset, uint32_t pattern, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    stream->device->make_current();
    check(vendor::fill(place(dst, offset), pattern, bytes / 4, stream->stream), "fill");
  });
}

portico_status host_create(portico_device* device, size_t bytes, void** out) {
  return guarded([&] {
    device->make_current();
    void* memory = nullptr;
    const vendor::Result code = vendor::host_allocate(&memory, bytes > 0 ? bytes : 1);
    if (code != vendor::kOk) fail_with(code, "allocating " + std::to_string(bytes) + " bytes of pinned memory");
    *out = memory;
  });
}

void host_destroy(portico_device* device, void* memory) {
  guarded([&] {
    if (defer(*device, device->deferred_host, memory)) return;
    settle(*device);
    vendor::host_release(memory);
  });
}

}  // namespace portico::cuda_hip
