#include "suite/table.hpp"

#include <charconv>
#include <sstream>

#include "embedded.hpp"
#include "portico/error.hpp"

namespace portico::bench {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

const std::string& Row::text(std::string_view column) const {
  const auto at = cells_.find(column);
  if (at == cells_.end()) throw Error(ErrorCode::invalid_argument, where_ + ": no column " + std::string(column));
  return at->second;
}

std::int64_t Row::number(std::string_view column) const {
  const std::string& cell = text(column);
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || value < 0)
    throw Error(ErrorCode::invalid_argument, where_ + ": " + std::string(column) + "=" + cell + ": expected a number");
  return value;
}

std::vector<Row> parse_table(const std::string& name, std::string_view text) {
  std::vector<Row> rows;
  std::vector<std::string> columns;
  std::istringstream in{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const auto cells = split(line);
    if (columns.empty()) {
      columns = cells;
      continue;
    }
    const std::string where = name + ".csv line " + std::to_string(number);
    if (cells.size() != columns.size())
      throw Error(ErrorCode::invalid_argument, where + ": " + std::to_string(cells.size()) + " cells under " +
                                                   std::to_string(columns.size()) + " names");
    std::map<std::string, std::string, std::less<>> named;
    for (std::size_t i = 0; i < cells.size(); ++i) named[columns[i]] = cells[i];
    rows.emplace_back(where, std::move(named));
  }
  return rows;
}

std::vector<Row> table(const std::string& name) { return parse_table(name, embedded(name + ".csv")); }

}  // namespace portico::bench
