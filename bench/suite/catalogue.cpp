#include "suite/catalogue.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "names.hpp"

namespace portico::bench {
namespace {

// The order of rows and of the report.
const std::vector<std::string> kLists = {"roofs",
                                         "launch",
                                         "allocation",
                                         "transfer",
                                         "memory_bound",
                                         "pooling",
                                         "optimizer",
                                         "gemm_square",
                                         "gemm_deepbench_train",
                                         "gemm_deepbench_inference",
                                         "gemm_bert",
                                         "conv_resnet50",
                                         "conv_deepbench_train",
                                         "conv_deepbench_inference",
                                         "inference",
                                         "train_step",
                                         "cold_start"};

// Where devices differ in what they can do (f16), a device without it has no row of it.
std::vector<Workload> roofs_of(const std::vector<Device>& devices) {
  std::vector<Workload> all;
  for (const Device& device : devices)
    for (Workload& roof : roof_workloads(device)) {
      const bool known = std::any_of(all.begin(), all.end(), [&](const Workload& w) { return w.name == roof.name; });
      if (!known) all.push_back(std::move(roof));
    }
  for (Workload& roof : all)
    roof.columns = [name = roof.name](const Device& device) {
      std::vector<Column> columns;
      for (const Workload& own : roof_workloads(device))
        if (own.name == name) columns = own.columns(device);
      return columns;
    };
  return all;
}

}  // namespace

std::vector<std::string> suite_names() {
  std::vector<std::string> names = {"quick", "full"};
  names.insert(names.end(), kLists.begin(), kLists.end());
  return names;
}

bool check_suites(const std::vector<std::string>& suites) {
  const auto known = suite_names();
  for (const std::string& suite : suites)
    if (std::find(known.begin(), known.end(), suite) == known.end())
      throw Error(ErrorCode::invalid_argument, "--suite " + suite + ": no such suite; nearest: " +
                                                   joined(nearest(suite, known)) + " (all: " + joined(known) + ")");
  return std::find(suites.begin(), suites.end(), "quick") != suites.end();
}

std::vector<Workload> workloads_of(const std::vector<std::string>& suites, const std::vector<Device>& devices) {
  const std::set<std::string> wanted(suites.begin(), suites.end());
  std::map<std::string, std::vector<Workload>> lists;
  for (Workload& roof : roofs_of(devices)) lists["roofs"].push_back(std::move(roof));
  for (Workload& workload : all_workloads()) lists[workload.list].push_back(std::move(workload));

  const bool full = wanted.count("full") > 0, quick = wanted.count("quick") > 0;
  for (auto& [name, list] : lists) {
    if (full || wanted.count(name) > 0) continue;
    std::erase_if(list, [&](const Workload& workload) { return !quick || !workload.quick; });
  }
  std::vector<Workload> all;
  if (!full) {
    for (const std::string& name : kLists)
      for (Workload& workload : lists[name]) all.push_back(std::move(workload));
    return all;
  }
  // The rows that the quick suite has come first: they are the ones that were chosen for saying most.
  for (auto& [name, list] : lists)
    std::stable_sort(list.begin(), list.end(), [](const Workload& a, const Workload& b) { return a.quick > b.quick; });
  for (Workload& roof : lists["roofs"]) all.push_back(std::move(roof));
  std::size_t longest = 0;
  for (const auto& [name, list] : lists) longest = std::max(longest, list.size());
  for (std::size_t i = 0; i < longest; ++i)
    for (const std::string& name : kLists)
      if (name != "roofs" && i < lists[name].size()) all.push_back(std::move(lists[name][i]));
  return all;
}

std::vector<std::string> devices_of(const std::vector<std::string>& asked) {
  if (!asked.empty()) return asked;
  if (const char* backend = std::getenv("PORTICO_BACKEND"); backend != nullptr && *backend != '\0') return {backend};
  std::vector<std::string> labels;
  std::string reasons;
  for (const BackendReport& report : Device::survey()) {
    for (const DeviceInfo& device : report.devices)
      labels.push_back(device.backend + ":" + std::to_string(device.index));
    if (!report.usable) reasons += "\n  " + report.name + ": " + report.reason;
  }
  if (labels.empty()) throw Error(ErrorCode::unsupported, "no device on this machine:" + reasons);
  return labels;
}

}  // namespace portico::bench
