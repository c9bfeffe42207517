// portico-tune: measures how a device's kernels are best cut and keeps it for later runs; carries tunings between equal
// machines; fills a folder with compiled programs ahead of time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "portico/device.hpp"
#include "portico/tuning.hpp"
#include "portico/version.hpp"
#include "portico_tune/warm.hpp"

namespace {

std::atomic<bool> g_interrupted{false};
void on_interrupt(int signal) {
  g_interrupted = true;
  std::signal(signal, SIG_DFL);
}

struct Options {
  std::string device, export_to, import_from, warm;
  std::vector<std::string> archs;
  double seconds = 60;
  bool list = false, forget = false, networks_only = false;
};

portico::Device open(const std::string& name) {
  return name.empty() ? portico::Device::current() : portico::Device::open(name);
}

void print_entries(const portico::Device& device) {
  const auto entries = portico::tuned_entries(device);
  std::printf("%s %s: %zu classes measured\n", device.label().c_str(), std::string(device.name()).c_str(),
              entries.size());
  for (const auto& entry : entries)
    std::printf("  %-36s %5.2fx  %s\n", entry.shape.c_str(), entry.gain, entry.choice.c_str());
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw portico::Error(portico::ErrorCode::io, path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) throw portico::Error(portico::ErrorCode::io, path + ": cannot be written");
}

int measure(const portico::Device& device, double seconds) {
  std::signal(SIGINT, on_interrupt);
  const auto result = portico::tune(device, {.seconds = seconds, .progress = [](const std::string& shape) {
                                               if (!g_interrupted) std::fprintf(stderr, "%s\n", shape.c_str());
                                               return !g_interrupted.load();
                                             }});
  std::printf("%d classes measured, %d faster than the rules%s\n", result.classes, result.improved,
              result.complete ? "" : "; not all: the time was over, or it was interrupted");
  if (!result.stored) {
    const portico::CacheInfo cache = portico::cache_info();
    std::printf("nothing is kept for later runs: %s\n",
                cache.enabled ? "no class was measured" : ("there is no cache folder: " + cache.reason).c_str());
  }
  return g_interrupted ? 130 : 0;
}

int run(const Options& options) {
  if (!options.archs.empty()) return portico_tune::warm_for(options.warm, options.archs, options.networks_only);
  if (!options.warm.empty()) return portico_tune::warm(options.warm, options.device);
  const portico::Device device = open(options.device);
  if (!options.import_from.empty()) {
    portico::import_tuning(device, read(options.import_from));
    print_entries(device);
  } else if (options.forget) {
    portico::forget_tuning(device);
  } else if (!options.export_to.empty()) {
    write(options.export_to, portico::export_tuning(device));
  } else if (options.list) {
    print_entries(device);
  } else {
    return measure(device, options.seconds);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures how a device's kernels are best cut, and keeps it for later runs", "portico-tune");
  Options options;
  app.add_option("--device", options.device, "as portico-info names it; PORTICO_BACKEND's, or the first, without it");
  app.add_option("--seconds", options.seconds, "time to measure for (60)")->check(CLI::PositiveNumber);
  auto* list = app.add_flag("--list", options.list, "print what is in force");
  auto* out = app.add_option("--export", options.export_to, "write it to a file");
  auto* in = app.add_option("--import", options.import_from, "take it from a file of an equal device");
  auto* forget = app.add_flag("--forget", options.forget, "back to the rules");
  auto* warm = app.add_option("--warm", options.warm,
                              "fill this folder with the programs of common networks; PORTICO_CACHE_DIR then names it");
  app.add_option(
         "--arch", options.archs,
         "with --warm: fill FOLDER/kernels for this architecture instead, which need not be here: BACKEND:TARGET, "
         "TARGET as its compiler names it (sm_90, compute_80, gfx942); may be repeated")
      ->needs(warm);
  app.add_flag("--networks-only", options.networks_only,
               "with --arch: what common networks launch in f32, without every tile, activation and type of single "
               "operations")
      ->needs("--arch");
  for (auto* one : {list, out, in, forget, warm})
    for (auto* other : {list, out, in, forget, warm})
      if (one != other) one->excludes(other);
  app.set_version_flag("--version", std::string(portico::version()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    std::fprintf(stderr, "portico-tune: %s (--help lists the options)\n", error.what());
    return 2;
  }
  try {
    return run(options);
  } catch (const portico::Error& error) {
    std::fprintf(stderr, "portico-tune: %s\n", error.what());
    return error.code() == portico::ErrorCode::invalid_argument ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "portico-tune: %s\n", error.what());
    return 1;
  }
}
