// portico-bench: a Google Benchmark program. `--benchmark_filter=gemm` and the rest of its flags work as usual;
// PORTICO_BACKEND picks the device.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "limits.hpp"
#include "portico/portico.hpp"
#include "suites.hpp"

namespace {

// Google Benchmark marks names with the kind of clock ("/manual_time"). Every time here is of one kind, and names are
// an interface, so the mark is taken off again.
template <typename Reporter>
class PlainNames : public Reporter {
 public:
  using Reporter::Reporter;
  void ReportRuns(const std::vector<benchmark::BenchmarkReporter::Run>& runs) override {
    auto plain = runs;
    for (auto& run : plain) {
      run.run_name.time_type.clear();
      run.run_name.iterations.clear();
    }
    Reporter::ReportRuns(plain);
  }
};

bool has_flag(int argc, char** argv, const char* flag) {
  for (int i = 1; i < argc; ++i)
    if (std::strncmp(argv[i], flag, std::strlen(flag)) == 0) return true;
  return false;
}

void describe_device() {
  const portico::Device device = portico::Device::current();
  const auto& info = device.info();
  benchmark::AddCustomContext("portico_version", portico::version());
  benchmark::AddCustomContext("device", device.label() + " " + info.name);
  benchmark::AddCustomContext("toolchain", info.toolchain);
  const auto& roof = portico::bench::limits(device);
  char text[96];
  std::snprintf(text, sizeof text, "copy %.1f GB/s, fma f32 %.0f GFLOPS", roof.bytes_per_second / 1e9,
                roof.flops / 1e9);
  benchmark::AddCustomContext("measured_limits", text);
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace portico::bench;
  if (run_first_step()) return 0;
  const bool to_file = has_flag(argc, argv, "--benchmark_out=");
  const bool json = has_flag(argc, argv, "--benchmark_format=json");
  const bool list = has_flag(argc, argv, "--benchmark_list_tests");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;

  // A filter that ends at the name's end must match in spite of the marks.
  std::string filter = benchmark::GetBenchmarkFilter();
  if (!filter.empty() && filter.back() == '$')
    benchmark::SetBenchmarkFilter(filter.substr(0, filter.size() - 1) + "(/iterations:[0-9]+)?(/manual_time)?$");

  for (const auto register_suite :
       {add_limits, add_memory, add_launch, add_pointwise, add_gemm, add_conv, add_train_step, add_cold_start})
    register_suite();
  if (!list) describe_device();

  std::unique_ptr<benchmark::BenchmarkReporter> display;
  if (json) {
    display = std::make_unique<PlainNames<benchmark::JSONReporter>>();
  } else {
    display = std::make_unique<PlainNames<benchmark::ConsoleReporter>>(benchmark::ConsoleReporter::OO_Tabular);
  }
  PlainNames<benchmark::JSONReporter> file;
  benchmark::RunSpecifiedBenchmarks(display.get(), to_file ? &file : nullptr);
  return 0;
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
