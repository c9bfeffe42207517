#include "tests/standin/rtc/keep_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "opencl_prelude.hpp"
#include "tests/standin/driver/device.hpp"
#include "tests/standin/driver/opencl_executor.hpp"

namespace portico::standin::rtc {
namespace {

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin), to = end.empty() ? text.size() : text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.substr(from + begin.size(), to - from - begin.size());
}

// What the host will believe of the kernels, in a file named after their text: tests/kernel_compile holds it against
// what the vendor's real compiler makes of the same text.
void record(const std::string& source, const std::string& kernels) {
  const char* folder = std::getenv("PORTICO_STANDIN_RECORD");
  if (!folder || !*folder) return;
  const std::string text =
      between(source, "// begin spec\n", "// end spec\n") + between(source, "// end prelude\n", "");
  std::uint64_t digest = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string file = std::string(folder) + "/" + std::to_string(digest);
  const std::string fresh = file + "." + std::to_string(getpid());
  std::ofstream(fresh) << kernels;
  std::filesystem::rename(fresh, file, error);
}

}  // namespace

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
  std::string kernels;
  log = opencl::try_build(text, profile().shared, kernels);
  if (!log.empty()) return Outcome::rejected;
  record(source, kernels);
  code = opencl::kMagic + text;
  code.push_back('\0');
  return Outcome::compiled;
}

}  // namespace portico::standin::rtc
