// PTX snippets as kernels: what the tests of the machine share.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "tests/standin/ptx/module.hpp"
#include "tests/standin/ptx/program.hpp"

namespace portico::standin::test {

using ptx::Checks;
using ptx::Fault;
using ptx::Launch;

inline const std::string kHead = ".version 8.0\n.target sm_80\n.address_size 64\n";

/// A kernel of two pointers: %rd1 is x, %rd2 is y, %r1 the thread's number in the grid, %rd3 eight times that.
inline std::string kernel_text(const std::string& body, const std::string& globals = "",
                               const std::string& name = "k") {
  return kHead + globals + ".visible .entry " + name +
         "(.param .u64 p0, .param .u64 p1) {\n"
         ".reg .pred %p<10>; .reg .b16 %h<20>; .reg .b32 %r<40>; .reg .b64 %rd<40>; .reg .f32 %f<40>; .reg .f64 "
         "%fd<20>;\n"
         "ld.param.u64 %rd1, [p0]; ld.param.u64 %rd2, [p1];\n"
         "mov.u32 %r30, %ctaid.x; mov.u32 %r31, %ntid.x; mov.u32 %r32, %tid.x; mad.lo.s32 %r1, %r30, %r31, %r32;\n"
         "mul.wide.u32 %rd3, %r1, 8;\n" +
         body + "\nret;\n}\n";
}

/// A device with two buffers.
struct Bench {
  Memory memory{std::size_t{1} << 28};
  std::uint64_t x = 0, y = 0;

  std::uint64_t buffer(std::size_t bytes, bool written = true) {
    void* p = memory.allocate(bytes);
    std::memset(p, 0, bytes);
    if (written) memory.mark_written(p, bytes);
    return reinterpret_cast<std::uint64_t>(p);
  }
  template <typename T>
  std::uint64_t buffer(const std::vector<T>& values) {
    const std::uint64_t at = buffer(values.size() * sizeof(T));
    std::memcpy(reinterpret_cast<void*>(at), values.data(), values.size() * sizeof(T));
    return at;
  }
  template <typename T>
  std::vector<T> read(std::uint64_t at, std::size_t count) {
    std::vector<T> values(count);
    std::memcpy(values.data(), reinterpret_cast<const void*>(at), count * sizeof(T));
    return values;
  }
  ptx::Counts run(const std::string& text, unsigned blocks, unsigned threads, std::size_t shared = 0,
                  Checks checks = {}) {
    const auto module = ptx::Module::parse(text);
    const ptx::Function* function = module->find("k");
    REQUIRE(function != nullptr);
    void* arguments[] = {&x, &y};
    Launch launch;
    launch.grid[0] = blocks;
    launch.block[0] = threads;
    launch.dynamic_shared = shared;
    launch.arguments = arguments;
    const ptx::Counts counts = ptx::run(*module, *function, launch, memory, checks);
    module->unload(memory);
    return counts;
  }
};

/// The kind of fault that a kernel ends in, and its text; "none" when it ends well.
struct Outcome {
  std::string kind = "none", message;
  Fault::Place place;
};

inline Outcome outcome(Bench& bench, const std::string& text, unsigned blocks, unsigned threads, Checks checks = {}) {
  try {
    bench.run(text, blocks, threads, 0, checks);
  } catch (const Fault& fault) {
    return {ptx::name_of(fault.kind), fault.what(), fault.place};
  }
  return {};
}

/// Runs `body` once with every compiled form of the handlers that this processor has.
template <typename F>
void with_each_variant(F body) {
  for (const char* name : {"baseline", "wide"}) {
    if (!ptx::choose_variant(name)) continue;
    INFO("handlers: " << name);
    body();
  }
  ptx::choose_variant("");
}

}  // namespace portico::standin::test
