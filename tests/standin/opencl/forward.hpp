// What happens to every call: counted, failed if that is asked for, else made, and what it makes or gives back is
// noted.
#pragma once

#include <atomic>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "tests/standin/driver/faults.hpp"
#include "tests/standin/opencl/loader.hpp"
#include "tests/standin/opencl/objects.hpp"

namespace portico::standin {

/// The code that ended the device's work, or CL_SUCCESS.
inline std::atomic<int> lost{CL_SUCCESS};

constexpr bool ends_device(int code) {
  constexpr int kNvidiaFault = -9999;
  return code == CL_DEVICE_NOT_AVAILABLE || code == kNvidiaFault;
}

/// Whether a lost device fails `function`: questions about objects are still answered.
constexpr bool needs_device(std::string_view function) {
  for (const char* beginning :
       {"clCreate", "clEnqueue", "clBuildProgram", "clSVMAlloc", "clFlush", "clFinish", "clWaitForEvents"})
    if (function.starts_with(beginning)) return true;
  return false;
}

template <typename Result>
bool succeeded(Result result) {
  if constexpr (std::is_same_v<Result, cl_int>)
    return result == CL_SUCCESS;
  else
    return result != nullptr;
}

/// A function that `Named` names (kName) and finds behind the layer (real()), with the type of OpenCL's.
template <typename Named, typename Function>
struct Forward;

template <typename Named, typename Result, typename... Args>
struct Forward<Named, Result(CL_API_CALL*)(Args...)> {
  static constexpr Kind kMade = made_by(Named::kName);
  static constexpr Kind kReleased = released_by(Named::kName);

  static Result CL_API_CALL call(Args... args) {
    static Calls& calls = calls_of(Named::kName);
    int code = count_call(calls);
    if (ends_device(code)) lost = code;
    if (code == CL_SUCCESS && needs_device(Named::kName)) code = lost;
    const auto function = Named::real();
    if (!function) code = CL_PLATFORM_NOT_FOUND_KHR;
    if (code != CL_SUCCESS && (!function || kReleased == kKinds)) return answer(code, args...);
    if constexpr (std::is_void_v<Result>) {
      if (gives_back(args...)) --held[kReleased];  // clSVMFree alone
      function(args...);
    } else {
      const Result result = function(args...);
      if (succeeded(result)) {
        if (kMade != kKinds) ++held[kMade];
        if (kReleased != kKinds) --held[kReleased];
        (note_event(args), ...);
      }
      if constexpr (std::is_same_v<Result, cl_int>)
        if (code != CL_SUCCESS) return code;
      return result;
    }
  }

 private:
  // As OpenCL answers: a code, or null and the code through the last parameter where there is such a one.
  static Result answer(int code, Args... args) {
    if constexpr (std::is_same_v<Result, cl_int>) {
      return code;
    } else if constexpr (!std::is_void_v<Result>) {
      const auto last = std::get<sizeof...(Args) - 1>(std::tuple<Args...>(args...));
      if constexpr (std::is_same_v<decltype(last), cl_int* const>)
        if (last) *last = code;
      return nullptr;
    }
  }

  // The event of a command, for callers that want it; waits take a pointer to const.
  template <typename Arg>
  static void note_event(Arg arg) {
    if constexpr (std::is_same_v<Arg, cl_event*>)
      if (arg && *arg) ++held[kEvents];
  }

  static bool gives_back(cl_context, void* memory) { return memory != nullptr; }
};

}  // namespace portico::standin
