#include "reading/commands.hpp"

#include <cstdio>
#include <fstream>

#include "portico/error.hpp"
#include "reading/pages.hpp"

namespace portico::bench {

int report_command(int argc, char** argv) {
  std::vector<std::string> paths;
  std::string out;
  bool markdown = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--markdown") {
      markdown = true;
    } else if (word == "-o") {
      if (i + 1 >= argc) throw Error(ErrorCode::invalid_argument, "report: -o needs the file to write");
      out = argv[++i];
    } else if (word.rfind("-", 0) == 0) {
      throw Error(ErrorCode::invalid_argument, "report: unknown option " + word + "; it has -o FILE and --markdown");
    } else {
      paths.push_back(word);
    }
  }
  if (paths.empty())
    throw Error(ErrorCode::invalid_argument,
                "report: no file; portico-bench report A.json [B.json ...] -o report.html");
  std::vector<Results> files;
  for (const std::string& path : paths) files.push_back(load_results(path));
  if (out.empty() && !markdown) out = "report.html";
  const std::string text = markdown ? markdown_tables(files) : html_page(files);
  if (out.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  std::ofstream file(out, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) throw Error(ErrorCode::io, "report: " + out + " cannot be written");
  return 0;
}

}  // namespace portico::bench
