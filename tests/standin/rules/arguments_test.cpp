// What a driver refuses, with its code.
#include <cstring>

#include "library.hpp"

namespace portico::test {

TEST_CASE("memory: sizes, frees, and what is not there any more") {
  Functions& cu = on_first();
  cuda::DevicePointer pointer = 0;
  CHECK(cu.cuMemAlloc_v2(&pointer, 0) == 1);
  CHECK(cu.cuMemAlloc_v2(&pointer, std::size_t{1} << 40) == 2);
  pointer = memory(cu, 1000);
  CHECK(pointer % 256 == 0);
  CHECK(cu.cuMemFree_v2(pointer + 4) == 1);
  CHECK(cu.cuMemsetD32Async(pointer + 2, 0, 1, nullptr) == 1);            // misaligned
  CHECK(cu.cuMemsetD32Async(pointer, 0, 251, nullptr) == 1);              // too long
  CHECK(cu.cuMemcpyDtoDAsync_v2(pointer, pointer + 4, 8, nullptr) == 1);  // onto itself
  CHECK(cu.cuMemFree_v2(pointer) == 0);
  CHECK(cu.cuMemFree_v2(pointer) == 1);
  char host[4];
  CHECK(cu.cuMemcpyDtoHAsync_v2(host, pointer, 4, nullptr) == 1);
  CHECK(cu.cuMemFreeHost(host) == 1);
}

TEST_CASE("contexts: none, a foreign one, and the other device's memory") {
  Functions& cu = on_first();
  cuda::DevicePointer pointer = 0;
  REQUIRE(cu.cuCtxSetCurrent(nullptr) == 0);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 201);
  CHECK(cu.cuCtxSetCurrent(reinterpret_cast<cuda::Context>(8)) == 201);
  REQUIRE(cu.cuCtxSetCurrent(cu.contexts[1]) == 0);
  const auto other = memory(cu, 256);
  const auto others_stream = stream(cu);
  const auto others_event = event(cu);
  on_first();
  const auto own = memory(cu, 256);
  const auto own_stream = stream(cu);
  CHECK(cu.cuMemcpyDtoDAsync_v2(own, other, 4, own_stream) == 1);
  CHECK(scale(cu, others_stream, own, own, 1, 1) == 400);
  CHECK(cu.cuEventRecord(others_event, own_stream) == 400);
  CHECK(cu.copy_peer(own, cu.contexts[0], other, cu.contexts[0], 4, own_stream) == 1);
  CHECK(cu.copy_peer(own, cu.contexts[0], other, cu.contexts[1], 4, own_stream) == 0);
  int value = 0;
  CHECK(cu.cuDeviceGetAttribute(&value, 9999, 0) == 1);
  CHECK(cu.cuDeviceGetAttribute(&value, 1, 2) == 101);
  CHECK(cu.cuStreamSynchronize(own_stream) == 0);

  // A kernel that is given the other device's memory ends the context, as its access would.
  CHECK(scale(cu, own_stream, other, own, 1, 1) == 0);
  CHECK(cu.cuStreamSynchronize(own_stream) == 700);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 700);
  REQUIRE(cu.cuCtxSetCurrent(cu.contexts[1]) == 0);
  CHECK(cu.cuMemAlloc_v2(&pointer, 4) == 0);  // the other device works on
}

TEST_CASE("launches: shapes that no device takes, and dead handles") {
  Functions& cu = on_first();
  const auto x = memory(cu, 256);
  put(cu, x, 1, 64);
  const auto function = kernel(cu, kScale, "scale");
  unsigned count = 64;
  float by = 2;
  cuda::DevicePointer copy = x;
  void* arguments[] = {&copy, &copy, &count, &by};
  const auto launch = [&](unsigned gx, unsigned gy, unsigned bx, unsigned bz, unsigned shared) {
    return cu.cuLaunchKernel(function, gx, gy, 1, bx, 1, bz, shared, nullptr, arguments, nullptr);
  };
  CHECK(launch(1, 1, 1024, 1, 0) == 0);
  CHECK(launch(1, 1, 1025, 1, 0) == 1);
  CHECK(launch(1, 1, 1024, 2, 0) == 1);
  CHECK(launch(1, 1, 1, 65, 0) == 1);
  CHECK(launch(0, 1, 1, 1, 0) == 1);
  CHECK(launch(1, 65536, 1, 1, 0) == 1);
  CHECK(launch(1, 1, 1, 1, 49153) == 1);
  CHECK(cu.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr) == 1);
  CHECK(cu.cuLaunchKernel(reinterpret_cast<cuda::Function>(x), 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr) ==
        400);
  CHECK(cu.cuStreamSynchronize(nullptr) == 0);

  const auto dead = stream(cu);
  CHECK(cu.cuStreamDestroy_v2(dead) == 0);
  CHECK(cu.cuStreamSynchronize(dead) == 400);
  CHECK(cu.cuStreamDestroy_v2(dead) == 400);
  cuda::Module module = nullptr;
  CHECK(cu.cuModuleLoadData(&module, "this is no program") == 200);
  CHECK(cu.cuModuleLoadData(&module, "\177ELF machine code") == 209);
  CHECK(cu.cuModuleLoadData(&module, ".version 8.0\n.target sm_90\n") == 209);
  std::size_t offset = 0, size = 0;
  CHECK(cu.cuFuncGetParamInfo(function, 3, &offset, &size) == 0);
  CHECK(offset == 20);
  CHECK(size == 4);
  CHECK(cu.cuFuncGetParamInfo(function, 4, &offset, &size) == 1);
}

TEST_CASE("memory that goes while work is queued is missed by that work") {
  Functions& cu = on_first();
  const auto first = stream(cu), second = stream(cu);
  const auto x = memory(cu, 256), y = memory(cu, 256);
  const auto gate = event(cu);
  void* pinned = nullptr;
  REQUIRE(cu.cuMemHostAlloc(&pinned, 64 << 20, 0) == 0);
  const auto large = memory(cu, 64 << 20);
  REQUIRE(cu.cuMemcpyHtoDAsync_v2(large, pinned, 64 << 20, first) == 0);  // takes its time
  REQUIRE(cu.cuEventRecord(gate, first) == 0);
  REQUIRE(cu.cuStreamWaitEvent(second, gate, 0) == 0);
  REQUIRE(cu.cuMemcpyDtoDAsync_v2(y, x, 256, second) == 0);
  REQUIRE(cu.cuMemFree_v2(x) == 0);
  CHECK(cu.cuStreamSynchronize(second) == 700);
  cu.lose(0, 0);
  CHECK(cu.cuMemFreeHost(pinned) == 0);
  CHECK(cu.cuMemFree_v2(large) == 0);
}

TEST_CASE("the compiler refuses what it does not know") {
  Functions& cu = on_first();
  cuda::Program program = nullptr;
  REQUIRE(cu.nvrtcCreateProgram(&program, "int main", "k", 0, nullptr, nullptr) == 0);
  const char* unknown[] = {"--no-such-option"};
  CHECK(cu.nvrtcCompileProgram(program, 1, unknown) == 5);
  CHECK(cu.nvrtcCompileProgram(program, 0, nullptr) == 6);
  CHECK(cu.nvrtcDestroyProgram(&program) == 0);
  CHECK(cu.nvrtcDestroyProgram(&program) == 4);
}

}  // namespace portico::test
