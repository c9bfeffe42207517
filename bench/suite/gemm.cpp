// Matrix products of the published lists, by Portico's own kernels, the vendor's library and the peers.
#include <algorithm>

#include "clblast.hpp"
#include "product.hpp"
#include "suite/table.hpp"
#include "suite/workload.hpp"

namespace portico::bench {
namespace {

// OpenBLAS's threads spin for some 30 ms after a call and would take a core from the next sample.
constexpr double kBlasSettles = 0.05;

std::vector<Column> columns(const Device& device, const Product& p, bool clblast) {
  std::vector<Column> all = {{.name = "own", .make = [p] { return portico_product(p); }}};
  const auto features = device.info().features();
  if (std::find(features.begin(), features.end(), "gemm") != features.end())
    all.push_back({.name = "vendor", .make = [p] { return portico_product(p); }, .vendor = true});
  if (device.info().is_cpu())
    all.push_back({.name = "openblas", .make = [p] { return openblas_product(p); }, .settle = kBlasSettles});
  // Behind the slot where the device has one; on a CPU its first call takes seconds, so only where it was asked for.
  if (clblast && device.backend() == "opencl" && device.info().is_cpu())
    all.push_back({.name = "clblast", .make = [p] { return clblast_product(p.m, p.n, p.k, p.trans_a, p.trans_b); }});
  return all;
}

Workload workload(const std::string& list, const Row& row, const std::string& label, std::int64_t batch,
                  std::int64_t count, bool clblast) {
  const Product p = {.m = row.number("m"),
                     .n = row.number("n"),
                     .k = row.number("k"),
                     .trans_a = row.flag("trans_a"),
                     .trans_b = row.flag("trans_b"),
                     .batch = batch};
  return {.list = list,
          .name = (label.empty() ? "" : label + "/") + p.name(),
          .work = p.work(),
          .memory = p.work().bytes,
          .quick = row.flag("quick"),
          .count = count,
          .columns = [p, clblast](const Device& device) { return columns(device, p, clblast); }};
}

}  // namespace

std::vector<Workload> gemm_workloads() {
  std::vector<Workload> all;
  for (const char* list : {"gemm_deepbench_train", "gemm_deepbench_inference"})
    for (const Row& row : table(list)) all.push_back(workload(list, row, {}, 1, 1, false));
  for (const Row& row : table("gemm_bert"))
    all.push_back(workload("gemm_bert", row, row.text("label"), row.number("batch"), row.number("count"), false));
  // CLBlast on a CPU is slow (facts that rows show, too): one list with the square products is enough of it.
  for (const Row& row : table("gemm_square")) all.push_back(workload("gemm_square", row, {}, 1, 1, true));
  return all;
}

}  // namespace portico::bench
