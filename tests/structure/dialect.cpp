#include "dialect.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "source_tree.hpp"

namespace portico::test {

namespace fs = std::filesystem;

namespace {

// What OpenCL C has by itself and the others define.
const std::set<std::string> kBuiltIn = {"uint", "ulong", "ushort", "uchar", "INFINITY", "NAN", "rsqrt"};

std::set<std::string> names(const std::vector<Word>& words) {
  std::set<std::string> result;
  for (const Word& word : words) result.insert(word.name);
  return result;
}

}  // namespace

std::vector<Word> dialect_words(const fs::path& prelude) {
  static const std::regex kMacro(R"(^#\s*define\s+([A-Za-z_]\w*)(\(([^)]*)\))?)");
  static const std::regex kFunction(R"(^FN\s+[\w\s\*]*?(\w+)\s*\()");
  static const std::regex kStruct(R"(^struct\s+(\w+))");
  static const std::regex kTypedef(R"(^typedef\s.*?(\w+)\s*;\s*$)");
  std::vector<Word> words;
  std::set<std::string> seen;
  for (const Line& line : without_comments(read_lines(prelude))) {
    std::smatch match;
    Word word;
    if (std::regex_search(line.text, match, kMacro)) {
      word.name = match[1];
      if (match[2].matched) {
        const std::string list = match[3];
        word.parameters = list.empty() ? 0 : static_cast<int>(std::count(list.begin(), list.end(), ',')) + 1;
      }
    } else if (std::regex_search(line.text, match, kFunction) || std::regex_search(line.text, match, kStruct) ||
               std::regex_search(line.text, match, kTypedef)) {
      word.name = match[1];
    } else {
      continue;
    }
    if (word.name.rfind("PORTICO_", 0) == 0) continue;  // the mark that says which prelude this is
    if (seen.insert(word.name).second) words.push_back(word);
  }
  return words;
}

std::vector<std::string> dialect_violations(const fs::path& root) {
  const std::vector<std::string> preludes = {"opencl", "cuda", "hip"};
  std::map<std::string, std::vector<Word>> words;
  std::map<std::string, int> count;
  for (const std::string& name : preludes) {
    words[name] = dialect_words(root / "kernels/prelude" / (name + ".h"));
    for (const Word& word : words[name]) ++count[word.name];
  }

  std::vector<std::string> found;
  auto common = [&](const std::string& name) {
    std::vector<Word> result;
    for (const Word& word : words[name])
      if (count[word.name] == 3) result.push_back(word);
    return result;
  };
  const std::vector<Word> first = common("opencl");
  for (const std::string name : {"cuda", "hip"}) {
    const std::vector<Word> other = common(name);
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (first[i].name != other[i].name) {
        found.push_back("kernels/prelude/" + name + ".h: " + other[i].name + " stands where opencl.h has " +
                        first[i].name);
        break;
      }
      if (first[i].parameters != other[i].parameters && first[i].parameters >= 0 && other[i].parameters >= 0)
        found.push_back("kernels/prelude/" + name + ".h: " + other[i].name +
                        " takes other parameters than in opencl.h");
    }
  }

  const std::set<std::string> opencl = names(words["opencl"]);
  static const std::regex kIdentifier(R"([A-Za-z_]\w*)");
  for (const std::string& path : source_files(root, "kernels")) {
    if (path.rfind("kernels/prelude/", 0) == 0) continue;
    const bool cpu_only = path.size() > 6 && path.compare(path.size() - 6, 6, "_cpu.h") == 0;
    for (const Line& line : without_comments(read_lines(root / path))) {
      for (std::sregex_iterator it(line.text.begin(), line.text.end(), kIdentifier), end; it != end; ++it) {
        const std::string name = it->str();
        const auto known = count.find(name);
        if (known == count.end() || known->second == 3 || kBuiltIn.count(name)) continue;
        if (cpu_only && opencl.count(name)) continue;
        found.push_back(path + ":" + std::to_string(line.number) + ": " + name +
                        " is not a word of all three preludes");
      }
    }
  }
  return found;
}

}  // namespace portico::test
