// A workload: one shape of one operation, and the ways to run it that are compared.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "limits.hpp"

namespace portico::bench {

using Call = std::function<void()>;

/// One way to run a workload on a device: Portico's own kernels, the vendor's library behind the slot, a peer.
struct Column {
  std::string name;            ///< "own", "vendor", "openblas", "clblast"
  std::function<Call()> make;  ///< the set-up; runs with the device current. Throws Error with the reason
  bool vendor = false;         ///< vendors' libraries allowed
  double settle = 0;           ///< seconds to leave the machine alone after a sample (threads that spin)
};

enum class Timing {
  batches,   ///< many calls between two waits
  each_call  ///< a call is waited for, or is its own wait
};

struct Workload {
  std::string list;  ///< the suite that it belongs to: the name of its data file
  std::string name;  ///< "NN/m:1760/n:16/k:1760"
  Work work;
  double memory = 0;  ///< bytes of the device that it needs at least
  bool quick = false;
  std::int64_t count = 1;  ///< how often the network that it comes from has it
  Timing timing = Timing::batches;
  bool on_host = false;  ///< what it times is the host: no device events
  std::function<std::vector<Column>(const Device&)> columns;
};

/// Portico's own kernels alone.
std::function<std::vector<Column>(const Device&)> own_column(std::function<Call()> make);

// The lists, from bench/workloads and, for roofs and host costs, from here.
std::vector<Workload> roof_workloads(const Device& device);
std::vector<Workload> gemm_workloads();
std::vector<Workload> conv_workloads();
std::vector<Workload> memory_workloads();  ///< memory_bound, pooling, optimizer, transfer
std::vector<Workload> host_workloads();    ///< launch, allocation, cold start
std::vector<Workload> model_workloads();

/// All but the roofs.
std::vector<Workload> all_workloads();

}  // namespace portico::bench
