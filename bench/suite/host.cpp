// What the host pays: launches, allocations, starts. And the limits themselves as rows.
#include "cold_start.hpp"
#include "portico/portico.hpp"
#include "suite/workload.hpp"

namespace portico::bench {
namespace {

Workload host_row(const std::string& list, const std::string& name, bool quick, double bytes,
                  std::function<Call()> make, Timing timing = Timing::batches) {
  return {.list = list,
          .name = name,
          .work = {.bytes = bytes},
          .quick = quick,
          .timing = timing,
          .on_host = true,
          .columns = own_column(std::move(make))};
}

void add_launches(std::vector<Workload>& all) {
  constexpr double kBytes = 2 * 16 * 4;  // what the tiny tensors cause, so that the fraction says how little it is
  all.push_back(host_row("launch", "pointwise", true, kBytes, []() -> Call {
    return [x = Tensor::ones({16})] {
      const NoGrad guard;
      relu(x);
    };
  }));
  all.push_back(host_row("launch", "pointwise_recorded", true, kBytes, []() -> Call {
    Tensor x = Tensor::ones({16});
    x.set_requires_grad();
    return [x] { relu(x); };
  }));
  all.push_back(host_row("launch", "matmul", false, 3 * 64 * 4, []() -> Call {
    return [x = Tensor::ones({8, 8})] {
      const NoGrad guard;
      matmul(x, x);
    };
  }));
  all.push_back(host_row("launch", "wait", true, kBytes, []() -> Call {
    const Device device = Device::current();
    return [x = Tensor::ones({16}), device] {
      const NoGrad guard;
      relu(x);
      device.synchronize();
    };
  }));
}

void add_allocations(std::vector<Workload>& all) {
  for (const std::size_t bytes : {std::size_t{1} << 12, std::size_t{1} << 20, std::size_t{1} << 26}) {
    const std::string size = "/bytes:" + std::to_string(bytes);
    all.push_back(host_row("allocation", "pooled" + size, bytes == 1 << 20, 0, [bytes]() -> Call {
      return [device = Device::current(), bytes] { (void)device.allocate(bytes); };
    }));
    all.push_back(host_row("allocation", "driver" + size, bytes == 1 << 20, 0, [bytes]() -> Call {
      return [device = Device::current(), bytes] {
        (void)device.allocate(bytes);
        device.empty_cache();
      };
    }));
  }
}

void add_starts(std::vector<Workload>& all) {
  for (const char* model : {"mlp", "cnn"})
    for (const bool warm : {true, false}) {
      Workload row = host_row(
          "cold_start", std::string(model) + (warm ? "/cache:warm" : "/cache:empty"),
          warm && std::string(model) == "mlp", 0,
          [=]() -> Call { return ColdStart(model, Device::current().label(), warm); }, Timing::each_call);
      all.push_back(std::move(row));
    }
}

}  // namespace

std::function<std::vector<Column>(const Device&)> own_column(std::function<Call()> make) {
  return [make = std::move(make)](const Device&) { return std::vector<Column>{{.name = "own", .make = make}}; };
}

std::vector<Workload> roof_workloads(const Device& device) {
  std::vector<Workload> all;
  for (const Roof& roof : roofs(device))
    all.push_back({.list = "roofs",
                   .name = roof.name,
                   .work = roof.work,
                   .quick = true,
                   .timing = roof.waits ? Timing::each_call : Timing::batches,
                   .on_host = !roof.waits || roof.work.host_bytes > 0,
                   .columns = own_column([make = roof.make] { return make(Device::current()); })});
  return all;
}

std::vector<Workload> host_workloads() {
  std::vector<Workload> all;
  add_launches(all);
  add_allocations(all);
  add_starts(all);
  return all;
}

std::vector<Workload> all_workloads() {
  std::vector<Workload> all;
  for (auto* list : {host_workloads, model_workloads, gemm_workloads, conv_workloads, memory_workloads}) {
    std::vector<Workload> some = list();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace portico::bench
