// The walk: each call that a scenario makes fails once in each way. One process, so that what a failure leaves behind
// would show in what comes after.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "catch.hpp"
#include "scenario.hpp"
#include "tests/standin/stand_in.hpp"

namespace portico::test {
namespace {

struct Kind {
  const char* name;
  int code;
  bool ends_device;
};

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The same for OpenCL's functions, with its codes.
std::vector<Kind> kinds_of_opencl(const std::string& name) {
  std::vector<Kind> kinds = {
      {"out of memory", -4, false}, {"out of resources", -5, false}, {"device not available", -2, true}};
  if (contains(name, "NDRange") || contains(name, "Finish") || contains(name, "WaitForEvents"))
    kinds.push_back({"launch failure", -14, false});
  if (contains(name, "ReadBuffer") || contains(name, "WriteBuffer") || contains(name, "CopyBuffer"))
    kinds.push_back({"transfer failure", -14, false});
  if (contains(name, "Map")) kinds.push_back({"map failure", -12, false});
  if (contains(name, "Program") && !contains(name, "Get")) kinds.push_back({"compiler failure", -11, false});
  return kinds;
}

// What a function can fail with, by what it is.
std::vector<Kind> kinds_of(const std::string& function) {
  const std::string name = function;
  if (name.starts_with("cl")) return kinds_of_opencl(name);
  if (contains(name, "rocblas")) return {{"BLAS: memory", 5, false}, {"BLAS: internal", 6, false}};
  if (contains(name, "hipblasLt")) return {{"BLAS: memory", 2, false}, {"BLAS: internal", 6, false}};
  if (contains(name, "cublas")) return {{"BLAS: memory", 3, false}, {"BLAS: internal", 14, false}};
  if (contains(name, "cudnn"))
    return {{"cuDNN: memory", 4004, false}, {"cuDNN: internal", 4000, false}, {"cuDNN: not supported", 3000, false}};
  if (contains(name, "miopen")) return {{"MIOpen: memory", 4, false}, {"MIOpen: internal", 5, false}};
  if (contains(name, "rtc")) return {{"compiler", 6, false}, {"compiler: memory", 1, false}};
  return {{"out of memory", 2, false}, {"unknown", 999, false}, {"launch failure", 719, true}, {"timeout", 702, true}};
}

// The first ones, where most is new, then a spread over the rest: wider where a case costs little.
std::vector<std::uint64_t> positions(const std::string& function, std::uint64_t count) {
  const std::uint64_t parts = function.starts_with("cl") ? 6 : 3;
  std::set<std::uint64_t> chosen;
  for (std::uint64_t n = 1; n <= std::min<std::uint64_t>(count, 2); ++n) chosen.insert(n);
  for (std::uint64_t part = 1; part <= parts; ++part) chosen.insert(std::max<std::uint64_t>(1, count * part / parts));
  return {chosen.begin(), chosen.end()};
}

struct Row {
  int cases = 0, same = 0, errors = 0;
};

std::string text_of(const Counts& counts) {
  std::string text;
  for (const auto& [name, count] : counts) text += name + " " + std::to_string(count) + "; ";
  return text;
}

// `kept`: how many objects of a kind may be there or not, by how late the device was.
bool no_more(const Counts& alive, const Counts& expected, std::uint64_t kept) {
  return std::equal(alive.begin(), alive.end(), expected.begin(), expected.end(),
                    [&](const auto& a, const auto& b) { return a.first == b.first && a.second <= b.second + kept; });
}

// What was counted first may hold something that the driver let go of a moment later; nobody may have it instead.
void lower(Counts& expected, const Counts& alive) {
  for (auto& [name, count] : expected) count = std::min(count, alive.at(name));
}

// What must not grow from case to case; memory is the pool's, which is emptied before it is counted. A driver may let
// go of what a command used a moment after it has said that the command is done: that is waited for.
Counts owned(const StandIn& stand_in, const Counts& expected = {}, std::uint64_t kept = 0) {
  Device::current().empty_cache();
  Counts alive = stand_in.alive();
  for (int waits = 0; waits < 2000 && !expected.empty() && !no_more(alive, expected, kept); ++waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    alive = stand_in.alive();
  }
  return alive;
}

void walk(const std::vector<Scenario>& chosen) {
  const StandIn stand_in;
  std::map<std::string, Row> table;
  int walked = 0;
  for (const Scenario& scenario : chosen) {
    stand_in.faults("");
    const std::vector<float> expected = scenario.run();
    REQUIRE(scenario.run() == expected);
    if (walks_convolutions()) {  // a library that declines is replaced by kernels, which are here from now on
      const VendorGuard own(false);
      REQUIRE(scenario.run() == expected);
    }
    Counts before = owned(stand_in);
    stand_in.faults("");
    REQUIRE(scenario.run() == expected);
    const Counts calls = stand_in.calls();
    for (const auto& [function, count] : calls) {
      if (walks_convolutions() && !contains(function, "cudnn") && !contains(function, "miopen")) continue;
      for (const Kind& kind : kinds_of(function))
        for (const std::uint64_t n : positions(function, count)) {
          const std::string fault = function + ":" + std::to_string(n) + ":" + std::to_string(kind.code);
          INFO(scenario.name << " with " << fault);
          Row& row = table[scenario.name + " | " + kind.name];
          ++row.cases;
          stand_in.faults(fault);
          try {
            const std::vector<float> result = scenario.run();
            CHECK(result == expected);
            ++row.same;
          } catch (const Error& error) {
            const bool says_something = std::strlen(error.what()) > 10;
            CHECK(says_something);
            ++row.errors;
          } catch (const std::exception& error) {
            FAIL_CHECK("not a portico::Error: " << error.what());
          }
          stand_in.faults("");
          stand_in.lose(0, 0);
          // Nothing of it lives on: the same step again gives what it gave.
          CHECK(scenario.run() == expected);
          const Counts alive = owned(stand_in, before, scenario.kept);
          INFO(text_of(alive) << "before: " << text_of(before));
          CHECK(no_more(alive, before, scenario.kept));
          if (scenario.kept == 0) lower(before, alive);
          ++walked;
        }
    }
  }
  std::printf("%-40s %6s %16s %8s\n", "scenario | kind", "cases", "as without it", "errors");
  for (const auto& [name, row] : table)
    std::printf("%-40s %6d %16d %8d\n", name.c_str(), row.cases, row.same, row.errors);
  std::printf("%d failed calls walked\n", walked);
}

}  // namespace

TEST_CASE("every call fails once") { walk(scenarios()); }

TEST_CASE("every call of a recording and its replays fails once", "[.][recording]") {
  walk({{"record and replay", record_and_replay}});
}

TEST_CASE("a device that is lost while a replay runs") {
  const StandIn stand_in;
  const std::string backend(Device::current().backend());
  if (backend == "opencl") return;  // behind the layer nothing fails by itself
  const std::vector<float> expected = record_and_replay();
  const Counts before = owned(stand_in);
  const Device other = Device::open(backend + ":1");
  {
    const Tensor total = Tensor::zeros({256});
    const Graph step = Graph::record([&] { total.copy_from(total + 1.0f); });
    step.replay();
    CHECK(total.to_vector() == std::vector<float>(256, 1.0f));
    step.replay();
    stand_in.lose(0, 719);
    for (const auto& call :
         {std::function<void()>([&] { total.to_vector(); }), std::function<void()>([&] { step.replay(); })})
      try {
        call();
        FAIL_CHECK("a lost device answered");
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::device_lost);
      }
    const DeviceGuard guard(other);
    CHECK(record_and_replay() == expected);
  }
  stand_in.lose(0, 0);
  CHECK(record_and_replay() == expected);
  const Counts after = owned(stand_in);
  INFO(text_of(after) << "before: " << text_of(before));
  for (const char* kind : {"graphs", "executable graphs"}) CHECK(after.at(kind) == before.at(kind));
}

