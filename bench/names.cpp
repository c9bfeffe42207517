#include "names.hpp"

#include <algorithm>
#include <numeric>

namespace portico::bench {
namespace {

// Letters to change, add or remove (Levenshtein). With `inside`, `wanted` may lie anywhere in `name`.
std::size_t distance(const std::string& wanted, const std::string& name, bool inside) {
  std::vector<std::size_t> row(name.size() + 1);
  if (!inside) std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < name.size(); ++j) {
      const std::size_t change = diagonal + (wanted[i] == name[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return inside ? *std::min_element(row.begin(), row.end()) : row.back();
}

}  // namespace

std::vector<std::string> nearest(const std::string& wanted, const std::vector<std::string>& known, std::size_t count) {
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& name : known)
    ranked.emplace_back(4 * distance(wanted, name, true) + distance(wanted, name, false) / 8, name);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> best;
  for (const auto& [score, name] : ranked)
    if (best.size() < count && std::find(best.begin(), best.end(), name) == best.end()) best.push_back(name);
  return best;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace portico::bench
