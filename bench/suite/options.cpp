#include "suite/options.hpp"

#include <charconv>
#include <sstream>
#include <string_view>

#include "portico/error.hpp"

namespace portico::bench {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

double seconds(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0))
    throw Error(ErrorCode::invalid_argument, "--time " + text + ": expected seconds, more than 0");
  return value;
}

}  // namespace

SuiteOptions take_options(int& argc, char** argv) {
  SuiteOptions options;
  int kept = 1;
  for (int i = 0; i < argc; ++i) options.command += (i == 0 ? "" : " ") + std::string(argv[i]);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const bool ours = name == "--suite" || name == "--time" || name == "--devices";
    if (argument == "--flush") {
      options.flush = true;
    } else if (ours) {
      if (equals == std::string::npos && i + 1 >= argc)
        throw Error(ErrorCode::invalid_argument, name + " needs a value (--help lists the options)");
      const std::string value = equals != std::string::npos ? argument.substr(equals + 1) : argv[++i];
      if (name == "--suite") options.suites = split(value);
      if (name == "--time") options.time = seconds(value);
      if (name == "--devices") options.devices = split(value);
      if (name == "--suite" && options.suites.empty())
        throw Error(ErrorCode::invalid_argument, "--suite needs a name: quick, full, or that of a list");
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  argv[argc] = nullptr;
  if (options.suites.empty() && (options.time > 0 || options.flush || !options.devices.empty()))
    throw Error(ErrorCode::invalid_argument, "--time, --devices and --flush belong to --suite, which is not given");
  return options;
}

}  // namespace portico::bench
