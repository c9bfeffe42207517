#include "source_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace portico::test {

namespace fs = std::filesystem;

std::vector<std::string> source_files(const fs::path& root, const std::string& folder) {
  static const std::set<std::string> kEndings = {".cpp", ".hpp", ".h", ".cl", ".c"};
  std::vector<std::string> found;
  if (!fs::exists(root / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder))
    if (entry.is_regular_file() && kEndings.count(entry.path().extension().string()) != 0)
      found.push_back(fs::relative(entry.path(), root).generic_string());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Line> read_lines(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::vector<Line> lines;
  for (std::string text; std::getline(in, text);) lines.push_back({static_cast<int>(lines.size()) + 1, text});
  return lines;
}

std::vector<Line> without_comments(std::vector<Line> lines) {
  bool in_block = false;
  for (Line& line : lines) {
    std::string code;
    char quote = 0;
    for (std::size_t i = 0; i < line.text.size(); ++i) {
      const char c = line.text[i];
      const char next = i + 1 < line.text.size() ? line.text[i + 1] : '\0';
      if (in_block) {
        if (c == '*' && next == '/') {
          in_block = false;
          ++i;
        }
      } else if (quote != 0) {
        code += c;
        if (c == '\\' && next != '\0') {
          code += next;
          ++i;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '/' && next == '/') {
        break;
      } else if (c == '/' && next == '*') {
        in_block = true;
        ++i;
      } else {
        // An apostrophe between digits separates them; it opens no character.
        const bool separator = c == '\'' && !code.empty() && std::isdigit(static_cast<unsigned char>(code.back()));
        if ((c == '"' || c == '\'') && !separator) quote = c;
        code += c;
      }
    }
    line.text = code;
  }
  return lines;
}

TemporaryTree::TemporaryTree() {
  std::string pattern = (fs::temp_directory_path() / "portico-structure-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  root_ = pattern;
}

TemporaryTree::~TemporaryTree() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void TemporaryTree::add(const std::string& path, const std::string& text) const {
  fs::create_directories((root_ / path).parent_path());
  std::ofstream(root_ / path) << text;
}

}  // namespace portico::test
