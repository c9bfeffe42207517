// Rows side by side: a table a suite, a line a workload, a column for each who did it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reading/results.hpp"

namespace portico::bench {

/// Who did it: a column of a device of a file.
struct Series {
  std::size_t file = 0;
  std::string device, column;
  std::string label;  ///< "opencl:0 own", with the file's number when there are several
};

struct Line {
  std::string workload;
  std::vector<const ResultRow*> cells;  ///< parallel to series; null where there is no such row
};

struct SuiteTable {
  std::string suite;
  std::vector<Series> series;
  std::vector<Line> lines;
};

/// Tables in the order in which the files have their suites. The rows must outlive them.
std::vector<SuiteTable> pivot(const std::vector<Results>& files);

/// Time of series `other` over that of series `base`, line by line where both have one: above 1 the base is faster.
struct Ratios {
  std::vector<std::pair<const Line*, double>> each;
  double geometric_mean = 0;  ///< 0 without any
};
Ratios ratios(const SuiteTable& table, std::size_t base, std::size_t other);

}  // namespace portico::bench
