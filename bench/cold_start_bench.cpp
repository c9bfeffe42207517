// From the start of a process to the end of its first training step, with the program cache warm and empty. The process
// is this program itself, started with PORTICO_BENCH_FIRST_STEP set.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "cold_start.hpp"
#include "models.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

double seconds_of_start(const std::string& model, const std::string& cache, const std::string& device = {}) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setenv("PORTICO_BENCH_FIRST_STEP", model.c_str(), 1);
    setenv("PORTICO_CACHE_DIR", cache.c_str(), 1);
    if (!device.empty()) setenv("PORTICO_BACKEND", device.c_str(), 1);
    // PoCL keeps machine code in a cache of its own; an empty start is to be empty there too.
    setenv("POCL_CACHE_DIR", (cache + "/pocl").c_str(), 1);
    execl("/proc/self/exe", "portico-bench", nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? seconds : -1;
}

void cold_start(benchmark::State& state, const std::string& model, bool warm) {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "portico-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  if (warm) seconds_of_start(model, folder);
  for (auto _ : state) {
    if (!warm) {
      for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
    }
    const double seconds = seconds_of_start(model, folder);
    if (seconds < 0) {
      state.SkipWithError("the first step failed");
      break;
    }
    state.SetIterationTime(seconds);
  }
  fs::remove_all(folder);
}

}  // namespace

struct ColdStart::Impl {
  std::string model, device, folder;
  bool warm;
  ~Impl() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
};

ColdStart::ColdStart(const std::string& model, const std::string& device, bool warm) {
  std::string folder = (std::filesystem::temp_directory_path() / "portico-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw Error(ErrorCode::io, "cold_start: no temporary folder " + folder);
  impl_ = std::make_shared<Impl>(Impl{.model = model, .device = device, .folder = folder, .warm = warm});
  if (warm) (*this)();
}

void ColdStart::operator()() const {
  if (!impl_->warm)
    for (const auto& entry : std::filesystem::directory_iterator(impl_->folder))
      std::filesystem::remove_all(entry.path());
  if (seconds_of_start(impl_->model, impl_->folder, impl_->device) < 0)
    throw Error(ErrorCode::internal, "cold_start: the first step failed in its process");
}

// In the child: one step, waited for, and nothing else.
bool run_first_step() {
  const char* model = std::getenv("PORTICO_BENCH_FIRST_STEP");
  if (model == nullptr) return false;
  TrainStep step(model, 64);
  step();
  if (!(step.loss() > 0)) throw Error(ErrorCode::internal, "the first step has no loss");
  return true;
}

void add_cold_start() {
  for (const char* model : {"cnn", "mlp"})
    for (const bool warm : {true, false})
      benchmark::RegisterBenchmark(
          (std::string("cold_start/") + model + (warm ? "/cache:warm" : "/cache:empty")).c_str(),
          [=](benchmark::State& state) { cold_start(state, model, warm); })
          ->UseManualTime()
          ->Iterations(warm ? 5 : 1)
          ->Unit(benchmark::kMillisecond);
}

}  // namespace portico::bench
