// Reading the source tree: its files, their lines, and their code without comments and texts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace portico::test {

struct Line {
  int number = 0;
  std::string text;
};

/// Files below root/folder with a source's ending (.cpp .hpp .h .cl .c), as paths relative to root, sorted.
std::vector<std::string> source_files(const std::filesystem::path& root, const std::string& folder);

std::vector<Line> read_lines(const std::filesystem::path& file);

/// The same lines with comments blanked out; string literals stay.
std::vector<Line> without_comments(std::vector<Line> lines);

/// A folder of its own that is gone at the end of the scope: for made-up trees.
class TemporaryTree {
 public:
  TemporaryTree();
  ~TemporaryTree();
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;
  void add(const std::string& path, const std::string& text) const;
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace portico::test
