// Modules, their functions, and launches.
#include <cstring>

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/graph.hpp"
#include "tests/standin/driver/launches.hpp"
#include "tests/standin/driver/streams_api.hpp"

namespace portico::standin::api {

int module_load(void** out, const void* data) {
  if (!out || !data) return kInvalidValue;
  std::shared_ptr<Image> image;
  if (const int code = load_image(data, image)) return code;
  auto module = std::make_shared<Module>();
  module->device = current_device();
  module->image = std::move(image);
  *out = machine().modules.add(std::move(module));
  return kOk;
}

// Work that is still queued keeps what it needs of the image, but that is this stand-in's courtesy: a driver takes the
// code away. So work in flight is told of.
int module_unload(void* handle) {
  const auto module = machine().modules.remove(handle);
  if (!module) return kInvalidHandle;
  const std::lock_guard lock(module->mutex);
  for (void* const function : module->functions) machine().functions.remove(function);
  return module->device->lost();
}

int module_find(void** out, void* handle, const char* name) {
  const auto module = machine().modules.find(handle);
  if (!module) return kInvalidHandle;
  if (!out || !name) return kInvalidValue;
  auto kernel = module->image->find(name);
  if (!kernel) return kNotFound;
  auto function = std::make_shared<Function>();
  function->device = module->device;
  function->kernel = std::move(kernel);
  *out = machine().functions.add(std::move(function));
  const std::lock_guard lock(module->mutex);
  module->functions.push_back(*out);
  return kOk;
}

int parameter(void* handle, std::size_t index, std::size_t* offset, std::size_t* size) {
  const auto function = machine().functions.find(handle);
  if (!function) return kInvalidHandle;
  const auto& sizes = function->kernel->parameters;
  if (index >= sizes.size() || !offset) return kInvalidValue;
  *offset = 0;
  for (std::size_t i = 0; i <= index; ++i) {
    *offset = (*offset + sizes[i] - 1) / sizes[i] * sizes[i];
    if (i < index) *offset += sizes[i];
  }
  if (size) *size = sizes[index];
  return kOk;
}

int make_call(void* handle, const LaunchShape& shape, void** arguments, void** extra, Device& device,
              std::shared_ptr<const Call>& out) {
  const auto function = machine().functions.find(handle);
  if (!function || function->device != &device) return kInvalidHandle;
  if (extra) return kUnsupported;
  const Profile& limits = profile();
  const Kernel& kernel = *function->kernel;
  std::uint64_t threads = 1;
  for (int d = 0; d < 3; ++d) {
    if (shape.grid[d] == 0 || shape.block[d] == 0 || shape.block[d] > limits.max_threads) return kInvalidValue;
    if (d > 0 && shape.grid[d] > limits.max_grid_yz) return kInvalidValue;
    if (limits.threads_in_32_bits && std::uint64_t{shape.grid[d]} * shape.block[d] > UINT32_MAX) return kInvalidValue;
    threads *= shape.block[d];
  }
  if (shape.grid[0] > INT32_MAX || shape.block[2] > limits.max_block_z || threads > limits.max_threads)
    return kInvalidValue;
  if (kernel.static_shared + shape.shared_bytes > limits.shared) return kInvalidValue;
  if (kernel.max_threads > 0 &&
      (threads > kernel.max_threads || (kernel.exact_threads && threads != kernel.max_threads))) {
    std::fprintf(stderr, "stand-in: kernel %s is made for %u threads a block, launched with %llu\n",
                 kernel.name.c_str(), kernel.max_threads, static_cast<unsigned long long>(threads));
    return kLaunchOutOfResources;
  }
  if (!arguments && !kernel.parameters.empty()) return kInvalidValue;

  auto call = std::make_shared<Call>();
  call->kernel = function->kernel;
  std::copy_n(shape.grid, 3, call->grid);
  std::copy_n(shape.block, 3, call->block);
  call->dynamic_shared = shape.shared_bytes;
  std::size_t end = 0;
  call->offsets.reserve(kernel.parameters.size());
  for (const std::size_t size : kernel.parameters) {
    end = (end + 15) / 16 * 16;
    call->offsets.push_back(end);
    end += size;
  }
  call->bytes.resize(end);
  for (std::size_t i = 0; i < kernel.parameters.size(); ++i) {
    if (!arguments[i]) return kInvalidValue;
    std::memcpy(call->bytes.data() + call->offsets[i], arguments[i], kernel.parameters[i]);
  }
  out = std::move(call);
  return kOk;
}

int launch(void* function, const LaunchShape& shape, void* handle, void** arguments, void** extra) {
  const auto stream = stream_of(handle);
  if (!stream || &stream->device != current_device()) return kInvalidHandle;
  std::shared_ptr<const Call> call;
  if (const int code = make_call(function, shape, arguments, extra, stream->device, call)) return code;
  return submit(*stream, {std::move(call), nullptr});
}

}  // namespace portico::standin::api
