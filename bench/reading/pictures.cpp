// Plots as SVG inside the page: colours come from its style, so that they follow light and dark.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "reading/pages.hpp"
#include "units.hpp"

namespace portico::bench {
namespace {

std::string format(const char* pattern, double a, double b, double c = 0, double d = 0) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, a, b, c, d);
  return text;
}

// A logarithmic axis: value to place.
struct Axis {
  double low, high, from, to;
  double operator()(double value) const {
    const double share = (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
    return from + std::clamp(share, 0.0, 1.0) * (to - from);
  }
};

std::string label(double x, double y, const char* anchor, const std::string& text, const char* kind = "axis") {
  char head[96];
  std::snprintf(head, sizeof head, "<text class='%s' x='%.1f' y='%.1f' text-anchor='%s'>", kind, x, y, anchor);
  return head + escaped(text) + "</text>";
}

}  // namespace

std::string roofline_svg(const Results& file, const std::string& device) {
  const nlohmann::json entry = file.device(device);
  if (!entry.is_object() || !entry.contains("limits") || !entry["limits"].is_object()) return {};
  const auto& limits = entry["limits"];
  const double bandwidth = limits.value("copy_bytes_per_second", 0.0), peak = limits.value("fma_f32_flops", 0.0);
  std::vector<const ResultRow*> points;
  double low_rate = peak / 100;
  for (const ResultRow& row : file.rows)
    if (row.device == device && row.measured() && row.flops_per_call > 0 && row.bytes_per_call > 0) {
      points.push_back(&row);
      low_rate = std::min(low_rate, row.flops_per_call / row.median);
    }
  if (!(bandwidth > 0) || !(peak > 0) || points.empty()) return {};

  constexpr double kWidth = 760, kHeight = 360;
  const Axis x{0.1, 10000, 90, kWidth - 20};
  const Axis y{std::pow(10, std::floor(std::log10(low_rate))), std::pow(10, std::ceil(std::log10(1.05 * peak))),
               kHeight - 45, 15};
  std::string svg =
      format("<svg class='plot' viewBox='0 0 %.0f %.0f' role='img' aria-label='roofline'>", kWidth, kHeight);
  for (double at = x.low; at <= x.high; at *= 10) {
    svg += format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", x(at), x(at), y.from, y.to);
    char text[16];
    std::snprintf(text, sizeof text, "%g", at);
    svg += label(x(at), kHeight - 28, "middle", text);
  }
  for (double at = y.low; at <= 1.01 * y.high; at *= 10) {
    svg += format("<line class='grid' x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>", x.from, x.to, y(at), y(at));
    svg += label(x.from - 6, y(at) + 4, "end", rate_text(at, "FLOPS"));
  }
  svg += label((x.from + x.to) / 2, kHeight - 8, "middle", "operations a byte of least traffic");
  const double ridge = peak / bandwidth, left = std::max(x.low, y.low / bandwidth);
  svg += format("<polyline class='roof' points='%.1f,%.1f %.1f,%.1f ", x(left), y(left * bandwidth), x(ridge), y(peak));
  svg += format("%.1f,%.1f'/>", x.to, y(peak));
  svg += label(x.to - 4, y(peak) - 6, "end", "fma f32 " + rate_text(peak, "FLOPS"), "note");
  svg += label(x(left * 4) + 10, y(left * 4 * bandwidth) + 14, "start", "copy " + rate_text(bandwidth, "B/s"), "note");
  std::vector<std::pair<std::string, int>> colours;  // in the order of the rows
  for (const ResultRow* row : points)
    if (std::none_of(colours.begin(), colours.end(), [&](const auto& c) { return c.first == row->column; }))
      colours.emplace_back(row->column, static_cast<int>(colours.size()));
  const auto colour_of = [&](const std::string& column) {
    return std::find_if(colours.begin(), colours.end(), [&](const auto& c) { return c.first == column; })->second;
  };
  for (const ResultRow* row : points) {
    const double rate = row->flops_per_call / row->median;
    svg += "<circle class='s" + std::to_string(colour_of(row->column) % 6) +
           format("' cx='%.1f' cy='%.1f' r='4'><title>", x(row->flops_per_call / row->bytes_per_call), y(rate)) +
           escaped(row->suite + "/" + row->workload + " " + row->column + ": " + rate_text(rate, "FLOPS")) +
           "</title></circle>";
  }
  double at = x.from + 10;
  for (const auto& [column, colour] : colours) {
    svg += "<circle class='s" + std::to_string(colour % 6) + format("' cx='%.1f' cy='%.1f' r='4'/>", at, y.to + 8);
    svg += label(at + 9, y.to + 12, "start", column, "note");
    at += 30 + 7.5 * static_cast<double>(column.size());
  }
  return svg + "</svg>";
}

std::string ratio_bars_svg(const SuiteTable& table, std::size_t base, std::size_t other) {
  const Ratios found = ratios(table, base, other);
  if (found.each.empty()) return {};
  double reach = 2;
  for (const auto& [line, ratio] : found.each) reach = std::max({reach, ratio, 1 / ratio});
  constexpr double kWidth = 760, kRow = 20, kNames = 330;
  const double height = kRow * static_cast<double>(found.each.size() + 1) + 24;
  const Axis x{1 / reach, reach, kNames, kWidth - 60};
  std::string svg = format("<svg class='plot' viewBox='0 0 %.0f %.0f' role='img' aria-label='ratios'>", kWidth, height);
  const auto bar = [&](double y, const std::string& name, double ratio, const char* kind) {
    const double from = std::min(x(1), x(ratio)), to = std::max(x(1), x(ratio));
    svg += label(kNames - 8, y + 13, "end",
                 name.size() > 52 ? name.substr(0, 24) + "..." + name.substr(name.size() - 25) : name);
    svg += std::string("<rect class='") + kind +
           format("' x='%.1f' y='%.1f' width='%.1f' height='%.1f'><title>", from, y + 3, std::max(1.0, to - from),
                  kRow - 6) +
           escaped(name) + "</title></rect>";
    svg += label(ratio >= 1 ? to + 5 : x(1) + 5, y + 13, "start", ratio_text(ratio), "note");
  };
  double y = 4;
  for (const auto& [line, ratio] : found.each) {
    bar(y, line->workload, ratio, ratio >= 1 ? "faster" : "slower");
    y += kRow;
  }
  bar(y, "geometric mean", found.geometric_mean, "mean");
  svg += format("<line class='one' x1='%.1f' x2='%.1f' y1='0' y2='%.1f'/>", x(1), x(1), height - 16);
  svg += label(x(1), height - 4, "middle", "1");
  return svg + "</svg>";
}

}  // namespace portico::bench
