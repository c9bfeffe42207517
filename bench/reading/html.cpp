#include <cstdio>
#include <set>

#include "embedded.hpp"
#include "reading/pages.hpp"
#include "units.hpp"

namespace portico::bench {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& from, const char* key) {
  const auto at = from.find(key);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string run_card(const Results& file, std::size_t number) {
  const Json& context = file.context;
  std::string card = "<article class='run'><h3>[" + std::to_string(number) + "] " + escaped(file.path) + "</h3><dl>";
  const auto entry = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) card += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>";
  };
  if (context.contains("devices") && context["devices"].is_array())
    for (const Json& device : context["devices"]) {
      if (!device.is_object()) continue;
      entry(text_of(device, "label"), text_of(device, "name") + " (" + text_of(device, "arch") + ")");
      const Json limits = device.value("limits", Json::object());
      if (limits.contains("copy_bytes_per_second"))
        entry("its roofs", "copy " + rate_text(limits.value("copy_bytes_per_second", 0.0), "B/s") + ", triad " +
                               rate_text(limits.value("triad_bytes_per_second", 0.0), "B/s") + ", fma f32 " +
                               rate_text(limits.value("fma_f32_flops", 0.0), "FLOPS") + ", launch " +
                               time_text(limits.value("launch_seconds", 0.0)) + ", to the device " +
                               rate_text(limits.value("to_device_bytes_per_second", 0.0), "B/s") + ", back " +
                               rate_text(limits.value("to_host_bytes_per_second", 0.0), "B/s"));
      entry("its sensor", text_of(device, "sensor"));
    }
  if (context.contains("not_usable") && context["not_usable"].is_object())
    for (const auto& [backend, reason] : context["not_usable"].items())
      if (reason.is_string()) entry(backend + ": no", reason.get<std::string>());
  entry("host", text_of(context, "processor") + ", " + text_of(context, "system"));
  entry("date", text_of(context, "date"));
  entry("commit", text_of(context, "commit"));
  entry("command", text_of(context, "command"));
  std::string end = file.ended;
  if (file.rows_not_run > 0) end += ", " + std::to_string(file.rows_not_run) + " rows not run";
  entry("ended", end);
  return card + "</dl><details><summary>manifest</summary><pre>" +
         escaped(context.dump(2, ' ', false, Json::error_handler_t::replace)) + "</pre></details></article>";
}

// Time with its dispersion, rate, and a bar for the fraction of the limit.
std::string cell(const ResultRow* row) {
  if (row == nullptr) return "<td data-v='inf' class='none'>-</td>";
  if (!row->measured())
    return "<td data-v='inf' class='error' title='" + escaped(row->error) + "'>" + escaped(row->error.substr(0, 48)) +
           (row->error.size() > 48 ? "..." : "") + "</td>";
  char head[64], noise[96];
  std::snprintf(head, sizeof head, "<td data-v='%.9g'>", row->median);
  const double spread = 50 * (row->q3 - row->q1) / row->median;
  std::snprintf(noise, sizeof noise, "<span class='%s' title='half the interquartile range'>&plusmn;%.1f%%</span>",
                spread > 10 ? "noise high" : "noise", spread);
  std::string text = head + ("<b>" + time_text(row->median) + "</b> ") + noise;
  if (row->flops_rate > 0)
    text += "<br><span class='rate'>" + rate_text(row->flops_rate, "FLOPS") + "</span>";
  else if (row->bytes_rate > 0)
    text += "<br><span class='rate'>" + rate_text(row->bytes_rate, "B/s") + "</span>";
  if (row->fraction >= 0.0005) {
    char bar[160];
    std::snprintf(bar, sizeof bar,
                  " <span class='share' title='fraction of the limit'><i style='width:%.0f%%'></i></span>%.2f",
                  100 * std::min(1.0, row->fraction), row->fraction);
    text += bar;
  }
  if (row->joules > 0) {
    char energy[32];
    std::snprintf(energy, sizeof energy, "<br>%.3g J", row->joules);
    text += energy;
  }
  return text + "</td>";
}

std::string suite_section(const SuiteTable& table) {
  std::string section = "<section id='" + escaped(table.suite) + "'><h2>" + escaped(table.suite) +
                        "</h2><div class='scroll'><table><thead><tr><th>workload</th>";
  for (const Series& series : table.series) section += "<th>" + escaped(series.label) + "</th>";
  section += "</tr></thead><tbody>";
  for (const Line& line : table.lines) {
    section += "<tr><td data-v='" + escaped(line.workload) + "'>" + escaped(line.workload) + "</td>";
    for (const ResultRow* row : line.cells) section += cell(row);
    section += "</tr>";
  }
  section += "</tbody></table></div>";
  for (std::size_t other = 1; other < table.series.size(); ++other) {
    const std::string bars = ratio_bars_svg(table, 0, other);
    if (!bars.empty())
      section += "<figure><figcaption>time of <b>" + escaped(table.series[other].label) + "</b> over <b>" +
                 escaped(table.series[0].label) + "</b>: above 1 the latter is faster</figcaption>" + bars +
                 "</figure>";
  }
  return section + "</section>";
}

}  // namespace

std::string html_page(const std::vector<Results>& files) {
  const auto tables = pivot(files);
  std::string page =
      "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width,initial-scale=1'><title>portico-bench</title><style>";
  page += embedded("page.css");
  page += "</style></head><body><header><h1>portico-bench</h1><nav>";
  for (const SuiteTable& table : tables)
    page += "<a href='#" + escaped(table.suite) + "'>" + escaped(table.suite) + "</a>";
  page += "</nav></header><main><section><h2>Runs</h2>";
  for (std::size_t i = 0; i < files.size(); ++i) page += run_card(files[i], i + 1);
  page +=
      "<p class='legend'>A cell: median of a call, half the interquartile range, rate of the least work, and the "
      "fraction of "
      "the device's own limit, which was measured in the same run (work that stays in the caches may pass 1). "
      "A heading sorts its table.</p></section>";
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::set<std::string> devices;
    for (const ResultRow& row : files[i].rows)
      if (devices.insert(row.device).second) {
        const std::string plot = roofline_svg(files[i], row.device);
        if (!plot.empty())
          page += "<section><h2>Roofline of " + escaped(row.device) + " [" + std::to_string(i + 1) + "]</h2><figure>" +
                  plot + "</figure></section>";
      }
  }
  for (const SuiteTable& table : tables) page += suite_section(table);
  page += "</main><script>";
  page += embedded("page.js");
  return page + "</script></body></html>\n";
}

}  // namespace portico::bench
