// What the built libraries export and what they ask for: read from the files by nm, so that no loader's choice can hide
// it.
#include <array>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  REQUIRE(pclose(pipe) == 0);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The dynamic symbols' names, without version. Sanitizers add names of their own, which are not ours to judge.
std::vector<std::string> symbols(const fs::path& library, const std::string& which) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(std::string(PORTICO_NM) + " -D " + which + " '" + library.string() + "'")) {
    std::string name = line.substr(line.find_last_of(' ') + 1);
    name = name.substr(0, name.find('@'));
    if (!std::regex_search(name, std::regex("^_*(asan|tsan|ubsan|lsan|sanitizer|odr_asan)_"))) names.push_back(name);
  }
  return names;
}

fs::path plugin_folder() { return fs::path(PORTICO_LIBRARY).parent_path() / "portico"; }

std::vector<fs::path> plugins() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(plugin_folder()))
    if (entry.path().extension() == ".so") found.push_back(entry.path());
  return found;
}

const std::regex kVendorSymbol(
    "^(cl[A-Z]|CLBlast|cu[A-Z]|cuda[A-Z]|nvrtc|cublas|cudnn|hip[A-Z]|hiprtc|rocblas|miopen|nccl)");

}  // namespace

TEST_CASE("all three plugins are built") {
  std::vector<std::string> names;
  for (const fs::path& plugin : plugins()) names.push_back(plugin.filename().string());
  for (const char* name : {"libportico_cuda.so", "libportico_hip.so", "libportico_opencl.so"}) {
    INFO(name << " in " << plugin_folder());
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}

TEST_CASE("a plugin exports its entry and nothing else") {
  for (const fs::path& plugin : plugins()) {
    INFO(plugin);
    CHECK(symbols(plugin, "--defined-only") == std::vector<std::string>{"portico_backend_v1"});
  }
}

TEST_CASE("the library exports names of namespace portico only") {
  const std::vector<std::string> names = symbols(PORTICO_LIBRARY, "--defined-only");
  CHECK(names.size() > 100);
  const std::regex ours("^_Z(N|NK|TIN|TSN|TVN|TTN|GVN|Th?n?[0-9]*_N)7portico");
  std::string others;
  for (const std::string& name : names)
    if (!std::regex_search(name, ours)) others += name + "\n";
  CHECK(others == "");
}

TEST_CASE("neither the library nor a plugin asks the linker for a vendor's function") {
  std::vector<fs::path> libraries = plugins();
  libraries.push_back(PORTICO_LIBRARY);
  for (const fs::path& library : libraries) {
    std::string wanted;
    const std::vector<std::string> undefined = symbols(library, "--undefined-only");
    CHECK(undefined.size() > 5);  // the C library's at least: an empty list would prove nothing
    for (const std::string& name : undefined)
      if (std::regex_search(name, kVendorSymbol)) wanted += name + "\n";
    INFO(library);
    CHECK(wanted == "");
  }
}

TEST_CASE("the pattern of vendors' functions knows them") {
  for (const char* name : {"clCreateContext", "CLBlastSgemm", "cuInit", "cudaMalloc", "nvrtcCompileProgram",
                           "cublasLtMatmul", "hipMalloc", "hiprtcCompileProgram", "rocblas_sgemm"})
    CHECK(std::regex_search(std::string(name), kVendorSymbol));
  for (const char* name : {"close", "clock_gettime", "current", "clearerr"})
    CHECK_FALSE(std::regex_search(std::string(name), kVendorSymbol));
}
