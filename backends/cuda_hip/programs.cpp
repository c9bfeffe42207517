// Programs and kernels: text to machine code by the vendor's run-time compiler, machine code to functions.
#include <cstring>
#include <sstream>
#include <string_view>

#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::Failure;
using plugin::guarded;

LoadedModule::LoadedModule(portico_device& owner, const void* image) : device(&owner) {
  device->make_current();
  const vendor::Result code = vendor::load(&module, image);
  // What the compiler passed may be too much for the device: shared memory, registers.
  if (code == vendor::kRefusedText)
    throw Failure{PORTICO_COMPILE_FAILED,
                  std::string(vendor::kName) + ": the driver does not take the program: " + vendor::error_text(code)};
  check(code, "loading a program");
}

// Kernels of it may still be queued, and an unloaded module takes its code away.
LoadedModule::~LoadedModule() {
  guarded([&] {
    device->make_current();
    vendor::synchronize_device();
    vendor::unload(module);
  });
}

namespace {

struct Job {
  vendor::Compilation handle{};
  ~Job() { vendor::compile_end(&handle); }
};

std::string log_of(vendor::Compilation job) {
  std::size_t size = 0;
  if (vendor::log_size(job, &size) != vendor::kCompiled || size == 0) return {};
  std::string log(size, '\0');
  if (vendor::log_text(job, log.data()) != vendor::kCompiled) return {};
  log.resize(std::strlen(log.c_str()));
  return log;
}

void compiler_must(vendor::CompileResult code, const char* what) {
  if (code == vendor::kCompiled) return;
  throw Failure{PORTICO_INTERNAL, std::string(vendor::kName) + ": " + what + ": " + vendor::compile_text(code)};
}

std::vector<char> image_of(const DeviceFacts& facts, const std::string& text) {
  static std::mutex one_at_a_time;
  std::unique_lock lock(one_at_a_time, std::defer_lock);
  if (!vendor::kCompilesInParallel) lock.lock();

  Job job;
  compiler_must(vendor::compile_begin(&job.handle, text.c_str()), "starting the compiler");
  const vendor::CompileResult code = vendor::compile(job.handle, facts.target);
  if (code != vendor::kCompiled) {
    std::string log = log_of(job.handle);
    if (log.empty()) log = vendor::compile_text(code);
    throw Failure{PORTICO_COMPILE_FAILED, std::move(log)};
  }
  std::size_t size = 0;
  compiler_must(vendor::image_size(job.handle, facts.target, &size), "asking for the size of the compiled program");
  std::vector<char> image(size);
  compiler_must(vendor::image(job.handle, facts.target, image.data()), "fetching the compiled program");
  return image;
}

// Whether `name`, up to the features that may follow a colon, is a word of `names`.
bool listed(const std::string& names, std::string_view name) {
  std::istringstream words(names);
  for (std::string word; words >> word;)
    if (word == name.substr(0, name.find(':'))) return true;
  return false;
}

portico_program* loaded(portico_device& device, std::vector<char> image) {
  auto program = std::make_unique<portico_program>();
  program->device = &device;
  program->image = std::move(image);
  program->image.push_back('\0');  // PTX is text, and its end is a zero
  program->module = std::make_shared<LoadedModule>(device, program->image.data());
  program->image.pop_back();
  return program.release();
}

}  // namespace

portico_status program_compile(portico_device* device, portico_bytes source, portico_program** out) {
  return guarded([&] {
    if (!vendor::no_compiler().empty())
      throw Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) +
                                             ": not among the kernels compiled beforehand for " + device->facts.arch +
                                             ", and there is " + vendor::no_compiler()};
    if (device->facts.target.empty())
      throw Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) + ": the run-time compiler does not know " +
                                             device->facts.arch + " (" + device->facts.toolchain + ")"};
    const std::string text(static_cast<const char*>(source.data), source.size);
    *out = loaded(*device, image_of(device->facts, text));
  });
}

portico_status program_load(portico_device* device, portico_bytes binary, portico_program** out) {
  return guarded([&] {
    const char* data = static_cast<const char*>(binary.data);
    *out = loaded(*device, std::vector<char>(data, data + binary.size));
  });
}

portico_status program_binary(portico_program* program, size_t* size, void* out) {
  return guarded([&] {
    if (out) std::memcpy(out, program->image.data(), program->image.size());
    *size = program->image.size();
  });
}

void program_destroy(portico_program* program) { delete program; }

portico_status kernel_create(portico_program* program, const char* name, portico_kernel** out) {
  return guarded([&] {
    program->device->make_current();
    auto kernel = std::make_unique<portico_kernel>();
    kernel->module = program->module;
    kernel->name = name;
    const vendor::Result code = vendor::find(&kernel->function, program->module->module, name);
    if (code == vendor::kNotFound)
      throw Failure{PORTICO_COMPILE_FAILED, std::string(vendor::kName) + ": the program has no kernel " + name};
    if (code != vendor::kOk) fail_with(code, "finding the kernel " + kernel->name);
    *out = kernel.release();
  });
}

void kernel_destroy(portico_kernel* kernel) { delete kernel; }

portico_status kernel_arg_count(portico_kernel* kernel, uint32_t* out) {
  return guarded([&] {
    kernel->module->device->make_current();
    check(vendor::parameter_count(kernel->function, out), "asking for a kernel's parameters");
  });
}

portico_status binary_targets(portico_device* device, char* out, size_t size) {
  return guarded([&] {
    const std::string targets = vendor::binary_targets(device->facts);
    if (targets.size() >= size) throw Failure{PORTICO_INTERNAL, std::string(vendor::kName) + ": too many targets"};
    std::memcpy(out, targets.c_str(), targets.size() + 1);
  });
}

portico_status compile_for(const char* target, portico_bytes source, void* context,
                           void (*take)(void* context, portico_bytes binary)) {
  return guarded([&] {
    vendor::open_compiler_alone();
    const std::string known = vendor::compile_targets();
    if (!listed(known, target))
      throw Failure{PORTICO_UNSUPPORTED, std::string(vendor::kName) +
                                             ": the run-time compiler is not known to compile for " + target +
                                             "; it compiles for " + known};
    DeviceFacts facts;
    facts.target = target;
    const std::vector<char> image = image_of(facts, {static_cast<const char*>(source.data), source.size});
    take(context, {image.data(), image.size()});
  });
}

}  // namespace portico::cuda_hip