TEST_CASE("a wait for staging memory that fails does not pass for its end", "[.][late]") {
  const StandIn stand_in;
  const std::vector<float> expected = two_streams();
  std::uint32_t rounds = 50'000'000;  // doubled until the device is slower than the host's writes: a tenth of a second
  std::uint64_t waits = 0;
  for (int tries = 0; waits <= 2 && tries < 5; ++tries) {  // two are for the times of the events
    rounds *= 2;
    stand_in.faults("");
    REQUIRE(two_streams(rounds) == expected);
    waits = stand_in.calls()["clWaitForEvents"];
  }
  REQUIRE(waits > 2);
  for (std::uint64_t n = 1; n <= waits; ++n)
    for (const int code : {-5, -14}) {
      // Two in a row: the first wait may be for a block whose bytes went long ago, though its marker is late.
      const auto failing = [&](std::uint64_t at) {
        return "clWaitForEvents:" + std::to_string(at) + ":" + std::to_string(code);
      };
      const std::string fault = failing(n) + "," + failing(n + 1);
      INFO(fault);
      stand_in.faults(fault);
      try {
        const std::vector<float> result = two_streams(rounds);
        CHECK(result == expected);
      } catch (const Error& error) {
        CHECK(std::string(error.what()).find("clWaitForEvents") != std::string::npos);
      }
      stand_in.faults("");
      CHECK(two_streams() == expected);
    }
}

