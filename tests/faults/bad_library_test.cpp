// Libraries that are not what their variable says, and drivers that are too old: which one, why, and what to do.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"
#include "tests/standin/stand_in.hpp"

namespace portico::test {
namespace {

std::string program() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "fault_child"; }
bool is_cuda() { return std::string(std::getenv("PORTICO_BACKEND")) == "cuda"; }
std::string driver_variable() { return is_cuda() ? "PORTICO_CUDA_DRIVER" : "PORTICO_HIP_RUNTIME"; }

// What the process says, which must end with an error and not by a signal.
std::string error_with(const std::string& variables) {
  const ProgramRun run = run_program("env " + variables + " timeout 60 '" + program() + "'");
  INFO(run.err);
  CHECK(run.code == 3);
  return run.err;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a library variable that leads nowhere") {
  for (const char* value : {"/nonexistent/lib.so", "''", "/", "/etc/passwd"}) {
    const std::string said = error_with(driver_variable() + "=" + value);
    INFO(said);
    CHECK(has(said, driver_variable()));
  }
}

TEST_CASE("a library that is another one") {
  const std::string said = error_with(driver_variable() + "=libm.so.6");
  INFO(said);
  CHECK(has(said, "libm.so.6: has no function " + std::string(is_cuda() ? "cuInit" : "hip")));
}

TEST_CASE("a library without one of its functions") {
  const std::string said = error_with(driver_variable() + "='" + (is_cuda() ? PORTICO_NO_CUDA : PORTICO_NO_HIP) + "'");
  INFO(said);
  CHECK(has(said, std::string("has no function ") + (is_cuda() ? "cuEventElapsedTime" : "hipEventElapsedTime")));
}

TEST_CASE("a compiler or a BLAS that is another library") {
  const std::string said = error_with((is_cuda() ? "PORTICO_NVRTC=" : "PORTICO_HIPRTC=") + std::string("libm.so.6"));
  INFO(said);
  CHECK(has(said, "libm.so.6: has no function"));
  // Without a BLAS the library's own kernels multiply.
  const char* const none = is_cuda() ? "PORTICO_CUBLAS=libm.so.6 PORTICO_CUBLASLT=/nonexistent"
                                     : "PORTICO_ROCBLAS=libm.so.6 PORTICO_HIPBLASLT=/nonexistent";
  const ProgramRun run = run_program(std::string("env ") + none + " timeout 60 '" + program() + "'");
  INFO(run.err);
  CHECK(run.code == 0);
}

TEST_CASE("a forked process is told that its parent's device is not its own") {
  const ProgramRun run = run_program("timeout 60 '" + program() + "' --fork");
  INFO(run.err);
  CHECK(run.code == 3);
  CHECK(has(run.err, "fork"));
}

TEST_CASE("two processes on one cache, and a third that finds it filled") {
  const TemporaryFolder folder;
  const std::string cache = "env PORTICO_CACHE=1 PORTICO_CACHE_DIR='" + folder.path().string() + "' timeout 100 '";
  const std::string one = cache + program() + "' > '" + folder.path().string() + "/one' & ";
  const ProgramRun both = run_program(one + cache + program() + "'; wait");
  INFO(both.err);
  REQUIRE(both.code == 0);
  std::ifstream file(folder.path() / "one");
  const std::string first((std::istreambuf_iterator<char>(file)), {});
  CHECK(!first.empty());
  CHECK(first == both.out);
  const ProgramRun third = run_program(cache + program() + "'");
  CHECK(third.code == 0);
  CHECK(third.out == first);
}

TEST_CASE("a driver that is too old says which it is and which is needed") {
  if (!is_cuda()) return;
  const std::string said = error_with("PORTICO_STANDIN_CUDA_VERSION=11010");
  INFO(said);
  CHECK(has(said, "11.1"));
  CHECK(has(said, "11.2 or newer is needed"));
}

TEST_CASE("a driver without a device, or that fails at once") {
  const char* first = is_cuda() ? "cuInit" : "hipGetDeviceCount";
  const std::string said = error_with(std::string("PORTICO_STANDIN_FAULT=") + first + ":1+:100");
  INFO(said);
  CHECK(has(said, first));
}

}  // namespace portico::test
