// The kernel lookup of the hot path, grids, and which shape kernels take.
#include "ops/common.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <vector>

#include "runtime/device_impl.hpp"
#include "runtime/environment.hpp"

namespace portico::detail {
namespace {

// A thread's own open-addressing table from (family, device, key) to kernel: no lock, one probe as a rule. It is a
// cache in front of the device's program cache, so threads share the compiled kernels themselves.
class KernelTable {
 public:
  const Kernel* find(std::uint32_t family, const DeviceImpl* device, std::uint64_t key) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash(family, device, key) & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (!slot.kernel) return nullptr;
      if (slot.key == key && slot.family == family && slot.device == device) return &slot.kernel;
    }
  }

  void insert(std::uint32_t family, const DeviceImpl* device, std::uint64_t key, Kernel kernel) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    place({key, device, family, kernel});
    ++count_;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    const DeviceImpl* device = nullptr;
    std::uint32_t family = 0;
    Kernel kernel;
  };

  static std::size_t hash(std::uint32_t family, const DeviceImpl* device, std::uint64_t key) {
    std::uint64_t h = (key ^ reinterpret_cast<std::uintptr_t>(device)) + std::uint64_t{family} * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
  }

  void place(const Slot& slot) {
    std::size_t at = hash(slot.family, slot.device, slot.key) & mask_;
    while (slots_[at].kernel) at = (at + 1) & mask_;
    slots_[at] = slot;
  }

  void grow() {
    const std::vector<Slot> before = std::move(slots_);
    slots_ = std::vector<Slot>(std::max<std::size_t>(256, before.size() * 2));
    mask_ = slots_.size() - 1;
    for (const Slot& slot : before)
      if (slot.kernel) place(slot);
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

thread_local KernelTable t_kernels;

std::atomic<std::uint32_t> g_families{0};

enum class WantedShape { automatic, cpu, gpu };

WantedShape wanted_shape() {
  static const auto wanted =
      static_cast<WantedShape>(variable_choice("PORTICO_KERNEL_SHAPE", {"auto", "cpu", "gpu"}, 0));
  return wanted;
}

}  // namespace

KernelFamily::KernelFamily(const char* file, const char* function)
    : file_(file), function_(function), id_(g_families.fetch_add(1)) {}

const Kernel* KernelFamily::find(const Device& device, std::uint64_t key) const {
  return t_kernels.find(id_, &Access::impl(device), key);
}

Kernel KernelFamily::insert(const Device& device, std::uint64_t key, const Spec& spec) const {
  const Kernel kernel = device.kernel(file_, function_, spec);
  t_kernels.insert(id_, &Access::impl(device), key, kernel);
  return kernel;
}

bool cpu_shape(const Device& device) {
  const bool cpu = device.info().is_cpu();
  switch (wanted_shape()) {
    case WantedShape::gpu:
      return false;
    case WantedShape::cpu:
      if (!cpu)
        throw Error(ErrorCode::invalid_argument,
                    "PORTICO_KERNEL_SHAPE=cpu: " + device.label() + " is no CPU; unset it, or take auto or gpu");
      return true;
    case WantedShape::automatic:
      break;
  }
  return cpu;
}

Grid flat_grid(const Device& device, std::int64_t count) {
  const DeviceInfo& info = device.info();
  const std::int64_t local = std::min<std::uint32_t>(256, info.max_group_size);
  // Enough groups to fill the device several times over; the kernels' loops take what is left.
  const std::int64_t most = std::int64_t{std::max(info.compute_units, 1u)} * 16;
  Grid grid;
  grid.local.x = static_cast<std::uint32_t>(local);
  grid.groups.x = static_cast<std::uint32_t>(std::min(divide_up(count, local), most));
  return grid;
}

std::uint32_t as_u32(std::int64_t value, const char* subject) {
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::unsupported, std::string(subject) + ": " + std::to_string(value) +
                                            " elements are more than a kernel counts (4294967295); split the tensor");
  return static_cast<std::uint32_t>(value);
}

}  // namespace portico::detail
