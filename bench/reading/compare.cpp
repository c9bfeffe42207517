// Two results of the same devices: what became slower or faster beyond the noise.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "portico/error.hpp"
#include "reading/commands.hpp"
#include "reading/results.hpp"
#include "units.hpp"

namespace portico::bench {
namespace {

// Beyond the noise: the boxes from quartile to quartile do not touch, and the medians differ by more than 3 %. Rows
// without quartiles (Google Benchmark's own files) need 10 %.
constexpr double kLeast = 1.03, kLeastWithoutSpread = 1.10;

std::string identity(const Results& results, const std::string& label) {
  const auto device = results.device(label);
  const auto text = [](const nlohmann::json& from, const char* key) {
    return from.is_object() && from.contains(key) && from[key].is_string() ? from[key].get<std::string>()
                                                                           : std::string();
  };
  if (device.is_null()) return text(results.context, "device") + text(results.context, "host_name");
  return text(device, "name") + ", " + text(device, "arch") + ", host " + text(results.context, "processor");
}

struct Change {
  const ResultRow *before, *after;
  double ratio;  ///< new over old
};

void print(const char* title, std::vector<Change>& changes) {
  if (changes.empty()) return;
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return std::abs(std::log(a.ratio)) > std::abs(std::log(b.ratio)); });
  std::printf("\n%s (%zu)\n", title, changes.size());
  for (const Change& change : changes)
    std::printf("  %6s  %10s -> %10s  %s\n", (ratio_text(change.ratio) + "x").c_str(),
                time_text(change.before->median).c_str(), time_text(change.after->median).c_str(),
                change.after->name().c_str());
}

// Rows by name; of repetitions the fastest.
std::map<std::string, const ResultRow*> by_name(const Results& results) {
  std::map<std::string, const ResultRow*> rows;
  for (const ResultRow& row : results.rows) {
    const ResultRow*& at = rows[row.name()];
    if (at == nullptr || (row.measured() && (!at->measured() || row.median < at->median))) at = &row;
  }
  return rows;
}

void require_same_devices(const Results& before, const Results& after) {
  std::set<std::string> labels;
  for (const ResultRow& row : before.rows) labels.insert(row.device);
  for (const ResultRow& row : after.rows) {
    if (labels.count(row.device) == 0 || !labels.insert("checked " + row.device).second) continue;
    const std::string one = identity(before, row.device), other = identity(after, row.device);
    if (one != other)
      throw Error(ErrorCode::invalid_argument, "compare: " + row.device + " is \"" + one + "\" in " + before.path +
                                                   " and \"" + other + "\" in " + after.path +
                                                   ": different devices; --force compares them all the same");
  }
}

}  // namespace

int compare_command(int argc, char** argv) {
  std::vector<std::string> paths;
  bool force = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--force")
      force = true;
    else if (word.rfind("-", 0) == 0)
      throw Error(ErrorCode::invalid_argument, "compare: unknown option " + word + "; it has --force");
    else
      paths.push_back(word);
  }
  if (paths.size() != 2)
    throw Error(ErrorCode::invalid_argument, "compare: " + std::to_string(paths.size()) +
                                                 " files; expected two: portico-bench compare old.json new.json");
  const Results before = load_results(paths[0]), after = load_results(paths[1]);
  if (!force) require_same_devices(before, after);

  const auto old_rows = by_name(before), new_rows = by_name(after);
  std::vector<Change> slower, faster;
  std::vector<const ResultRow*> failed;
  int same = 0, only_old = 0, only_new = 0;
  double logs = 0;
  for (const auto& [name, row] : new_rows) {
    const auto at = old_rows.find(name);
    if (at == old_rows.end() || !at->second->measured()) {
      ++only_new;
      continue;
    }
    if (!row->measured()) {
      failed.push_back(row);
      continue;
    }
    const Change change{at->second, row, row->median / at->second->median};
    logs += std::log(change.ratio);
    const bool spread = change.before->q1 < change.before->q3 && row->q1 < row->q3;
    const double least = spread ? kLeast : kLeastWithoutSpread;
    if (change.ratio > least && row->q1 > change.before->q3)
      slower.push_back(change);
    else if (change.ratio < 1 / least && row->q3 < change.before->q1)
      faster.push_back(change);
    else
      ++same;
  }
  for (const auto& [name, row] : old_rows) only_old += new_rows.count(name) == 0 ? 1 : 0;

  const std::size_t compared = slower.size() + faster.size() + static_cast<std::size_t>(same);
  if (compared + failed.size() == 0)
    throw Error(ErrorCode::invalid_argument, "compare: " + paths[0] + " and " + paths[1] + " have no row in common");
  std::printf("%zu rows in both: %zu slower, %zu faster, %d within the noise; geometric mean of new over old %s\n",
              compared, slower.size(), faster.size(), same,
              compared > 0 ? ratio_text(std::exp(logs / static_cast<double>(compared))).c_str() : "-");
  if (only_old > 0) std::printf("only in %s: %d rows\n", paths[0].c_str(), only_old);
  if (only_new > 0) std::printf("only measured in %s: %d rows\n", paths[1].c_str(), only_new);
  print("slower", slower);
  print("faster", faster);
  if (!failed.empty()) std::printf("\nmeasured before, failed now (%zu)\n", failed.size());
  for (const ResultRow* row : failed) std::printf("  %s: %s\n", row->name().c_str(), row->error.c_str());
  return slower.empty() && failed.empty() ? 0 : 3;
}

}  // namespace portico::bench
