#include "isa.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>

#include "texts.hpp"

namespace portico::test {
namespace {

const char* clang() {
  const char* given = std::getenv("PORTICO_CLANG_HIP");
  return given ? given : "clang-19";
}

// What a command printed, and whether it went well.
bool run(const std::string& command, std::string& output) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return false;
  char piece[4096];
  while (const std::size_t size = std::fread(piece, 1, sizeof piece, pipe)) output.append(piece, size);
  return pclose(pipe) == 0;
}

// The kernels' notes stand at the end of the assembly, as YAML.
std::string scratch_in(const std::string& assembly) {
  static const std::regex row(R"(\.(private_segment_fixed_size|sgpr_spill_count|vgpr_spill_count): +(\d+))");
  std::string found;
  int rows = 0;
  for (std::sregex_iterator at(assembly.begin(), assembly.end(), row), end; at != end; ++at, ++rows)
    if ((*at)[2] != "0") found += "\n  " + (*at)[1].str() + " is " + (*at)[2].str();
  if (rows == 0) return "the assembly has no notes of its kernels";
  return found.empty() ? found : "scratch memory:" + found;
}

std::string wrong_wavefront(const std::string& assembly, const std::string& target) {
  static const std::regex row(R"(\.wavefront_size: +(\d+))");
  const bool wide = target.rfind("gfx9", 0) == 0 || target.find("wavefrontsize64") != std::string::npos;
  const std::string expected = wide ? "64" : "32";
  for (std::sregex_iterator at(assembly.begin(), assembly.end(), row), end; at != end; ++at)
    if ((*at)[1] != expected) return "wavefronts of " + (*at)[1].str() + ", expected " + expected;
  return {};
}

}  // namespace

std::string open_clang_hip() {
  std::string output;
  const std::string command = std::string(clang()) + " --version";
  return run(command, output) ? std::string()
                              : std::string("no clang for AMD's processors: ") + clang() +
                                    " (its path can be given by PORTICO_CLANG_HIP)";
}

std::string compile_isa(const std::string& text, const std::string& target, bool wants_wide_reads) {
  static const std::string words = read_file(PORTICO_HIP_WORDS);
  const std::string name = "isa." + std::to_string(getpid());
  std::ofstream(name + ".hip", std::ios::binary) << words << text;
  const std::string arch = target.substr(0, target.find(' '));
  const std::string more = arch == target ? std::string() : target.substr(arch.size());
  std::string output;
  const bool compiled = run(std::string(clang()) + " -x hip --offload-arch=" + arch + more +
                                " -nogpulib -nogpuinc --cuda-device-only -std=c++17 -O3 -ffp-contract=fast -S " + name +
                                ".hip -o " + name + ".s",
                            output);
  const std::string assembly = compiled ? read_file(name + ".s") : std::string();
  unlink((name + ".hip").c_str());
  unlink((name + ".s").c_str());
  if (!compiled) return output.empty() ? "the compiler failed" : output;
  if (const std::string scratch = scratch_in(assembly); !scratch.empty()) return scratch;
  if (const std::string wrong = wrong_wavefront(assembly, target); !wrong.empty()) return wrong;
  if (assembly.find("_f64") != std::string::npos) return "computes in double";
  if (wants_wide_reads && assembly.find("ds_read_b128") == std::string::npos &&
      assembly.find("ds_load_b128") == std::string::npos)
    return "reads local memory word by word: no ds_read_b128";
  return {};
}

}  // namespace portico::test
