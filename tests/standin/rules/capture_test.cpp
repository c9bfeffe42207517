// Capture: what it forbids, and that a replay does what was recorded, with arguments as they are then.
#include <thread>

#include "library.hpp"

namespace portico::test {
namespace {

struct NodeParams {
  cuda::Function function;
  unsigned grid[3], block[3], shared_bytes;
  void** arguments;
  void** extra;
  void* kernel;
  void* context;
};

}  // namespace

TEST_CASE("a replay does what was captured, across two streams") {
  Functions& cu = on_first();
  const auto first = stream(cu), second = stream(cu);
  const auto fork = event(cu), join = event(cu);
  const auto x = memory(cu, 256), y = memory(cu, 256), z = memory(cu, 256);
  put(cu, x, 3, 64);
  put(cu, y, 0, 64);
  put(cu, z, 0, 64);

  REQUIRE(cu.begin_capture(first, 1) == 0);
  REQUIRE(scale(cu, first, x, y, 64, 2) == 0);
  REQUIRE(cu.cuEventRecord(fork, first) == 0);
  REQUIRE(cu.cuStreamWaitEvent(second, fork, 0) == 0);
  REQUIRE(scale(cu, second, y, z, 64, 5) == 0);
  REQUIRE(cu.cuEventRecord(join, second) == 0);
  REQUIRE(cu.cuStreamWaitEvent(first, join, 0) == 0);
  REQUIRE(scale(cu, first, z, z, 64, 7) == 0);
  void *graph = nullptr, *executable = nullptr;
  REQUIRE(cu.end_capture(first, &graph) == 0);
  REQUIRE(cu.instantiate(&executable, graph, 0) == 0);
  CHECK(first_of(cu, z, first) == 0);  // nothing has run

  REQUIRE(cu.launch_graph(executable, first) == 0);
  CHECK(first_of(cu, z, first) == 210);
  put(cu, x, 1, 64);
  REQUIRE(cu.launch_graph(executable, second) == 0);
  CHECK(first_of(cu, z, second) == 70);

  // Another factor for the first kernel; a launch that is already queued keeps the old one.
  void* nodes[8] = {};
  std::size_t count = 8;
  REQUIRE(cu.graph_nodes(graph, nodes, &count) == 0);
  REQUIRE(count == 3);
  cuda::DevicePointer from = x, to = y;
  unsigned length = 64;
  float by = 4;
  void* arguments[] = {&from, &to, &length, &by};
  const NodeParams params = {
      kernel(cu, kScale, "scale"), {1, 1, 1}, {64, 1, 1}, 0, arguments, nullptr, nullptr, nullptr};
  REQUIRE(cu.launch_graph(executable, first) == 0);
  REQUIRE(cu.set_node(executable, nodes[0], &params) == 0);
  CHECK(first_of(cu, z, first) == 70);
  REQUIRE(cu.launch_graph(executable, first) == 0);
  CHECK(first_of(cu, z, first) == 140);
  CHECK(cu.set_node(executable, nullptr, &params) == 1);

  CHECK(cu.destroy_graph(graph) == 0);
  REQUIRE(cu.launch_graph(executable, first) == 0);  // lives on without the graph
  CHECK(cu.cuStreamSynchronize(first) == 0);
  CHECK(cu.destroy_executable(executable) == 0);
  CHECK(cu.launch_graph(executable, first) == 1);
  CHECK(cu.destroy_graph(graph) == 1);
}

TEST_CASE("what capture forbids ends it") {
  Functions& cu = on_first();
  const auto on = stream(cu), other = stream(cu);
  const auto x = memory(cu, 256);
  const auto outside = event(cu), inside = event(cu);
  void* graph = nullptr;
  cuda::DevicePointer pointer = 0;
  const auto ends_invalid = [&] {
    CHECK(scale(cu, on, x, x, 64, 1) == 901);
    CHECK(cu.end_capture(on, &graph) == 901);
    CHECK(graph == nullptr);
  };
  CHECK(cu.begin_capture(nullptr, 0) == 900);
  CHECK(cu.end_capture(on, &graph) == 1);

  REQUIRE(cu.begin_capture(on, 1) == 0);
  CHECK(cu.cuStreamSynchronize(on) == 900);
  ends_invalid();
  REQUIRE(cu.begin_capture(on, 1) == 0);
  CHECK(cu.cuCtxSynchronize() == 900);
  ends_invalid();
  REQUIRE(cu.begin_capture(on, 1) == 0);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 900);
  ends_invalid();
  REQUIRE(cu.begin_capture(on, 1) == 0);
  REQUIRE(cu.cuEventRecord(inside, on) == 0);
  CHECK(cu.cuEventSynchronize(inside) == 907);
  ends_invalid();
  REQUIRE(cu.begin_capture(on, 1) == 0);
  REQUIRE(cu.cuEventRecord(outside, other) == 0);
  CHECK(cu.cuStreamWaitEvent(on, outside, 0) == 905);
  ends_invalid();

  REQUIRE(cu.begin_capture(on, 2) == 0);  // relaxed
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 0);
  int code = -1;
  std::thread([&] { cu.cuCtxSetCurrent(cu.contexts[0]), code = cu.cuMemFree_v2(pointer); }).join();
  CHECK(code == 0);
  REQUIRE(cu.end_capture(on, &graph) == 0);
  CHECK(cu.destroy_graph(graph) == 0);
  REQUIRE(cu.begin_capture(on, 1) == 0);  // another thread is free to allocate, and not to end it
  std::thread([&] { cu.cuCtxSetCurrent(cu.contexts[0]), code = cu.cuMemAlloc_v2(&pointer, 4); }).join();
  CHECK(code == 0);
  std::thread([&] { cu.cuCtxSetCurrent(cu.contexts[0]), code = cu.end_capture(on, &graph); }).join();
  CHECK(code == 908);
  CHECK(cu.end_capture(on, &graph) == 901);

  REQUIRE(cu.begin_capture(on, 1) == 0);  // a fork that never comes back
  REQUIRE(cu.cuEventRecord(inside, on) == 0);
  REQUIRE(cu.cuStreamWaitEvent(other, inside, 0) == 0);
  REQUIRE(scale(cu, other, x, x, 64, 1) == 0);
  CHECK(cu.end_capture(on, &graph) == 904);
  CHECK(cu.cuStreamSynchronize(other) == 0);
}

}  // namespace portico::test
