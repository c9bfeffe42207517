// The data files of bench/workloads: comma-separated, comments from #, a line of names first.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace portico::bench {

/// One line of a data file. Asking for a column that is not there is an error of the file.
class Row {
 public:
  Row(std::string where, std::map<std::string, std::string, std::less<>> cells)
      : where_(std::move(where)), cells_(std::move(cells)) {}
  const std::string& text(std::string_view column) const;
  std::int64_t number(std::string_view column) const;  ///< 0 or more
  bool flag(std::string_view column) const { return number(column) != 0; }

 private:
  std::string where_;
  std::map<std::string, std::string, std::less<>> cells_;
};

/// Throws `Error{invalid_argument}` naming the file and line for a line with too few or too many cells.
std::vector<Row> parse_table(const std::string& name, std::string_view text);

/// The data file `name`, which is part of the program.
std::vector<Row> table(const std::string& name);

}  // namespace portico::bench
