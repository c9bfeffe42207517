// Copies and fills: checked when they are called, and again when they run, because memory may be gone by then.
#include <cstring>
#include <memory>
#include <vector>

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"

namespace portico::standin::api {
namespace {

std::uintptr_t number(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

bool is_pinned(const void* memory, std::size_t bytes) {
  Machine& m = machine();
  const std::lock_guard lock(m.pinned_mutex);
  for (const auto& [begin, size] : m.pinned)
    if (number(memory) >= begin && number(memory) + bytes <= begin + size) return true;
  return false;
}

bool has(Device& device, const void* memory, std::size_t bytes, const char* what) {
  return holds(device, number(memory), bytes, what);
}

}  // namespace

// From pageable memory a driver takes a copy before it returns; pinned memory it reads when the copy's turn comes.
int upload(void* to, const void* from, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (bytes == 0) return kOk;
  if (!from || !has(stream->device, to, bytes, "copy to the device")) return kInvalidValue;
  std::shared_ptr<std::vector<char>> taken;
  if (capture_status(*stream) == 0 && !is_pinned(from, bytes))
    taken = std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
  return submit(*stream, {nullptr, [device = &stream->device, to, from, bytes, taken] {
                            if (!has(*device, to, bytes, "copy to the device")) return kIllegalAddress;
                            std::memcpy(to, taken ? taken->data() : from, bytes);
                            device->memory.mark_written(to, bytes);
                            return kOk;
                          }});
}

int download(void* to, const void* from, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (bytes == 0) return kOk;
  if (!to || !has(stream->device, from, bytes, "copy from the device")) return kInvalidValue;
  const bool waits = capture_status(*stream) == 0 && !is_pinned(to, bytes);
  const int code = submit(*stream, {nullptr, [device = &stream->device, to, from, bytes] {
                                      if (!has(*device, from, bytes, "copy from the device")) return kIllegalAddress;
                                      std::memcpy(to, from, bytes);
                                      return kOk;
                                    }});
  if (code != kOk || !waits) return code;
  stream->drain();
  return stream->device.lost();
}

int copy(void* to, const void* from, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (bytes == 0) return kOk;
  Device& device = stream->device;
  if (!has(device, to, bytes, "copy's target") || !has(device, from, bytes, "copy's source")) return kInvalidValue;
  if (number(to) < number(from) + bytes && number(from) < number(to) + bytes) {
    std::fprintf(stderr, "stand-in: a copy of %zu bytes onto itself; its result is not defined\n", bytes);
    return kInvalidValue;
  }
  return submit(*stream, {nullptr, [&device, to, from, bytes] {
                            if (!has(device, to, bytes, "copy's target") || !has(device, from, bytes, "copy's source"))
                              return kIllegalAddress;
                            std::memcpy(to, from, bytes);
                            device.memory.copy_shadow(to, from, bytes);
                            return kOk;
                          }});
}

int copy_peer(void* to, int to_device, const void* from, int from_device, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (to_device < 0 || to_device >= kDevices || from_device < 0 || from_device >= kDevices) return kInvalidDevice;
  if (bytes == 0) return kOk;
  Device& target = machine().devices[to_device];
  Device& source = machine().devices[from_device];
  if (!has(target, to, bytes, "peer copy's target") || !has(source, from, bytes, "peer copy's source"))
    return kInvalidValue;
  return submit(*stream,
                {nullptr, [&target, &source, to, from, bytes] {
                   if (!has(target, to, bytes, "peer copy's target") || !has(source, from, bytes, "peer copy's source"))
                     return kIllegalAddress;
                   std::memcpy(to, from, bytes);
                   target.memory.copy_shadow(to, source.memory, from, bytes);
                   return kOk;
                 }});
}

int fill8(void* to, unsigned char value, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (bytes == 0) return kOk;
  if (!has(stream->device, to, bytes, "fill")) return kInvalidValue;
  return submit(*stream, {nullptr, [device = &stream->device, to, value, bytes] {
                            if (!has(*device, to, bytes, "fill")) return kIllegalAddress;
                            std::memset(to, value, bytes);
                            device->memory.mark_written(to, bytes);
                            return kOk;
                          }});
}

int fill32(void* to, std::uint32_t pattern, std::size_t words, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (number(to) % 4 != 0) return kInvalidValue;
  if (words == 0) return kOk;
  if (!has(stream->device, to, 4 * words, "fill")) return kInvalidValue;
  return submit(*stream, {nullptr, [device = &stream->device, to, pattern, words] {
                            if (!has(*device, to, 4 * words, "fill")) return kIllegalAddress;
                            std::fill_n(static_cast<std::uint32_t*>(to), words, pattern);
                            device->memory.mark_written(to, 4 * words);
                            return kOk;
                          }});
}

}  // namespace portico::standin::api
