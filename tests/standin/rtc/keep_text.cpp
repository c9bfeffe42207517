#include "tests/standin/rtc/keep_text.hpp"

#include <algorithm>

#include "opencl_prelude.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/driver/opencl_executor.hpp"

namespace portico::standin::rtc {

Outcome Program::compile(int option_count, const char* const* options, const std::vector<std::string>& known) {
  if (option_count < 0 || (option_count > 0 && !options)) return Outcome::invalid_input;
  for (int i = 0; i < option_count; ++i) {
    const std::string option = options[i];
    const bool fine = std::any_of(known.begin(), known.end(), [&](const std::string& one) {
      return one.ends_with('=') ? option.starts_with(one) && option.size() > one.size() : option == one;
    });
    if (!fine) {
      log = "error: unrecognized option " + option + " found";
      return Outcome::invalid_option;
    }
  }
  const std::string theirs = vendor_prelude();
  const std::size_t at = source.find(theirs);
  if (at == std::string::npos) {
    log = std::string("error: the text does not hold the plugin's prelude (") + vendor_word() +
          "), and this stand-in knows no other spelling";
    return Outcome::rejected;
  }
  std::string text = source;
  text.replace(
      at, theirs.size(),
      std::string(reinterpret_cast<const char*>(opencl_prelude::kPreludeText), sizeof opencl_prelude::kPreludeText));
  log = opencl::try_build(text, profile().shared);
  if (!log.empty()) return Outcome::rejected;
  code = opencl::kMagic + text;
  code.push_back('\0');
  return Outcome::compiled;
}

}  // namespace portico::standin::rtc
