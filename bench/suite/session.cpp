#include "suite/session.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <regex>
#include <set>

#include "manifest.hpp"
#include "names.hpp"
#include "suite/catalogue.hpp"
#include "suite/interrupts.hpp"

namespace portico::bench {

struct Session::OpenDevice {
  std::string label;
  std::optional<Device> device;
  std::string error;  ///< why it cannot be used, or no longer
};

struct Session::Group {
  Workload workload;
  std::vector<OpenDevice*> devices;              ///< of each contestant
  std::vector<Contestant> contestants;           ///< parallel to devices
  std::vector<std::string> rows;                 ///< parallel to devices
  std::vector<char> chosen;                      ///< by the filter
  std::vector<std::deque<Measurement>> waiting;  ///< measured, not yet reported
};

namespace {

// Seconds that a workload which was begun in time may go on for.
constexpr double kGrace = 15;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Gives a row without a figure its reason, from inside the loop: Google Benchmark ends the process when the repetitions
// of a row have counted different numbers of iterations.
void skip(benchmark::State& state, const char* reason) {
  for (auto _ : state) {
    state.SkipWithError(reason);
    break;
  }
}

// As Google Benchmark matches: a search, "-" in front turns it around, "all" and nothing mean everything.
std::function<bool(const std::string&)> matcher(std::string filter) {
  if (filter.empty() || filter == "all") return [](const std::string&) { return true; };
  const bool not_these = filter[0] == '-';
  if (not_these) filter.erase(0, 1);
  try {
    return [pattern = std::regex(filter, std::regex::extended), not_these](const std::string& name) {
      return std::regex_search(name, pattern) != not_these;
    };
  } catch (const std::regex_error&) {
    throw Error(ErrorCode::invalid_argument, "--benchmark_filter=" + filter + ": not a regular expression");
  }
}

// Bytes that a device can still give. A processor's memory is what the machine has free: more would end the process.
double free_bytes(const Device& device) {
  const double total = static_cast<double>(device.info().memory_bytes);
  if (!device.info().is_cpu()) return total;
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("MemAvailable:", 0) == 0) return std::min(total, 1024 * std::strtod(line.c_str() + 13, nullptr));
  return total;
}

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GB", bytes / 1e9);
  return text;
}

}  // namespace

Session::Session(const SuiteOptions& options) : options_(options), started_(now()) {
  quick_ = check_suites(options.suites);
  // Three minutes are promised for "quick"; a workload that has begun may take its least number of samples.
  const double limit = options.time > 0 ? options.time : quick_ ? 140 : 0;
  deadline_ = limit > 0 ? started_ + limit : 0;
  watch_interrupts();
  for (const std::string& label : devices_of(options.devices)) {
    auto opened = std::make_unique<OpenDevice>();
    opened->label = label;
    try {
      opened->device = Device::open(label);
      opened->label = opened->device->label();
    } catch (const Error& error) {
      opened->error = error.what();
    }
    devices_.push_back(std::move(opened));
  }
}

Session::~Session() = default;

std::size_t Session::add_rows(const std::string& filter) {
  const auto matches = matcher(filter);
  std::size_t chosen = 0;
  std::vector<OpenDevice*> usable;
  for (const auto& device : devices_) {
    if (device->device) {
      usable.push_back(device.get());
      continue;
    }
    const std::string name = "device/" + device->label;
    names_.push_back(name);
    if (matches(name)) ++chosen;
    benchmark::RegisterBenchmark(name.c_str(), [reason = device->error](benchmark::State& state) {
      state.SkipWithError(reason.c_str());
    })->Iterations(1);
  }
  std::vector<Device> open;
  for (const OpenDevice* device : usable) open.push_back(*device->device);

  for (Workload& workload : workloads_of(options_.suites, open)) {
    auto group = std::make_unique<Group>();
    bool any = false;
    for (OpenDevice* device : usable) {
      for (const Column& column : workload.columns(*device->device)) {
        const std::string name = workload.list + "/" + workload.name + "/" + device->label + "/" + column.name;
        group->devices.push_back(device);
        group->contestants.push_back({*device->device, column});
        group->rows.push_back(name);
        group->chosen.push_back(matches(name) ? 1 : 0);
        any = any || group->chosen.back() != 0;
        chosen += static_cast<std::size_t>(group->chosen.back());
      }
    }
    group->waiting.resize(group->rows.size());
    group->workload = std::move(workload);
    for (std::size_t i = 0; i < group->rows.size(); ++i) {
      names_.push_back(group->rows[i]);
      benchmark::RegisterBenchmark(group->rows[i].c_str(),
                                   [this, at = group.get(), i](benchmark::State& state) { run_row(state, *at, i); })
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kMicrosecond);
    }
    if (any) ++groups_chosen_;
    groups_.push_back(std::move(group));
  }
  return chosen;
}

void Session::begin() {
  for (const auto& device : devices_) {
    if (!device->device || bench::interrupted()) continue;
    if (isatty(STDERR_FILENO)) std::fprintf(stderr, "measuring the limits of %s\r", device->label.c_str());
    try {
      limits(*device->device);
    } catch (const Error& error) {
      device->error = std::string("its limits could not be measured: ") + error.what();
    }
  }
}

bool Session::out_of_time() const { return deadline_ > 0 && now() > deadline_; }
bool Session::interrupted() const { return bench::interrupted(); }

