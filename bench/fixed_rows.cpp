#include "fixed_rows.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "google_flags.hpp"
#include "limits.hpp"
#include "portico/portico.hpp"
#include "suites.hpp"

namespace portico::bench {
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

void describe_device() {
  const Device device = Device::current();
  const auto& info = device.info();
  benchmark::AddCustomContext("portico_version", version());
  benchmark::AddCustomContext("device", device.label() + " " + info.name);
  benchmark::AddCustomContext("toolchain", info.toolchain);
  const auto& roof = limits(device);
  char text[96];
  std::snprintf(text, sizeof text, "copy %.1f GB/s, fma f32 %.0f GFLOPS", roof.bytes_per_second / 1e9,
                roof.flops / 1e9);
  benchmark::AddCustomContext("measured_limits", text);
}

}  // namespace

int run_fixed_rows() {
  const GoogleFlags flags = google_flags();
  // A filter that ends at the name's end must match in spite of the marks.
  std::string filter = benchmark::GetBenchmarkFilter();
  if (!filter.empty() && filter.back() == '$')
    benchmark::SetBenchmarkFilter(filter.substr(0, filter.size() - 1) + "(/iterations:[0-9]+)?(/manual_time)?$");

  for (const auto register_suite : {add_limits, add_memory, add_launch, add_pointwise, add_gemm, add_conv,
                                    add_train_step, add_capture, add_cold_start})
    register_suite();
  if (!flags.list) describe_device();

  std::unique_ptr<benchmark::BenchmarkReporter> display, file;
  if (flags.format == "json")
    display = std::make_unique<PlainNames<benchmark::JSONReporter>>();
  else if (flags.format == "console")
    display = std::make_unique<PlainNames<benchmark::ConsoleReporter>>(benchmark::ConsoleReporter::OO_Tabular);
  if (!flags.out.empty() && flags.out_format == "json") file = std::make_unique<PlainNames<benchmark::JSONReporter>>();
  benchmark::RunSpecifiedBenchmarks(display.get(), file.get());
  return 0;
}

}  // namespace portico::bench
