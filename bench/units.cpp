#include "units.hpp"

#include <cmath>
#include <cstdio>

namespace portico::bench {
namespace {

// Three digits that count.
std::string three(double value) {
  char text[32];
  const int digits = value <= 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

std::string time_text(double seconds) {
  if (seconds < 1e-6) return three(seconds * 1e9) + " ns";
  if (seconds < 1e-3) return three(seconds * 1e6) + " us";
  if (seconds < 1) return three(seconds * 1e3) + " ms";
  return three(seconds) + " s";
}

std::string rate_text(double per_second, const char* unit) {
  const char* const prefixes[] = {"", "k", "M", "G", "T", "P"};
  int step = 0;
  for (; per_second >= 1000 && step < 5; ++step) per_second /= 1000;
  return three(per_second) + " " + prefixes[step] + unit;
}

std::string ratio_text(double ratio) { return three(ratio); }

}  // namespace portico::bench
