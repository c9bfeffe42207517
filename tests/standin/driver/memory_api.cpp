// Device memory and pinned memory.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/streams_api.hpp"

namespace portico::standin::api {
namespace {

// Old contents show in results: as floats these are NaN. Large blocks would cost more than they tell.
constexpr std::size_t kPoisoned = std::size_t{1} << 20;

std::uintptr_t number(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

int allocate(void** out, std::size_t bytes) {
  if (!out || bytes == 0) return kInvalidValue;
  if (const int code = forbid_in_capture(nullptr)) return code;
  void* const memory = current_device()->memory.allocate(bytes);
  if (!memory) return kOutOfMemory;
  std::memset(memory, 0xff, std::min(bytes, kPoisoned));
  *out = memory;
  return kOk;
}

// A context that is of no use still takes its memory back here, or no leak could be told from a lost device.
int release(void* memory) {
  if (!memory) return kOk;
  if (const int code = forbid_in_capture(nullptr)) return code;
  Device* const owner = device_of(number(memory), 1);
  if (!owner || !owner->memory.release(memory)) return kInvalidValue;
  return owner->lost();
}

int memory_info(std::size_t* free_bytes, std::size_t* total) {
  if (!free_bytes || !total) return kInvalidValue;
  const Memory& memory = current_device()->memory;
  *total = memory.total();
  *free_bytes = memory.total() - memory.in_use();
  return kOk;
}

int host_allocate(void** out, std::size_t bytes) {
  if (!out || bytes == 0) return kInvalidValue;
  if (const int code = forbid_in_capture(nullptr)) return code;
  void* const memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!memory) return kOutOfMemory;
  Machine& m = machine();
  const std::lock_guard lock(m.pinned_mutex);
  m.pinned.emplace_back(number(memory), bytes);
  *out = memory;
  return kOk;
}

int host_release(void* memory) {
  if (!memory) return kOk;
  Machine& m = machine();
  {
    const std::lock_guard lock(m.pinned_mutex);
    if (std::erase_if(m.pinned, [&](const auto& block) { return block.first == number(memory); }) == 0)
      return kInvalidValue;
  }
  std::free(memory);
  return kOk;
}

int allocate_async(void** out, std::size_t bytes, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (capture_status(*stream) != 0) return forbid_in_capture(stream.get());
  if (!out || bytes == 0) return kInvalidValue;
  void* const memory = stream->device.memory.allocate(bytes);
  if (!memory) return kOutOfMemory;
  std::memset(memory, 0xff, std::min(bytes, kPoisoned));
  *out = memory;
  return kOk;
}

int release_async(void* memory, void* handle) {
  const auto stream = stream_of(handle);
  if (!stream) return kInvalidHandle;
  if (!memory) return kOk;
  if (!device_of(number(memory), 1)) return kInvalidValue;
  return submit(*stream, {nullptr, [device = &stream->device, memory] {
                            return device->memory.release(memory) ? kOk : kIllegalAddress;
                          }});
}

int default_pool(void** out, int device) {
  if (!out) return kInvalidValue;
  if (device < 0 || device >= kDevices) return kInvalidDevice;
  *out = &machine().devices[device];
  return kOk;
}

// The only attribute that anyone sets: how much the pool keeps. This one keeps nothing and remembers no setting.
int pool_set(void* pool, int attribute, const void* value) {
  constexpr int kReleaseThreshold = 4;
  const bool known = std::any_of(std::begin(machine().devices), std::end(machine().devices),
                                 [&](const Device& device) { return pool == &device; });
  return known && value && attribute == kReleaseThreshold ? kOk : kInvalidValue;
}

}  // namespace portico::standin::api
