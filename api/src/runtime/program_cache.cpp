#include "runtime/program_cache.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <vector>

#include "runtime/device_impl.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/environment.hpp"
#include "runtime/log.hpp"
#include "runtime/precompiled.hpp"
#include "runtime/sha256.hpp"
#include "runtime/status.hpp"

namespace portico::detail {

struct Program {
  DeviceImpl* device = nullptr;
  portico_program* handle = nullptr;
  std::string name;
  std::string key;
  std::mutex mutex;                // of what follows
  std::set<std::string> launched;  // kernels that the disk entry holds, or will
  std::map<std::string, std::unique_ptr<KernelImpl>, std::less<>> kernels;
};

namespace {

// Kernels are compiled from exactly this text, and dumps hold it. The marks let a reader, or a test that compiles the
// same kernel for another vendor, take it apart again.
std::string full_text(std::string_view name, std::string_view prelude, std::string_view text, const Spec& spec) {
  std::string source = "// portico kernel: file=";
  source.append(name).append("\n// begin spec\n").append(spec.prefix()).append("// end spec\n// begin prelude\n");
  source.append(prelude).append("// end prelude\n").append(text);
  return source;
}

void dump(const std::string& name, const std::string& key, const char* suffix, std::string_view text) {
  const auto folder = variable("PORTICO_DUMP");
  if (!folder) return;
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  const auto path = std::filesystem::path(*folder) / (name + "." + key.substr(0, 16) + suffix);
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file) throw Error(ErrorCode::io, "PORTICO_DUMP: " + path.string() + " cannot be written");
}

// Names from users become file names.
std::string plain(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  return result;
}

// An entry's payload: the names of the kernels that had been launched, a line each, an empty line, the driver's binary.
bool load(const DeviceImpl& device, Program& program) {
  const auto payload = DiskCache::instance().load(program.key);
  if (!payload) return false;
  const std::string_view text(reinterpret_cast<const char*>(payload->data()), payload->size());
  std::size_t at = 0;
  for (std::size_t end; (end = text.find('\n', at)) != std::string_view::npos && end != at; at = end + 1)
    program.launched.emplace(text.substr(at, end - at));
  const std::string_view binary = text.substr(std::min(at + 1, text.size()));
  if (device.api.program_load(device.handle, {binary.data(), binary.size()}, &program.handle) == PORTICO_OK)
    return true;
  log(PORTICO_LOG_INFO,
      "cached program of " + program.name + " does not load and is compiled again: " + take_message());
  program.launched.clear();
  return false;
}

}  // namespace

std::shared_ptr<Program> ProgramCache::build(const std::string& name, const std::string& key,
                                             const std::string& source) {
  const auto& api = device_.api;
  auto made = std::make_shared<Program>();
  made->device = &device_;
  made->name = name;
  made->key = key;
  dump(name, key, ".cl", source);

  if (load(device_, *made)) return made;
  if (const auto ready = find_precompiled(api, device_.handle, source)) {
    if (api.program_load(device_.handle, {ready->data(), ready->size()}, &made->handle) == PORTICO_OK) return made;
    log(PORTICO_LOG_INFO, "precompiled program of " + name + " does not load and is compiled again: " + take_message());
  }
  log(PORTICO_LOG_DEBUG, "compiling " + name + " for " + device_.label);
  const portico_status status = api.program_compile(device_.handle, {source.data(), source.size()}, &made->handle);
  if (status != PORTICO_OK) {
    const std::string message = take_message();
    dump(name, key, ".log", message);
    if (status == PORTICO_COMPILE_FAILED)
      throw Error(ErrorCode::compile_failed, "kernel file " + name + " does not compile on " + device_.label +
                                                 " (PORTICO_DUMP=<folder> keeps the text):\n" + message);
    throw Error(status == PORTICO_DEVICE_LOST ? ErrorCode::device_lost : ErrorCode::internal,
                "compile " + name + " on " + device_.label + ": " + message);
  }
  return made;
}

std::shared_ptr<Program> ProgramCache::program(std::string_view name, std::string_view text, const Spec& spec) {
  const auto& prelude = device_.api.prelude;
  const std::string source = full_text(name, {static_cast<const char*>(prelude.data), prelude.size}, text, spec);
  Sha256 hash;
  for (const std::string_view field : {std::string_view("portico program 2"), std::string_view(device_.info.backend),
                                       std::string_view(device_.info.arch), std::string_view(device_.info.name),
                                       std::string_view(device_.info.toolchain), std::string_view(source)})
    hash.field(field);
  const std::string key = hash.hex();

  std::promise<Outcome> promise;
  {
    std::unique_lock lock(mutex_);
    if (const auto at = programs_.find(key); at != programs_.end()) {
      const auto pending = at->second;
      lock.unlock();
      const Outcome& outcome = pending.get();  // another thread may be compiling it; its failure is ours too
      if (outcome.program == nullptr) throw Error(outcome.code, outcome.message);
      return outcome.program;
    }
    programs_.emplace(key, promise.get_future().share());
  }
  try {
    auto made = build(plain(name), key, source);
    promise.set_value({.program = made});
    return made;
  } catch (const std::exception& failure) {
    const auto* error = dynamic_cast<const Error*>(&failure);
    promise.set_value({.code = error != nullptr ? error->code() : ErrorCode::internal, .message = failure.what()});
    const std::lock_guard lock(mutex_);
    programs_.erase(key);  // a later call tries again: memory or a compiler may be back
    throw;
  }
}

KernelImpl& ProgramCache::kernel(std::string_view name, std::string_view text, std::string_view function,
                                 const Spec& spec) {
  const auto made = program(name, text, spec);
  const std::lock_guard lock(made->mutex);
  if (const auto at = made->kernels.find(function); at != made->kernels.end()) return *at->second;

  const std::string function_name(function);
  portico_kernel* handle = nullptr;
  check(device_.api.kernel_create(made->handle, function_name.c_str(), &handle),
        "kernel " + function_name + " of " + made->name + " on " + device_.label);
  std::uint32_t arg_count = UINT32_MAX;
  if (device_.api.kernel_arg_count != nullptr && device_.api.kernel_arg_count(handle, &arg_count) != PORTICO_OK)
    arg_count = UINT32_MAX;
  std::unique_ptr<KernelImpl> impl(new KernelImpl{
      .device = &device_, .handle = handle, .program = made.get(), .name = function_name, .arg_count = arg_count});
  return *made->kernels.emplace(function_name, std::move(impl)).first->second;
}

bool note_launched(KernelImpl& kernel) {
  kernel.launched.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(kernel.program->mutex);
  return kernel.program->launched.insert(kernel.name).second;
}

void store_program(Program& program) {
  const auto& api = program.device->api;
  std::string payload;
  {
    const std::lock_guard lock(program.mutex);
    for (const std::string& name : program.launched) payload += name + "\n";
  }
  payload += "\n";
  std::size_t size = 0;
  if (api.program_binary(program.handle, &size, nullptr) != PORTICO_OK || size == 0) return;
  const std::size_t head = payload.size();
  payload.resize(head + size);
  if (api.program_binary(program.handle, &size, payload.data() + head) != PORTICO_OK) return;
  payload.resize(head + size);
  DiskCache::instance().store(program.key, std::as_bytes(std::span(payload)));
}

}  // namespace portico::detail
