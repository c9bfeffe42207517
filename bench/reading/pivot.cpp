#include "reading/pivot.hpp"

#include <algorithm>
#include <cmath>

namespace portico::bench {
namespace {

template <typename List, typename Matches, typename Make>
std::size_t place_of(List& list, Matches matches, Make make) {
  const auto at = std::find_if(list.begin(), list.end(), matches);
  if (at != list.end()) return static_cast<std::size_t>(at - list.begin());
  list.push_back(make());
  return list.size() - 1;
}

}  // namespace

std::vector<SuiteTable> pivot(const std::vector<Results>& files) {
  std::vector<SuiteTable> tables;
  for (std::size_t file = 0; file < files.size(); ++file)
    for (const ResultRow& row : files[file].rows) {
      SuiteTable& table = tables[place_of(
          tables, [&](const SuiteTable& t) { return t.suite == row.suite; },
          [&] { return SuiteTable{.suite = row.suite, .series = {}, .lines = {}}; })];
      const std::size_t series = place_of(
          table.series,
          [&](const Series& s) { return s.file == file && s.device == row.device && s.column == row.column; },
          [&] {
            const std::string number = files.size() > 1 ? " [" + std::to_string(file + 1) + "]" : "";
            return Series{file, row.device, row.column, row.device + " " + row.column + number};
          });
      const std::size_t line = place_of(
          table.lines, [&](const Line& l) { return l.workload == row.workload; },
          [&] { return Line{.workload = row.workload, .cells = {}}; });
      auto& cells = table.lines[line].cells;
      if (cells.size() <= series) cells.resize(series + 1);
      // Of several repetitions the fastest median stands for all.
      if (cells[series] == nullptr || (row.measured() && row.median < cells[series]->median)) cells[series] = &row;
    }
  for (SuiteTable& table : tables)
    for (Line& line : table.lines) line.cells.resize(table.series.size());
  return tables;
}

Ratios ratios(const SuiteTable& table, std::size_t base, std::size_t other) {
  Ratios found;
  double logs = 0;
  for (const Line& line : table.lines) {
    const ResultRow *a = line.cells[base], *b = line.cells[other];
    if (a == nullptr || b == nullptr || !a->measured() || !b->measured()) continue;
    found.each.emplace_back(&line, b->median / a->median);
    logs += std::log(b->median / a->median);
  }
  if (!found.each.empty()) found.geometric_mean = std::exp(logs / static_cast<double>(found.each.size()));
  return found;
}

}  // namespace portico::bench
