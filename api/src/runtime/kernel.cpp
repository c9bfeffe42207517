// The launch path: no allocation, no text and, with one stream, no lock.
#include <array>
#include <bit>

#include "portico/device.hpp"
#include "runtime/capture.hpp"
#include "runtime/debug.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/program_saver.hpp"
#include "runtime/status.hpp"
#include "runtime/trace.hpp"

namespace portico {
namespace {

using detail::Access;
using detail::Block;
using detail::DeviceImpl;
using detail::KernelImpl;

constexpr std::size_t kMaxArgs = 128;

[[noreturn]] void refuse(const KernelImpl& kernel, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "kernel " + kernel.name + ": " + why);
}

void check_grid(const KernelImpl& kernel, const Grid& grid) {
  const std::uint64_t threads = std::uint64_t{grid.local.x} * grid.local.y * grid.local.z;
  if (threads == 0 || threads > kernel.device->info.max_group_size)
    refuse(kernel, "a group of " + std::to_string(grid.local.x) + "x" + std::to_string(grid.local.y) + "x" +
                       std::to_string(grid.local.z) + " threads; " + kernel.device->label + " takes 1 to " +
                       std::to_string(kernel.device->info.max_group_size));
}

}  // namespace

Arg::Arg(float value) : bits(std::bit_cast<std::uint32_t>(value)), size(4) {}

Arg::Arg(const Buffer& memory, std::size_t first, std::size_t element_size)
    : buffer(&memory), size(static_cast<std::uint32_t>(element_size)), first_element(first) {}

void Kernel::launch(const Grid& grid, std::span<const Arg> args) const {
  if (impl_ == nullptr) throw Error(ErrorCode::invalid_argument, "kernel: an empty Kernel was launched");
  KernelImpl& kernel = *impl_;
  DeviceImpl& device = *kernel.device;
  check_grid(kernel, grid);
  if (args.size() > kMaxArgs || (kernel.arg_count != UINT32_MAX && args.size() != kernel.arg_count))
    refuse(kernel, std::to_string(args.size()) + " arguments were given, it takes " +
                       (kernel.arg_count == UINT32_MAX ? "at most " + std::to_string(kMaxArgs)
                                                       : std::to_string(kernel.arg_count)));
  if (grid.groups.x == 0 || grid.groups.y == 0 || grid.groups.z == 0) return;

  const auto lock = device.lock_streams();
  detail::StreamImpl& stream = device.current_stream();
  std::array<portico_arg, kMaxArgs> raw;  // only the first args.size() are filled and read
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Arg& arg = args[i];
    raw[i].size = arg.size;
    raw[i].offset = arg.first_element;
    if (arg.buffer == nullptr) {
      raw[i].kind = PORTICO_ARG_SCALAR;
      raw[i].value.bits = arg.bits;
      continue;
    }
    Block* block = Access::block(*arg.buffer);
    if (block == nullptr) refuse(kernel, "argument " + std::to_string(i) + " is an empty buffer");
    if (block->device != &device)
      refuse(kernel, "argument " + std::to_string(i) + " lies on " + block->device->label + ", the kernel is of " +
                         device.label);
    device.use(*block, stream);
    raw[i].kind = PORTICO_ARG_BUFFER;
    raw[i].value.buffer = block->handle;
  }
  const portico_launch call = {.struct_size = sizeof call,
                               .groups = {grid.groups.x, grid.groups.y, grid.groups.z},
                               .local = {grid.local.x, grid.local.y, grid.local.z},
                               .arg_count = static_cast<std::uint32_t>(args.size()),
                               .args = raw.data()};
  if (stream.recorder != nullptr) [[unlikely]] {
    detail::check(stream.recorder->launch(kernel, call), "record kernel " + kernel.name);
    return;
  }
  const auto launch_it = [&] { return device.api.launch(stream.handle, kernel.handle, &call); };
  const portico_status status =
      detail::trace_enabled() ? detail::trace_call(stream, kernel.name, launch_it) : launch_it();
  if (status != PORTICO_OK) [[unlikely]]
    detail::fail(status, "kernel " + kernel.name + " on " + device.label);
  if (!kernel.launched.load(std::memory_order_relaxed)) [[unlikely]]
    detail::save_later(kernel);
  if (detail::debug_enabled()) [[unlikely]]
    detail::check(device.api.stream_synchronize(stream.handle), "PORTICO_DEBUG: after kernel " + kernel.name);
}

}  // namespace portico
