// Results as texts: a page, tables in Markdown, pictures.
#pragma once

#include <string>
#include <vector>

#include "reading/pivot.hpp"

namespace portico::bench {

/// One HTML page that needs nothing else.
std::string html_page(const std::vector<Results>& files);

/// A table a suite, with the geometric means of the ratios below it.
std::string markdown_tables(const std::vector<Results>& files);

/// Operations a second over operations a byte, under the device's roofs. "" without limits or points.
std::string roofline_svg(const Results& file, const std::string& device);

/// For each line the time of the other series over the first's: bars to the right of 1 where the first is faster.
std::string ratio_bars_svg(const SuiteTable& table, std::size_t base, std::size_t other);

/// Text for HTML and SVG.
std::string escaped(const std::string& text);

}  // namespace portico::bench
