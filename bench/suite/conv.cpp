// Convolutions of the published lists: forward, and of the training lists both gradients.
#include <algorithm>

#include "conv_calls.hpp"
#include "suite/table.hpp"
#include "suite/workload.hpp"

namespace portico::bench {
namespace {

struct Sizes {
  Shape x, weight;
  Conv2dOptions options;
  std::string name;
  Work work;
};

Sizes sizes(const Row& row) {
  const auto at = [&](const char* column) { return row.number(column); };
  Sizes made{.x = {at("n"), at("c"), at("h"), at("w")},
             .weight = {at("k"), at("c"), at("r"), at("s")},
             .options = {.stride = {at("stride_h"), at("stride_w")}, .padding = {at("pad_h"), at("pad_w")}},
             .name = {},
             .work = {}};
  const auto& [stride, padding] = std::pair(made.options.stride, made.options.padding);
  const std::int64_t p = (at("h") + 2 * padding[0] - at("r")) / stride[0] + 1,
                     q = (at("w") + 2 * padding[1] - at("s")) / stride[1] + 1;
  for (const char* column : {"n", "c", "h", "w", "k", "r", "s"})
    made.name += "/" + std::string(column) + ":" + std::to_string(at(column));
  const auto pair_text = [](const Pair& pair) {
    return std::to_string(pair[0]) + (pair[0] != pair[1] ? "x" + std::to_string(pair[1]) : std::string());
  };
  made.name += "/stride:" + pair_text(stride) + "/pad:" + pair_text(padding);
  const double result = static_cast<double>(at("n") * at("k") * p * q);
  made.work = {.bytes = 4 * (static_cast<double>(made.x.count() + made.weight.count()) + result),
               .flops = 2 * result * static_cast<double>(at("c") * at("r") * at("s"))};
  return made;
}

std::vector<Column> columns(const Device& device, const std::function<Call()>& make) {
  std::vector<Column> all = {{.name = "own", .make = make}};
  const auto features = device.info().features();
  if (std::find(features.begin(), features.end(), "conv") != features.end())
    all.push_back({.name = "vendor", .make = make, .vendor = true});
  return all;
}

void add_list(std::vector<Workload>& all, const std::string& list, bool training) {
  for (const Row& row : table(list)) {
    const Sizes s = sizes(row);
    const std::int64_t count = list == "conv_resnet50" ? row.number("count") : 1;
    const auto add = [&](const std::string& direction, std::function<Call()> make) {
      all.push_back({.list = list,
                     .name = direction + s.name,
                     .work = s.work,
                     .memory = s.work.bytes,
                     .quick = row.flag("quick"),
                     .count = count,
                     .columns = [make](const Device& device) { return columns(device, make); }});
    };
    add("forward", [s] { return conv_forward(Operands(s.x, s.weight, s.options)); });
    if (!training) continue;
    add("input_gradient", [s] { return conv_gradient(Operands(s.x, s.weight, s.options), true); });
    add("weight_gradient", [s] { return conv_gradient(Operands(s.x, s.weight, s.options), false); });
  }
}

}  // namespace

std::vector<Workload> conv_workloads() {
  std::vector<Workload> all;
  add_list(all, "conv_resnet50", true);
  add_list(all, "conv_deepbench_train", true);
  add_list(all, "conv_deepbench_inference", false);
  return all;
}

}  // namespace portico::bench
