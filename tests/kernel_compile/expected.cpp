#include "expected.hpp"

#include <sstream>

namespace portico::test {

std::map<std::string, std::string> words_of(const std::string& spec) {
  std::map<std::string, std::string> words;
  std::istringstream lines(spec);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string define, name, value;
    if (fields >> define >> name >> value && define == "#define") words[name] = value;
  }
  return words;
}

Expected expected_of(const std::string& file, const std::string& spec) {
  const auto words = words_of(spec);
  const auto number = [&](const char* name) {
    const auto found = words.find(name);
    return found == words.end() ? 0 : std::stoi(found->second);
  };
  Expected expected;
  if (file == "gemm") {
    expected.vectors = number("VEC") == 1;
    expected.threads = number("BM") / number("TM") * (number("BN") / number("TN"));
    const bool small_share = number("TM") == 4;
    // Where vectors move in large shares: the project's bar. Elsewhere what the shares and the addresses of single
    // elements leave.
    expected.density = expected.vectors ? (small_share ? 0.70 : 0.85) : (small_share ? 0.50 : 0.79);
    expected.amd_density = expected.vectors ? (small_share ? 0.70 : 0.85) : (small_share ? 0.59 : 0.80);
    if (expected.threads == 256)
      expected.groups = expected.vectors || small_share ? 2 : 1;
    else
      expected.groups = 5;
  } else if (file == "conv" && number("CPU_SHAPE") == 0) {
    expected.vectors = number("VEC") == 1;
    expected.threads = number("BM") / number("TM") * (number("KB") / number("TN"));
    expected.density = expected.vectors ? (number("KB") == 64 ? 0.75 : 0.62) : 0.40;
    expected.amd_density = 0.60;
    expected.groups = 2;
  }
  return expected;
}

}  // namespace portico::test
