// The top level is fixed, and every folder with sources explains itself.
#include <filesystem>
#include <set>
#include <string>

#include "catch.hpp"
#include "source_tree.hpp"

using namespace portico::test;
namespace fs = std::filesystem;

namespace {

// Names that stand at the top and should not. Dot-files and build are nobody's business here, nor are the files that a
// user's own runs leave behind: only folders, sources and texts are judged.
std::set<std::string> strangers(const fs::path& root) {
  static const std::set<std::string> kFixed = {
      "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "api",  "backends", "bench",
      "cmake",          "examples",          "kernels", "tests",     "build"};
  static const std::set<std::string> kJudged = {".cpp", ".hpp",   ".h",  ".c",  ".cl", ".cu",
                                                ".hip", ".cmake", ".sh", ".py", ".md", ".txt"};
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name[0] == '.' || kFixed.count(name)) continue;
    if (entry.is_directory() || kJudged.count(entry.path().extension().string())) found.insert(name);
  }
  return found;
}

// Folders with sources but no README.md. The public headers are api/README.md's, the made-up project is its parent's.
std::set<std::string> unexplained(const fs::path& root) {
  std::set<std::string> found;
  for (const char* top : {"api", "backends", "kernels", "tests", "bench", "examples", "cmake"})
    for (const std::string& file : source_files(root, top)) {
      const std::string folder = fs::path(file).parent_path().generic_string();
      if (folder.rfind("api/include", 0) == 0 || folder.rfind("tests/consumer/project", 0) == 0) continue;
      if (!fs::exists(root / folder / "README.md")) found.insert(folder);
    }
  return found;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

}  // namespace

TEST_CASE("the top level holds what the design names") { CHECK(joined(strangers(PORTICO_SOURCE_TREE)) == ""); }

TEST_CASE("every folder with sources has a README") { CHECK(joined(unexplained(PORTICO_SOURCE_TREE)) == ""); }

TEST_CASE("the checks of folders see what breaks them") {
  TemporaryTree tree;
  tree.add("api/README.md", "");
  tree.add("api/a.cpp", "");
  tree.add(".ci/run", "");
  tree.add("model.safetensors", "");
  CHECK(joined(strangers(tree.root())) == "");
  CHECK(joined(unexplained(tree.root())) == "");
  tree.add("api/deep/b.cpp", "");
  tree.add("t.cl", "");
  tree.add("python/setup.cfg", "");
  CHECK(joined(strangers(tree.root())) == "python t.cl ");
  CHECK(joined(unexplained(tree.root())) == "api/deep ");
}
