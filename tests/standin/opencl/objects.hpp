// How many references to OpenCL's objects the plugin holds.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

namespace portico::standin {

enum Kind { kContexts, kQueues, kBuffers, kMapped, kShared, kPrograms, kKernels, kEvents, kCommandBuffers, kKinds };

inline std::atomic<long> held[kKinds];

/// What a successful call of `function` makes; kKinds for none. Events that a command gives out are not told by name.
constexpr Kind made_by(std::string_view function) {
  if (function == "clCreateContext") return kContexts;
  if (function == "clCreateCommandQueue") return kQueues;
  if (function == "clCreateBuffer") return kBuffers;
  if (function == "clEnqueueMapBuffer") return kMapped;
  if (function == "clSVMAlloc") return kShared;
  if (function.starts_with("clCreateProgram")) return kPrograms;
  if (function == "clCreateKernel") return kKernels;
  if (function == "clCreateCommandBufferKHR") return kCommandBuffers;
  if (function == "clCreateUserEvent" || function == "clRetainEvent") return kEvents;
  return kKinds;
}

/// What it gives back.
constexpr Kind released_by(std::string_view function) {
  if (function == "clReleaseContext") return kContexts;
  if (function == "clReleaseCommandQueue") return kQueues;
  if (function == "clReleaseMemObject") return kBuffers;
  if (function == "clEnqueueUnmapMemObject") return kMapped;
  if (function == "clSVMFree") return kShared;
  if (function == "clReleaseProgram") return kPrograms;
  if (function == "clReleaseKernel") return kKernels;
  if (function == "clReleaseEvent") return kEvents;
  if (function == "clReleaseCommandBufferKHR") return kCommandBuffers;
  return kKinds;
}

}  // namespace portico::standin