TEST_CASE("a replay that fails after its call has returned is told of by the next call that waits", "[.][replay]") {
  const StandIn stand_in;
  const Tensor x = Tensor::full({64}, 2.0f);
  Tensor y;
  const Graph graph = Graph::record([&] {
    for (int i = 0; i < 3; ++i) x.copy_from(sum(x) * x);  // a reduction between them: nothing is fused away
    y = x + 1.0f;
  });
  const auto enqueued = [&] { return stand_in.calls()["clEnqueueNDRangeKernel"]; };
  const auto start = [&] { x.copy_from(std::vector<float>(64, 0.125f)); };
  start();
  stand_in.faults("");
  graph.replay();
  const std::vector<float> expected = y.to_vector();
  const std::uint64_t count = enqueued();
  REQUIRE(count >= 5);
  for (std::uint64_t n = 1; n <= count; ++n)
    for (const int code : {-4, -5, -2, -59})  // no memory, no resources, device gone, an invalid operation
      for (const bool wait_for_thread : {false, true}) {
        const std::string fault = "clEnqueueNDRangeKernel:" + std::to_string(n) + ":" + std::to_string(code);
        INFO(fault << (wait_for_thread ? ", queued by the thread" : ", at once"));
        start();
        stand_in.faults(fault);
        CHECK_NOTHROW(graph.replay());
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (wait_for_thread && enqueued() < n && std::chrono::steady_clock::now() < deadline)
          std::this_thread::yield();
        if (wait_for_thread) CHECK(enqueued() >= n);
        try {
          const std::vector<float> result = y.to_vector();
          CHECK(result == expected);
          const bool no_memory_at_first = n == 1 && (code == -4 || code == -5);
          CHECK(no_memory_at_first);
        } catch (const Error& error) {
          const std::string text = error.what();
          CHECK(contains(text, ("replay of recorded commands: " + std::to_string(n - 1) + " of ").c_str()));
          CHECK(error.code() == (code == -2 ? ErrorCode::device_lost : ErrorCode::internal));
        }
        stand_in.faults("");
        stand_in.lose(0, 0);
        start();  // told once: nothing of it comes again
        graph.replay();
        CHECK(y.to_vector() == expected);
      }

  // A graph that goes while its replay is still to be queued takes nothing along that the replay needs.
  for (int i = 0; i < 50; ++i) {
    Tensor total;
    {
      const Tensor part = Tensor::full({256}, 1.0f);
      const Graph short_lived = Graph::record([&] {
        Tensor sum_so_far = part;
        for (int k = 0; k < 6; ++k) sum_so_far = sum_so_far * sum(part);
        total = sum(sum_so_far);
      });
      short_lived.replay();
    }
    Device::current().empty_cache();
    CHECK(total.item() == std::pow(256.0f, 7.0f));
  }
}

TEST_CASE("after a lost device the other one works on") {
  const StandIn stand_in;
  const std::string backend(Device::current().backend());
  if (backend == "opencl") return;  // behind the layer all devices are one
  const Device first = Device::open(backend + ":0"), second = Device::open(backend + ":1");
  const std::vector<float> expected = [&] {
    const DeviceGuard guard(second);
    return train_two_steps();
  }();
  {
    const DeviceGuard guard(first);
    const Tensor x = Tensor::full({16}, 1.0f);
    stand_in.lose(0, 719);
    try {
      (x + x).to_vector();
      FAIL_CHECK("a lost device answered");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::device_lost);
    }
  }
  const DeviceGuard guard(second);
  CHECK(train_two_steps() == expected);
  stand_in.lose(0, 0);
}

}  // namespace portico::test
