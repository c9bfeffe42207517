#include "google_flags.hpp"

#include <fstream>
#include <iterator>

namespace portico::bench {

GoogleFlags google_flags() {
  GoogleFlags flags;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(file), {});
  for (std::size_t at = 0; at < all.size();) {
    const std::string word = all.c_str() + at;
    at += word.size() + 1;
    const auto value_of = [&](const char* name, std::string& value) {
      const std::string prefix = std::string("--benchmark_") + name + "=";
      if (word.rfind(prefix, 0) == 0) value = word.substr(prefix.size());
    };
    value_of("out", flags.out);
    value_of("out_format", flags.out_format);
    value_of("format", flags.format);
    if (word.rfind("--benchmark_list_tests", 0) == 0)
      flags.list = word != "--benchmark_list_tests=false" && word != "--benchmark_list_tests=0";
  }
  return flags;
}

}  // namespace portico::bench
