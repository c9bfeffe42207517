#include <cstdio>

#include "reading/pages.hpp"
#include "units.hpp"

namespace portico::bench {
namespace {

std::string cell_text(const ResultRow* row) {
  if (row == nullptr) return "";
  if (!row->measured()) return "no: " + row->error.substr(0, 60);
  std::string text = time_text(row->median);
  if (row->flops_rate > 0)
    text += ", " + rate_text(row->flops_rate, "FLOPS");
  else if (row->bytes_rate > 0)
    text += ", " + rate_text(row->bytes_rate, "B/s");
  if (row->fraction > 0.0005) {
    char share[16];
    std::snprintf(share, sizeof share, ", %.2f", row->fraction);
    text += share;
  }
  return text;
}

// A bar would end a cell.
std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

}  // namespace

std::string markdown_tables(const std::vector<Results>& files) {
  std::string page;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& context = files[i].context;
    page += files.size() > 1 ? "[" + std::to_string(i + 1) + "] " : "";
    for (const auto& device : context.value("devices", nlohmann::json::array()))
      page += "`" + device.value("label", "") + "` " + device.value("name", "") + " (" + device.value("toolchain", "") +
              "); ";
    page += context.value("processor", "") + ", " + context.value("date", "") + ", commit " +
            context.value("commit", "unknown") + "\n\n";
  }
  page += "Median of a call; rate of the least work; fraction of the device's own limit, measured in the same run.\n";
  for (const SuiteTable& table : pivot(files)) {
    page += "\n### " + table.suite + "\n\n| workload |";
    for (const Series& series : table.series) page += " " + in_cell(series.label) + " |";
    page += "\n| --- |";
    for (std::size_t i = 0; i < table.series.size(); ++i) page += " ---: |";
    page += "\n";
    for (const Line& line : table.lines) {
      page += "| " + in_cell(line.workload) + " |";
      for (const ResultRow* row : line.cells) page += " " + in_cell(cell_text(row)) + " |";
      page += "\n";
    }
    for (std::size_t i = 1; i < table.series.size(); ++i) {
      const Ratios found = ratios(table, 0, i);
      if (!found.each.empty())
        page += "\n" + table.series[i].label + " takes " + ratio_text(found.geometric_mean) + " times as long as " +
                table.series[0].label + " (geometric mean of " + std::to_string(found.each.size()) + ").\n";
    }
  }
  return page;
}

}  // namespace portico::bench