void Session::progress(const Group& group) const {
  const double seconds = now() - started_;
  char head[64];
  if (deadline_ > 0)
    std::snprintf(head, sizeof head, "%d/%d  %.0f of %.0f s", groups_done_ + 1, groups_chosen_, seconds,
                  deadline_ - started_);
  else
    std::snprintf(head, sizeof head, "%d/%d  %.0f s", groups_done_ + 1, groups_chosen_, seconds);
  if (isatty(STDERR_FILENO))
    std::fprintf(stderr, "\r\033[K%s  %s/%s\r", head, group.workload.list.c_str(), group.workload.name.c_str());
}

void Session::measure_group(Group& group) {
  progress(group);
  std::vector<std::size_t> places;
  std::vector<Contestant> contestants;
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    if (!group.chosen[i]) continue;
    std::string reason = group.devices[i]->error;
    if (reason.empty() && !group.contestants[i].column.settle) {
      const double available = free_bytes(group.contestants[i].device), needed = group.workload.memory;
      if (needed > 0.9 * available)
        reason = "out of memory: needs at least " + gigabytes(needed) + ", " + group.devices[i]->label + " has " +
                 gigabytes(available) + " free";
    }
    if (!reason.empty()) {
      Measurement refused;
      refused.error = reason;
      group.waiting[i].push_back(refused);
      continue;
    }
    places.push_back(i);
    contestants.push_back(group.contestants[i]);
  }
  MeasureOptions how{.seconds = quick_ ? 0.2 : 0.4, .flush_caches = options_.flush};
  how.stop = [this] { return bench::interrupted() || (deadline_ > 0 && now() > deadline_ + kGrace); };
  if (!quick_) how.most_samples = 41;
  if (group.workload.list == "cold_start") how.least_samples = quick_ ? 3 : 5;
  const auto results = measure(group.workload, contestants, how);
  for (std::size_t k = 0; k < places.size(); ++k) {
    OpenDevice& device = *group.devices[places[k]];
    if (results[k].device_lost && device.error.empty())
      device.error = "device lost in " + group.rows[places[k]] + ": " + results[k].error;
    group.waiting[places[k]].push_back(results[k]);
  }
  // A large row must not leave its memory to the pool, where another way to the same device cannot have it.
  std::set<const OpenDevice*> emptied;
  for (const std::size_t place : places)
    if (group.devices[place]->error.empty() && emptied.insert(group.devices[place]).second) {
      const Device& device = group.contestants[place].device;
      if (device.memory().cached > device.info().memory_bytes / 8) device.empty_cache();
    }
  ++groups_done_;
}

void Session::run_row(benchmark::State& state, Group& group, std::size_t contestant) {
  auto& waiting = group.waiting[contestant];
  if (waiting.empty() && !bench::interrupted() && !out_of_time()) measure_group(group);
  if (waiting.empty()) {
    ++not_run_;
    skip(state, kNotRun);
    return;
  }
  const Measurement result = waiting.front();
  waiting.pop_front();
  const Workload& workload = group.workload;
  nlohmann::ordered_json& details = details_[group.rows[contestant]].emplace_back();
  details = {{"suite", workload.list},
             {"workload", workload.name},
             {"device", group.devices[contestant]->label},
             {"column", group.contestants[contestant].column.name},
             {"count", workload.count}};
  if (result.error.empty() && result.samples == 0) {
    ++not_run_;
    skip(state, kNotRun);
    return;
  }
  if (!result.error.empty()) {
    skip(state, result.error.c_str());
    return;
  }
  details["median_seconds"] = result.seconds.median;
  details["q1_seconds"] = result.seconds.q1;
  details["q3_seconds"] = result.seconds.q3;
  details["samples"] = result.samples;
  details["calls_per_sample"] = result.calls;
  details["stable"] = result.warm;
  details["clock"] = result.events ? "device events" : "host";
  details["caches"] = options_.flush ? "flushed before each sample" : "as the calls before left them";
  details["flops_per_call"] = workload.work.flops;
  details["bytes_per_call"] = workload.work.bytes;
  if (workload.work.host_bytes > 0) details["host_bytes_per_call"] = workload.work.host_bytes;
  if (result.joules > 0) details["joules_per_call"] = result.joules;
  if (result.megahertz > 0) details["megahertz"] = result.megahertz;

  for (auto _ : state) state.SetIterationTime(result.seconds.median);
  const double seconds = result.seconds.median;
  const Limits& roof = limits(*group.devices[contestant]->device);
  if (workload.work.flops > 0) state.counters["flops"] = workload.work.flops / seconds;
  const double bytes = workload.work.bytes + workload.work.host_bytes;
  if (bytes > 0) state.counters["bytes_per_second"] = bytes / seconds;
  state.counters["iqr"] = (result.seconds.q3 - result.seconds.q1) / seconds;
  state.counters["fraction_of_limit"] = fraction_of_limit(roof, workload.work, seconds);
}

const nlohmann::ordered_json& Session::details(const std::string& row, std::size_t repetition) const {
  static const nlohmann::ordered_json kNone;
  const auto at = details_.find(row);
  if (at == details_.end() || at->second.empty()) return kNone;
  return at->second[std::min(repetition, at->second.size() - 1)];
}

nlohmann::ordered_json Session::manifest() const {
  std::vector<Device> open;
  for (const auto& device : devices_)
    if (device->device) open.push_back(*device->device);
  nlohmann::ordered_json made = machine_manifest(open, options_.command);
  made["options"] = {{"suites", options_.suites},
                     {"seconds", options_.time},
                     {"caches", options_.flush ? "flushed before each sample" : "as the calls before left them"}};
  return made;
}

nlohmann::ordered_json Session::ending() const {
  const char* how = bench::interrupted() ? "interrupted" : not_run_ > 0 ? "out of time" : "complete";
  return {{"ended", how}, {"rows_not_run", not_run_}, {"seconds", now() - started_}};
}

}  // namespace portico::bench
