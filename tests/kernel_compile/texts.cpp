#include "texts.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace portico::test {
namespace {

namespace fs = std::filesystem;

// The text between two marker lines, and what follows the second; empty when they are not there.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.substr(from + begin.size(), to - from - begin.size());
}

// As the build embeds it: each header in place of its first #include, nothing in place of a further one.
std::string flattened(const fs::path& file) {
  static const std::regex include("#include \"([a-z0-9_]+\\.h)\"");
  std::string text = read_file(file);
  std::set<std::string> seen;
  std::smatch match;
  while (std::regex_search(text, match, include)) {
    const std::string name = match[1];
    const std::string header = seen.insert(name).second ? read_file(file.parent_path() / name) : std::string();
    text = match.prefix().str() + header + match.suffix().str();
  }
  return text;
}

// As tests/standin/rtc names its records.
std::string digest(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return std::to_string(hash);
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

KernelTexts read_kernel_texts(const fs::path& dumps, const fs::path& kernels) {
  KernelTexts result;
  std::set<std::string> seen, launched;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dumps, error)) {
    if (entry.path().extension() != ".cl") continue;
    fs::path log = entry.path();
    if (fs::exists(log.replace_extension(".log"))) continue;

    const std::string dump = read_file(entry.path());
    KernelText text;
    text.file = between(dump, "// portico kernel: file=", "\n// begin spec\n");
    text.id = entry.path().filename().string();
    text.spec = between(dump, "// begin spec\n", "// end spec\n");
    const std::string mark = "// end prelude\n";
    const std::size_t body = dump.find(mark);
    if (body != std::string::npos) text.body = dump.substr(body + mark.size());
    const fs::path source = kernels / (text.file + ".cl");
    if (text.file.empty() || text.body.empty() || !fs::exists(source) || text.body != flattened(source)) {
      ++result.stale;
      continue;
    }
    text.cpu_shape = text.spec.find("#define CPU_SHAPE 1\n") != std::string::npos;
    launched.insert(text.file);
    text.host = read_file(dumps / "hip" / digest(text.spec + text.body));
    if (seen.insert(text.spec + '\0' + text.body).second) result.all.push_back(std::move(text));
  }
  std::sort(result.all.begin(), result.all.end(), [](const KernelText& a, const KernelText& b) {
    return std::tie(a.file, a.spec) < std::tie(b.file, b.spec);
  });
  for (const auto& entry : fs::directory_iterator(kernels, error))
    if (entry.path().extension() == ".cl" && !launched.contains(entry.path().stem().string()))
      result.unlaunched.push_back(entry.path().filename().string());
  std::sort(result.unlaunched.begin(), result.unlaunched.end());
  return result;
}

std::vector<KernelText> sample(const std::vector<KernelText>& texts, std::size_t step) {
  std::vector<KernelText> chosen;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (i % step == 0 || texts[i].file != texts[i - 1].file) chosen.push_back(texts[i]);
  return chosen;
}

}  // namespace portico::test
