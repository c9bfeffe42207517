#include "tests/standin/driver/faults.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace portico::standin {
namespace {

struct Fault {
  std::string function;
  std::uint64_t from, to;
  int code;
};

struct Plan {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Calls>> calls;
  std::vector<Fault> faults;
  std::atomic<bool> any{false};
};

std::vector<Fault> parse(const std::string& text) {
  std::vector<Fault> faults;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t first = part.find(':'), second = part.find(':', first + 1);
    char *after_number = nullptr, *after_code = nullptr;
    const bool has_parts = first != std::string::npos && second != std::string::npos;
    const std::uint64_t from = has_parts ? std::strtoull(part.c_str() + first + 1, &after_number, 10) : 0;
    const long code = has_parts ? std::strtol(part.c_str() + second + 1, &after_code, 10) : 0;
    const bool onwards = after_number && *after_number == '+';
    if (onwards) ++after_number;
    if (!has_parts || from == 0 || after_number != part.c_str() + second || *after_code != '\0')
      throw std::invalid_argument("PORTICO_STANDIN_FAULT: \"" + part +
                                  "\" is not function:N:code or function:N+:code with N from 1");
    faults.push_back({part.substr(0, first), from, onwards ? UINT64_MAX : from, static_cast<int>(code)});
  }
  return faults;
}

Plan& plan() {
  static Plan& made = *[] {
    auto* fresh = new Plan;
    if (const char* text = std::getenv("PORTICO_STANDIN_FAULT")) {
      try {
        fresh->faults = parse(text);
      } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "stand-in: %s\n", error.what());
        std::abort();  // a test that believes in a fault that is none would prove nothing
      }
      fresh->any = !fresh->faults.empty();
    }
    return fresh;
  }();
  return made;
}

}  // namespace

Calls& calls_of(const char* name) {
  Plan& all = plan();
  const std::lock_guard lock(all.mutex);
  std::unique_ptr<Calls>& slot = all.calls[name];
  if (!slot) {
    slot = std::make_unique<Calls>();
    slot->name = name;
  }
  return *slot;
}

int count_call(Calls& calls) {
  const std::uint64_t number = 1 + calls.made.fetch_add(1, std::memory_order_relaxed);
  Plan& all = plan();
  if (!all.any.load(std::memory_order_relaxed)) return 0;
  const std::lock_guard lock(all.mutex);
  for (const Fault& fault : all.faults)
    if (fault.function == calls.name && number >= fault.from && number <= fault.to) return fault.code;
  return 0;
}

void set_faults(const std::string& text) {
  std::vector<Fault> faults = parse(text);
  Plan& all = plan();
  const std::lock_guard lock(all.mutex);
  all.faults = std::move(faults);
  for (const auto& [name, calls] : all.calls) calls->made = 0;
  all.any = !all.faults.empty();
}

std::vector<std::pair<std::string, std::uint64_t>> calls_made() {
  Plan& all = plan();
  const std::lock_guard lock(all.mutex);
  std::vector<std::pair<std::string, std::uint64_t>> made;
  for (const auto& [name, calls] : all.calls)
    if (calls->made > 0) made.emplace_back(name, calls->made);
  return made;
}

}  // namespace portico::standin
