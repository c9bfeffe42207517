// api/ holds no vendor's name in its code but for the loader's one line of preference.
#include <regex>

#include "catch.hpp"
#include "source_tree.hpp"

using namespace portico::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> vendor_names(const fs::path& root) {
  static const std::regex kVendor(
      "(^|[^A-Za-z])(cuda|hip|opencl|nvidia|amd|intel|pocl|cublas|cublaslt|cudnn|rocm|rocblas|clblast|nvrtc|hiprtc|"
      "miopen)"
      "([^a-z]|$)",
      std::regex::icase);
  std::vector<std::string> found;
  for (const std::string& path : source_files(root, "api"))
    for (const Line& line : without_comments(read_lines(root / path)))
      if (std::regex_search(line.text, kVendor))
        found.push_back(path + ":" + std::to_string(line.number) + ":" + line.text);
  return found;
}

}  // namespace

TEST_CASE("api names no vendor but in the loader's line of preference") {
  std::vector<std::string> found = vendor_names(PORTICO_SOURCE_TREE);
  std::string all;
  for (const std::string& line : found) all += line + "\n";
  INFO(all);
  REQUIRE(found.size() == 1);
  CHECK(std::regex_search(found[0], std::regex("^api/src/runtime/.*\"cuda\".*\"hip\".*\"opencl\"")));
}

TEST_CASE("the check of vendors' names sees code, not comments or other words") {
  TemporaryTree tree;
  tree.add("api/src/ops/good.cpp", "// cuda\nint relationship, chip, camden, hipster; /* HIP\n OpenCL */\n");
  CHECK(vendor_names(tree.root()).empty());
  tree.add("api/src/ops/bad.cpp", "const char* a = \"cuda\";\nvoid use_OpenCL();\nint is_amd = 0;\nint hip_device;\n");
  CHECK(vendor_names(tree.root()).size() == 4);
}
