// The compiler behind the stand-ins' NVRTC and hipRTC: it keeps the text, puts OpenCL's prelude in the place of the
// vendor's, and has the result compiled for its errors.
#pragma once

#include <string>
#include <vector>

namespace portico::standin::rtc {

enum class Outcome { compiled, rejected, invalid_option, invalid_input };

struct Program {
  std::string source, log, code;

  /// `known` options are taken as they are; any other is refused, as the vendors' compilers do. An entry that ends in
  /// `=` stands for all options that begin with it.
  Outcome compile(int option_count, const char* const* options, const std::vector<std::string>& known);
};

/// The vendor's prelude, byte for byte as its plugin puts it in front of a kernel. Each stand-in defines its own.
std::string vendor_prelude();
const char* vendor_word();  ///< what only that prelude defines: "PORTICO_HIP"

}  // namespace portico::standin::rtc
