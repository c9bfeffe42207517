// NVRTC for machines that have none: the text is kept (rtc/keep_text.hpp). Where the real one is, tests use that.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "backends/cuda/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/rtc/keep_text.hpp"

using portico::standin::Table;
namespace rtc = portico::standin::rtc;

namespace {

// NVRTC's own codes.
enum { kSuccess = 0, kInvalidInput = 3, kInvalidProgram = 4, kInvalidOption = 5, kCompilation = 6 };

Table<rtc::Program>& programs() {
  static auto& table = *new Table<rtc::Program>;
  return table;
}

constexpr int kArchs[] = {75, 80, 86, 89, 90};

int size_of(cuda::Program handle, std::size_t* size) {
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  if (program->code.empty() || !size) return kInvalidInput;
  *size = program->code.size();
  return kSuccess;
}
int code_of(cuda::Program handle, char* out) {
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  if (program->code.empty() || !out) return kInvalidInput;
  std::memcpy(out, program->code.data(), program->code.size());
  return kSuccess;
}

}  // namespace

STANDIN_EXPORT int nvrtcVersion(int* major, int* minor) {
  STANDIN_ENTER(nothing);
  if (!major || !minor) return kInvalidInput;
  *major = 12;
  *minor = 0;
  return kSuccess;
}
STANDIN_EXPORT const char* nvrtcGetErrorString(int code) {
  switch (code) {
    case kSuccess:
      return "NVRTC_SUCCESS";
    case 1:
      return "NVRTC_ERROR_OUT_OF_MEMORY";
    case kInvalidInput:
      return "NVRTC_ERROR_INVALID_INPUT";
    case kInvalidProgram:
      return "NVRTC_ERROR_INVALID_PROGRAM";
    case kInvalidOption:
      return "NVRTC_ERROR_INVALID_OPTION";
    case kCompilation:
      return "NVRTC_ERROR_COMPILATION";
    default:
      return "NVRTC_ERROR_INTERNAL_ERROR";
  }
}
STANDIN_EXPORT int nvrtcGetNumSupportedArchs(int* count) {
  STANDIN_ENTER(nothing);
  if (!count) return kInvalidInput;
  *count = static_cast<int>(std::size(kArchs));
  return kSuccess;
}
STANDIN_EXPORT int nvrtcGetSupportedArchs(int* archs) {
  STANDIN_ENTER(nothing);
  if (!archs) return kInvalidInput;
  std::copy(std::begin(kArchs), std::end(kArchs), archs);
  return kSuccess;
}
STANDIN_EXPORT int nvrtcCreateProgram(cuda::Program* out, const char* source, const char*, int headers,
                                      const char* const*, const char* const*) {
  STANDIN_ENTER(nothing);
  if (!out || !source || headers != 0) return kInvalidInput;
  auto program = std::make_shared<rtc::Program>();
  program->source = source;
  *out = static_cast<cuda::Program>(programs().add(std::move(program)));
  ++portico::standin::machine().others;
  return kSuccess;
}
STANDIN_EXPORT int nvrtcDestroyProgram(cuda::Program* program) {
  STANDIN_ENTER(nothing);
  if (!program || !programs().remove(*program)) return kInvalidProgram;
  --portico::standin::machine().others;
  *program = nullptr;
  return kSuccess;
}
STANDIN_EXPORT int nvrtcCompileProgram(cuda::Program handle, int option_count, const char* const* options) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  switch (program->compile(option_count, options, {"--gpu-architecture=", "--std=c++17", "--fmad=true"})) {
    case rtc::Outcome::compiled:
      return kSuccess;
    case rtc::Outcome::rejected:
      return kCompilation;
    case rtc::Outcome::invalid_option:
      return kInvalidOption;
    case rtc::Outcome::invalid_input:
      break;
  }
  return kInvalidInput;
}
STANDIN_EXPORT int nvrtcGetProgramLogSize(cuda::Program handle, std::size_t* size) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  *size = program->log.size() + 1;
  return kSuccess;
}
STANDIN_EXPORT int nvrtcGetProgramLog(cuda::Program handle, char* out) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  std::memcpy(out, program->log.c_str(), program->log.size() + 1);
  return kSuccess;
}
STANDIN_EXPORT int nvrtcGetPTXSize(cuda::Program handle, std::size_t* size) {
  STANDIN_ENTER(nothing);
  return size_of(handle, size);
}
STANDIN_EXPORT int nvrtcGetPTX(cuda::Program handle, char* out) {
  STANDIN_ENTER(nothing);
  return code_of(handle, out);
}
// The same text: this compiler makes neither.
STANDIN_EXPORT int nvrtcGetCUBINSize(cuda::Program handle, std::size_t* size) {
  STANDIN_ENTER(nothing);
  return size_of(handle, size);
}
STANDIN_EXPORT int nvrtcGetCUBIN(cuda::Program handle, char* out) {
  STANDIN_ENTER(nothing);
  return code_of(handle, out);
}
