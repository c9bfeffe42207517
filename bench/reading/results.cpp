#include "reading/results.hpp"

#include <fstream>
#include <iterator>

#include "portico/error.hpp"

namespace portico::bench {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, path + ": no result of portico-bench: " + why);
}

double number(const Json& row, const char* key, double otherwise = 0) {
  const auto at = row.find(key);
  return at != row.end() && at->is_number() ? at->get<double>() : otherwise;
}

std::string text(const Json& row, const char* key) {
  const auto at = row.find(key);
  return at != row.end() && at->is_string() ? at->get<std::string>() : std::string();
}

double seconds_per(const std::string& unit, const std::string& path) {
  if (unit == "ns" || unit.empty()) return 1e-9;
  if (unit == "us") return 1e-6;
  if (unit == "ms") return 1e-3;
  if (unit == "s") return 1;
  refuse(path, "a time in " + unit);
}

ResultRow row_of(const Json& entry, const Json& context, const std::string& path) {
  ResultRow row;
  row.suite = text(entry, "suite");
  row.workload = text(entry, "workload");
  row.device = text(entry, "device");
  row.column = text(entry, "column");
  if (row.suite.empty()) {  // a fixed row, or another program's: the first word of its name is the suite
    const std::string name = text(entry, "name");
    if (name.empty()) refuse(path, "a row without a name");
    const auto slash = name.find('/');
    row.suite = name.substr(0, slash);
    row.workload = slash == std::string::npos ? name : name.substr(slash + 1);
    const std::string device = text(context, "device");
    row.device = device.substr(0, device.find(' '));
    if (row.device.empty()) row.device = "this machine";
    row.column = "own";
  }
  row.error = text(entry, "error_message");
  if (row.error.empty() && entry.value("error_occurred", false)) row.error = "failed, without a message";
  row.median =
      number(entry, "median_seconds", number(entry, "real_time") * seconds_per(text(entry, "time_unit"), path));
  row.q1 = number(entry, "q1_seconds", row.median);
  row.q3 = number(entry, "q3_seconds", row.median);
  row.flops_rate = number(entry, "flops");
  row.bytes_rate = number(entry, "bytes_per_second");
  row.flops_per_call = number(entry, "flops_per_call", row.flops_rate * row.median);
  row.bytes_per_call = number(entry, "bytes_per_call", row.bytes_rate * row.median);
  row.fraction = number(entry, "fraction_of_limit", -1);
  row.joules = number(entry, "joules_per_call");
  row.count = static_cast<long>(number(entry, "count", 1));
  return row;
}

}  // namespace

std::string ResultRow::name() const { return suite + "/" + workload + "/" + device + "/" + column; }

Json Results::device(const std::string& label) const {
  if (context.contains("devices") && context["devices"].is_array())
    for (const Json& device : context["devices"])
      if (device.is_object() && text(device, "label") == label) return device;
  return {};
}

Results load_results(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, path + ": cannot be read");
  const std::string all(std::istreambuf_iterator<char>(file), {});
  const Json root = Json::parse(all, nullptr, false);
  if (root.is_discarded())
    refuse(path,
           all.empty() ? "it is empty" : "it is not JSON, or was cut off (" + std::to_string(all.size()) + " bytes)");
  if (!root.is_object() || !root.contains("context") || !root["context"].is_object() || !root.contains("benchmarks") ||
      !root["benchmarks"].is_array())
    refuse(path, "it has no \"context\" and \"benchmarks\"");
  Results results{.path = path, .context = root["context"], .rows = {}, .ended = {}};
  for (const Json& entry : root["benchmarks"]) {
    if (!entry.is_object()) refuse(path, "a row that is no object");
    if (text(entry, "run_type") == "aggregate") continue;
    results.rows.push_back(row_of(entry, results.context, path));
  }
  if (root.contains("ending") && root["ending"].is_object()) {
    results.ended = text(root["ending"], "ended");
    results.rows_not_run = static_cast<int>(number(root["ending"], "rows_not_run"));
  }
  return results;
}

}  // namespace portico::bench
