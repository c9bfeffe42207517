// What the operations share: cached kernels, grids, the choice of a kernel's shape.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "portico/autograd.hpp"
#include "portico/device.hpp"
#include "portico/ops.hpp"
#include "tensor/impl.hpp"

namespace portico::detail {

/// The specialisations of one kernel function, each found by a small key: no text is built and no lock taken once a
/// thread has seen it. Make one `static const` per function; `make_spec` runs only for a new key.
///
///   static const KernelFamily kForward("softmax", "softmax_forward");
///   kForward.get(device, key(x.dtype(), group), [&] { return Spec().set(...); })(grid, {...});
class KernelFamily {
 public:
  KernelFamily(const char* file, const char* function);

  template <typename MakeSpec>
  Kernel get(const Device& device, std::uint64_t key, MakeSpec&& make_spec) const {
    if (const Kernel* found = find(device, key)) return *found;
    return insert(device, key, make_spec());
  }

 private:
  const Kernel* find(const Device& device, std::uint64_t key) const;
  Kernel insert(const Device& device, std::uint64_t key, const Spec& spec) const;

  const char* file_;
  const char* function_;
  std::uint32_t id_;
};

/// Packs small numbers (each below 2^16) into a key, first one lowest; at most four.
template <typename... Parts>
constexpr std::uint64_t key(Parts... parts) {
  static_assert(sizeof...(parts) <= 4);
  std::uint64_t result = 0;
  int shift = 0;
  ((result |= static_cast<std::uint64_t>(parts) << shift, shift += 16), ...);
  return result;
}

/// True when the device's kernels take their CPU shape (design: one work-item a group, vectors in registers, no local
/// memory). PORTICO_KERNEL_SHAPE=cpu|gpu overrides it, which is how the GPU shape is tested where there is no GPU; cpu
/// is refused on a device that is none.
bool cpu_shape(const Device& device);

/// From this size on a processor's kernels write their result past the caches (store_past_caches of kernels/lanes.h):
/// few processors would keep that much of it until it is read.
inline constexpr std::int64_t kStreamBytes = 32 << 20;

/// A grid for `count` independent elements, each thread handling every GLOBAL_SIZE-th.
Grid flat_grid(const Device& device, std::int64_t count);

constexpr std::int64_t divide_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// `value` as a kernel's uint argument. Throws `Error{unsupported}` naming the subject beyond 32 bits.
std::uint32_t as_u32(std::int64_t value, const char* subject);

/// A dtype's word in the dialect, for Spec.
inline const char* word(DType dtype) { return name_of(dtype); }

}  // namespace portico::detail
