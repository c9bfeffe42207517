// Buffer: transfers, checked here once, and tied to the stream that last used the memory.
#include <vector>

#include "portico/device.hpp"
#include "runtime/capture.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/status.hpp"

namespace portico {
namespace {

using detail::Access;
using detail::Block;
using detail::DeviceImpl;

// The buffer's block after checking that [offset, offset + bytes) lies in it.
Block& range(const Buffer& buffer, const char* subject, std::size_t offset, std::size_t bytes) {
  Block* block = Access::block(buffer);
  if (block == nullptr) throw Error(ErrorCode::invalid_argument, std::string(subject) + ": the buffer is empty");
  if (offset > buffer.size() || bytes > buffer.size() - offset)
    throw Error(ErrorCode::invalid_argument, std::string(subject) + ": bytes [" + std::to_string(offset) + ", " +
                                                 std::to_string(offset) + " + " + std::to_string(bytes) +
                                                 ") do not lie in a buffer of " + std::to_string(buffer.size()));
  return *block;
}

}  // namespace

Device Buffer::device() const { return Access::device(*range(*this, "Buffer::device", 0, 0).device); }

void Buffer::write(std::size_t offset, std::span<const std::byte> bytes) const {
  Block& block = range(*this, "Buffer::write", offset, bytes.size());
  if (bytes.empty()) return;
  DeviceImpl& device = *block.device;
  const auto lock = device.lock_streams();
  detail::StreamImpl& stream = device.current_stream();
  if (stream.recorder != nullptr)
    detail::refuse_recording("Buffer::write", "every replay would write these same bytes; write them before replay()");
  device.use(block, stream);
  detail::check(device.api.write(stream.handle, block.handle, offset, bytes.data(), bytes.size()), "Buffer::write");
}

void Buffer::read(std::size_t offset, std::span<std::byte> bytes) const {
  Block& block = range(*this, "Buffer::read", offset, bytes.size());
  if (bytes.empty()) return;
  DeviceImpl& device = *block.device;
  {
    const auto lock = device.lock_streams();
    detail::StreamImpl& stream = device.current_stream();
    if (stream.recorder != nullptr)
      detail::refuse_recording("Buffer::read", "what it reads comes about when the graph runs; read after replay()");
    device.use(block, stream);
    detail::check(device.api.read(stream.handle, block.handle, offset, bytes.data(), bytes.size()), "Buffer::read");
  }
  device.after_wait();
}

void Buffer::copy_from(std::size_t offset, const Buffer& source, std::size_t source_offset, std::size_t bytes) const {
  Block& to = range(*this, "Buffer::copy_from", offset, bytes);
  Block& from = range(source, "Buffer::copy_from: source", source_offset, bytes);
  if (bytes == 0) return;
  DeviceImpl& device = *to.device;
  if (from.device != &device) {
    std::vector<std::byte> host(bytes);
    source.read(source_offset, host);
    write(offset, host);
    return;
  }
  const auto lock = device.lock_streams();
  detail::StreamImpl& stream = device.current_stream();
  device.use(from, stream);
  device.use(to, stream);
  detail::check(stream.recorder != nullptr
                    ? stream.recorder->copy(to.handle, offset, from.handle, source_offset, bytes)
                    : device.api.copy(stream.handle, to.handle, offset, from.handle, source_offset, bytes),
                "Buffer::copy_from");
}

void Buffer::fill(std::size_t offset, std::uint32_t pattern, std::size_t bytes) const {
  Block& block = range(*this, "Buffer::fill", offset, bytes);
  if (offset % 4 != 0 || bytes % 4 != 0)
    throw Error(ErrorCode::invalid_argument, "Buffer::fill: offset " + std::to_string(offset) + " and size " +
                                                 std::to_string(bytes) + " must be multiples of 4");
  if (bytes == 0) return;
  DeviceImpl& device = *block.device;
  const auto lock = device.lock_streams();
  detail::StreamImpl& stream = device.current_stream();
  device.use(block, stream);
  detail::check(stream.recorder != nullptr ? stream.recorder->fill(block.handle, offset, pattern, bytes)
                                           : device.api.fill(stream.handle, block.handle, offset, pattern, bytes),
                "Buffer::fill");
}

// While recording every version is another one: what was derived from the contents before must be made again inside the
// graph, whose replays see other contents, and what was derived inside holds nothing outside of it.
std::uint64_t Buffer::version() const noexcept {
  constexpr int kRecordingShift = 40;
  if (block_ == nullptr) return 0;
  const detail::Recorder* recorder = detail::Recorder::current();
  return block_->version.load(std::memory_order_relaxed) +
         (recorder == nullptr ? 0 : recorder->number() << kRecordingShift);
}

void Buffer::bump_version() const noexcept {
  if (block_ == nullptr) return;
  block_->version.fetch_add(1, std::memory_order_relaxed);
  if (detail::Recorder* recorder = detail::Recorder::current()) recorder->changed(*block_);
}

}  // namespace portico
