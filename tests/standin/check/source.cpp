#include "source.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "prelude.hpp"

namespace portico::standin::check {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) throw std::runtime_error(path.string() + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string line_mark(int line, const fs::path& file) {
  return "#line " + std::to_string(line) + " \"" + file.string() + "\"\n";
}

// Each header in place of its first #include, nothing in place of a further one, as the library's build does it.
void flatten(const fs::path& file, std::set<std::string>& seen, std::string& out) {
  std::istringstream lines(read_file(file));
  out += line_mark(1, file);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string start = "#include \"";
    const std::size_t end = line.find('"', start.size());
    if (line.rfind(start, 0) != 0 || end == std::string::npos) {
      out += line + "\n";
      continue;
    }
    const std::string name = line.substr(start.size(), end - start.size());
    if (seen.insert(name).second) {
      const fs::path header = file.parent_path() / name;
      if (!fs::exists(header))
        throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": includes " + name +
                                 ", which does not lie beside it");
      flatten(header, seen, out);
    }
    out += line_mark(number + 1, file);
  }
}

std::string define_line(const std::string& definition) {
  const std::size_t equals = definition.find('=');
  const std::string name = definition.substr(0, equals);
  const bool good = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  if (!good) throw std::runtime_error("-D " + definition + ": NAME or NAME=VALUE is wanted");
  return "#define " + name + " " + (equals == std::string::npos ? "1" : definition.substr(equals + 1)) + "\n";
}

}  // namespace

Source read_source(const std::string& file, const std::vector<std::string>& defines) {
  std::vector<std::string> sorted = defines;
  std::sort(sorted.begin(), sorted.end());
  Source source;
  for (const std::string& definition : sorted) source.text += define_line(definition);
  const std::string prelude(reinterpret_cast<const char*>(plugin::kPrelude.data), plugin::kPrelude.size);

  const std::string raw = read_file(file);
  const std::string begin = "// begin spec\n", end = "// end spec\n", body = "// end prelude\n";
  const std::size_t from = raw.find(begin), to = raw.find(end), text = raw.find(body);
  if (from != std::string::npos && to != std::string::npos && text != std::string::npos) {
    const std::string spec = raw.substr(from + begin.size(), to - from - begin.size());
    source.cpu_shape = spec.find("#define CPU_SHAPE 1\n") != std::string::npos;
    const int line =
        static_cast<int>(std::count(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(text), '\n')) + 2;
    source.text +=
        spec + line_mark(1, "prelude") + prelude + "\n" + line_mark(line, file) + raw.substr(text + body.size());
    return source;
  }
  source.text += line_mark(1, "prelude") + prelude + "\n";
  std::set<std::string> seen;
  flatten(file, seen, source.text);
  return source;
}

}  // namespace portico::standin::check
