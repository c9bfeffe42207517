// The hot path: no allocation, no lock, no text.
#include "backends/cuda_hip/slots.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {

using plugin::guarded;

namespace {

// A kernel's parameters fill 4 KiB at most on either vendor, and none is narrower than a word of 4 bytes in practice.
constexpr uint32_t kMostArguments = 512;

std::string triple(const uint32_t* values) {
  return "[" + std::to_string(values[0]) + "," + std::to_string(values[1]) + "," + std::to_string(values[2]) + "]";
}

[[gnu::cold, gnu::noinline]] void fail_launch(vendor::Result code, const portico_kernel* kernel,
                                              const portico_launch* call) {
  fail_with(code, "launching " + kernel->name + " with groups " + triple(call->groups) + " of " + triple(call->local) +
                      " and " + std::to_string(call->arg_count) + " arguments");
}

}  // namespace

portico_status launch(portico_stream* stream, portico_kernel* kernel, const portico_launch* call) {
  return guarded([&] {
    if (call->arg_count > kMostArguments) [[unlikely]]
      throw plugin::Failure{PORTICO_INTERNAL, std::string(vendor::kName) + ": " + kernel->name + ": " +
                                                  std::to_string(call->arg_count) + " arguments, the most is " +
                                                  std::to_string(kMostArguments)};
    // A pointer is one argument here: IN and OUT carry no offset of their own. Not initialised: only arg_count are
    // used.
    uint64_t values[kMostArguments];
    void* slots[kMostArguments];
    for (uint32_t i = 0; i < call->arg_count; ++i) {
      const portico_arg& arg = call->args[i];
      values[i] = arg.kind == PORTICO_ARG_BUFFER ? arg.value.buffer->address + arg.offset * arg.size : arg.value.bits;
      slots[i] = &values[i];
    }
    stream->device->make_current();
    const vendor::Result code = vendor::launch(kernel->function, call->groups, call->local, stream->stream, slots);
    if (code != vendor::kOk) [[unlikely]]
      fail_launch(code, kernel, call);
  });
}

}  // namespace portico::cuda_hip
