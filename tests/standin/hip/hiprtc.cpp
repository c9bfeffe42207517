// hipRTC, as far as the plugin uses it: the text is kept (rtc/keep_text.hpp). Real hipRTC compiles the same texts in
// another test.
#include <cstring>

#include "backends/hip/api.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/export.hpp"
#include "tests/standin/rtc/keep_text.hpp"

using portico::standin::Table;
namespace rtc = portico::standin::rtc;

namespace {

// hipRTC's own codes.
enum { kSuccess = 0, kInvalidInput = 3, kInvalidProgram = 4, kInvalidOption = 5, kCompilation = 6 };

Table<rtc::Program>& programs() {
  static auto& table = *new Table<rtc::Program>;
  return table;
}

}  // namespace

STANDIN_EXPORT int hiprtcVersion(int* major, int* minor) {
  STANDIN_ENTER(nothing);
  if (!major || !minor) return kInvalidInput;
  *major = 9;
  *minor = 0;
  return kSuccess;
}
STANDIN_EXPORT const char* hiprtcGetErrorString(int code) {
  switch (code) {
    case kSuccess:
      return "HIPRTC_SUCCESS";
    case 1:
      return "HIPRTC_ERROR_OUT_OF_MEMORY";
    case kInvalidInput:
      return "HIPRTC_ERROR_INVALID_INPUT";
    case kInvalidProgram:
      return "HIPRTC_ERROR_INVALID_PROGRAM";
    case kInvalidOption:
      return "HIPRTC_ERROR_INVALID_OPTION";
    case kCompilation:
      return "HIPRTC_ERROR_COMPILATION";
    default:
      return "HIPRTC_ERROR_INTERNAL_ERROR";
  }
}
STANDIN_EXPORT int hiprtcCreateProgram(hip::Program* out, const char* source, const char*, int headers, const char**,
                                       const char**) {
  STANDIN_ENTER(nothing);
  if (!out || !source || headers != 0) return kInvalidInput;
  auto program = std::make_shared<rtc::Program>();
  program->source = source;
  *out = static_cast<hip::Program>(programs().add(std::move(program)));
  ++portico::standin::machine().others;
  return kSuccess;
}
STANDIN_EXPORT int hiprtcDestroyProgram(hip::Program* program) {
  STANDIN_ENTER(nothing);
  if (!program || !programs().remove(*program)) return kInvalidProgram;
  --portico::standin::machine().others;
  *program = nullptr;
  return kSuccess;
}
STANDIN_EXPORT int hiprtcCompileProgram(hip::Program handle, int option_count, const char** options) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  switch (program->compile(
      option_count, options,
      {"--offload-arch=gfx90a:sramecc+:xnack-", "--offload-arch=gfx90a", "-std=c++17", "-O3", "-ffp-contract=fast"})) {
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
STANDIN_EXPORT int hiprtcGetProgramLogSize(hip::Program handle, std::size_t* size) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  *size = program->log.size() + 1;
  return kSuccess;
}
STANDIN_EXPORT int hiprtcGetProgramLog(hip::Program handle, char* out) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  std::memcpy(out, program->log.c_str(), program->log.size() + 1);
  return kSuccess;
}
STANDIN_EXPORT int hiprtcGetCodeSize(hip::Program handle, std::size_t* size) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  if (program->code.empty()) return kInvalidInput;
  *size = program->code.size();
  return kSuccess;
}
STANDIN_EXPORT int hiprtcGetCode(hip::Program handle, char* out) {
  STANDIN_ENTER(nothing);
  const auto program = programs().find(handle);
  if (!program) return kInvalidProgram;
  if (program->code.empty()) return kInvalidInput;
  std::memcpy(out, program->code.data(), program->code.size());
  return kSuccess;
}
