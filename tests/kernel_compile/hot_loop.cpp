#include "hot_loop.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace portico::test {
namespace {

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t;");
  return begin == std::string::npos || end < begin ? std::string() : text.substr(begin, end - begin + 1);
}

// Labels are local to a function in SASS's listing and unique in clang's: both are unique here.
struct Reader {
  Listing listing;
  std::map<std::string, int> labels;
  std::vector<std::pair<int, std::string>> targets;

  void label(const std::string& name) { labels[name] = static_cast<int>(listing.instructions.size()); }
  void instruction(const std::string& text, const std::string& target) {
    if (!target.empty()) targets.emplace_back(static_cast<int>(listing.instructions.size()), target);
    listing.instructions.push_back(text);
  }
  Listing done() {
    listing.jumps.assign(listing.instructions.size(), -1);
    for (const auto& [at, name] : targets)
      if (const auto found = labels.find(name); found != labels.end())
        listing.jumps[static_cast<std::size_t>(at)] = found->second;
    return std::move(listing);
  }
};

// Instructions that carry the kernel's arithmetic: one issue each, whatever they hold.
bool is_matrix(const std::string& name) {
  return begins(name, "HMMA") || begins(name, "v_mfma") || begins(name, "v_wmma");
}
bool is_multiply_add(const std::string& name) {
  return begins(name, "FFMA") || begins(name, "v_fma_f32") || begins(name, "v_fmac_f32") ||
         begins(name, "v_pk_fma_f32") || begins(name, "v_dual_fmac_f32");
}
bool is_two(const std::string& name) { return begins(name, "v_pk_fma_f32") || begins(name, "v_dual_"); }
// Hints to AMD's scheduler, and waits: they take no slot of the vector unit.
bool is_hint(const std::string& name) {
  return begins(name, "s_waitcnt") || begins(name, "s_delay_alu") || begins(name, "s_nop") ||
         begins(name, "s_clause") || begins(name, "s_wait_") || begins(name, "s_set_inst_prefetch") ||
         begins(name, "s_setprio");
}

}  // namespace

std::string name_of(const std::string& instruction) {
  std::size_t begin = 0;
  if (begins(instruction, "@")) begin = instruction.find_first_not_of(' ', instruction.find(' '));
  return begin == std::string::npos ? instruction
                                    : instruction.substr(begin, instruction.find_first_of(" \t", begin) - begin);
}

int count(const Listing& listing, const std::string& prefix, int begin, int end) {
  return static_cast<int>(std::count_if(listing.instructions.begin() + begin, listing.instructions.begin() + end,
                                        [&](const std::string& one) { return begins(name_of(one), prefix); }));
}

int count(const Listing& listing, const std::string& prefix) {
  return count(listing, prefix, 0, static_cast<int>(listing.instructions.size()));
}

Listing read_sass(const std::string& text) {
  Reader reader;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::string rest = trimmed(line);
    if (begins(rest, ".L") && rest.back() == ':') reader.label(rest.substr(0, rest.size() - 1));
    if (!begins(rest, "/*")) continue;  // "/*0040*/  @P0 BRA `(.L_x_1) ;  /* encoding */"
    const std::size_t address = rest.find("*/");
    rest = rest.substr(address + 2);
    rest = trimmed(rest.substr(0, rest.find("/*")));
    if (rest.empty()) continue;
    std::string target;
    if (const std::size_t at = rest.find("`("); begins(name_of(rest), "BRA") && at != std::string::npos)
      target = rest.substr(at + 2, rest.find(')', at) - at - 2);
    reader.instruction(rest, target);
  }
  return reader.done();
}

Listing read_amd(const std::string& text) {
  Reader reader;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::string rest = trimmed(line.substr(0, line.find("; ")));
    if (rest.empty() || rest[0] == ';') continue;
    if (begins(rest, ".LBB") && rest.find(':') != std::string::npos) reader.label(rest.substr(0, rest.find(':')));
    const bool instruction = line[0] == '\t' && rest.find('_') != std::string::npos && rest.size() > 2 &&
                             std::string("svdgbif").find(rest[0]) != std::string::npos &&
                             rest.find(':') > rest.find(' ');
    if (!instruction) continue;
    std::string target;
    if (begins(rest, "s_cbranch") || begins(rest, "s_branch")) target = trimmed(rest.substr(rest.find(' ')));
    reader.instruction(rest, target);
  }
  return reader.done();
}

namespace {

// Begins and ends. A loop ends with the last jump back to its begin.
std::map<int, int> loops_of(const Listing& listing) {
  std::map<int, int> loops;
  for (int at = 0; at < static_cast<int>(listing.jumps.size()); ++at)
    if (const int to = listing.jumps[static_cast<std::size_t>(at)]; to >= 0 && to <= at) loops[to] = at + 1;
  return loops;
}

// Whether another loop lies inside that does arithmetic too.
bool holds_another(const Listing& listing, const std::map<int, int>& loops, const HotLoop& loop) {
  return std::any_of(loops.begin(), loops.end(), [&](const auto& other) {
    if (other.first < loop.begin || other.second > loop.end || other.second - other.first >= loop.end - loop.begin)
      return false;
    return std::any_of(listing.instructions.begin() + other.first, listing.instructions.begin() + other.second,
                       [](const std::string& one) { return is_matrix(name_of(one)) || is_multiply_add(name_of(one)); });
  });
}

}  // namespace

HotLoop hot_loop(const Listing& listing) {
  HotLoop best;
  const std::map<int, int> loops = loops_of(listing);
  for (const auto& [begin, end] : loops) {
    HotLoop loop{.begin = begin, .end = end};
    int matrix = 0;
    for (int at = begin; at < end; ++at) {
      const std::string name = name_of(listing.instructions[static_cast<std::size_t>(at)]);
      const int weight = is_two(name) ? 2 : 1;
      matrix += is_matrix(name) ? 1 : 0;
      loop.arithmetic += is_multiply_add(name) ? weight : 0;
      loop.all += is_hint(name) ? 0 : weight;
    }
    if (matrix > 0) loop.arithmetic = matrix;
    // A product reads local memory; an activation's polynomial in the loop that stores does not.
    const bool reads = count(listing, "LDS", begin, end) + count(listing, "ds_", begin, end) > 0;
    if (reads && !holds_another(listing, loops, loop) && loop.arithmetic > best.arithmetic) best = loop;
  }
  return best;
}

HotLoop around(const Listing& listing, const HotLoop& loop) {
  HotLoop best = loop;
  for (const auto& [begin, end] : loops_of(listing)) {
    const bool outside = begin <= loop.begin && end >= loop.end && end - begin > loop.end - loop.begin;
    const bool smaller = best.begin == loop.begin && best.end == loop.end ? true : end - begin < best.end - best.begin;
    if (outside && smaller) best = {.begin = begin, .end = end};
  }
  return best;
}

}  // namespace portico::test
