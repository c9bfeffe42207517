// portico-precompile: kernels compiled when the library is built, for machines without a run-time compiler. The build
// runs it (PORTICO_CUDA_ARCHS, PORTICO_HIP_ARCHS); it can be run by hand for further targets.
//
//   portico-precompile record TEXTS                               what training commonly launches, as texts
//   portico-precompile compile BACKEND TARGET TEXTS KERNELS       those texts as binaries
#include "portico/precompile.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "recording/common_work.hpp"

int main(int argc, char** argv) try {
  CLI::App app("Compiles kernels ahead of time");
  app.require_subcommand(1);
  std::string texts, backend, target, kernels;
  CLI::App* record = app.add_subcommand("record", "collect the texts of what training commonly launches");
  record->add_option("TEXTS", texts, "folder for the texts")->required();
  CLI::App* compile = app.add_subcommand("compile", "compile texts for one target");
  compile->add_option("BACKEND", backend, "one that compiles without a device")->required();
  compile->add_option("TARGET", target, "sm_90, gfx942, ...")->required();
  compile->add_option("TEXTS", texts, "folder with the texts")->required();
  compile->add_option("KERNELS", kernels, "folder for the binaries; \"kernels\" beside the plugins")->required();
  CLI11_PARSE(app, argc, argv);
  if (*record) {
    portico::record_kernels(texts);
    portico::tools::run_networks();
    portico::tools::run_operations();
    return 0;
  }
  const int count = portico::precompile(backend, target, texts, kernels);
  std::printf("%d programs for %s\n", count, target.c_str());
  return count > 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
