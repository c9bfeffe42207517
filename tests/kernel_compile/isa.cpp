#include "isa.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>

#include "command.hpp"
#include "hot_loop.hpp"
#include "texts.hpp"

namespace portico::test {
namespace {

const char* clang() {
  const char* given = std::getenv("PORTICO_CLANG_HIP");
  return given ? given : "clang-19";
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
  return run_command(command, output) ? std::string()
                                      : std::string("no clang for AMD's processors: ") + clang() +
                                            " (its path can be given by PORTICO_CLANG_HIP)";
}

std::string compile_isa(const std::string& text, const std::string& target, const Expected& expected,
                        std::string* figures) {
  static const std::string words = read_file(PORTICO_HIP_WORDS);
  const std::string name = "isa." + std::to_string(getpid());
  std::ofstream(name + ".hip", std::ios::binary) << words << text;
  const std::string arch = target.substr(0, target.find(' '));
  const std::string more = arch == target ? std::string() : target.substr(arch.size());
  std::string output;
  const bool compiled =
      run_command(std::string(clang()) + " -x hip --offload-arch=" + arch + more +
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
  if (expected.density == 0) return {};

  const Listing code = read_amd(assembly);
  const HotLoop loop = hot_loop(code);
  const auto inside = [&](const char* prefix) { return count(code, prefix, loop.begin, loop.end); };
  if (figures) {
    static const std::regex row(R"(\.(vgpr_count|group_segment_fixed_size): +(\d+))");
    std::string resources;
    for (std::sregex_iterator at(assembly.begin(), assembly.end(), row), end; at != end; ++at)
      resources += ", " + (*at)[1].str() + " " + (*at)[2].str();
    char line[160];
    std::snprintf(line, sizeof line, "%4d instructions, loop %4d, arithmetic %4d = %.3f, ds %3d, global %2d",
                  static_cast<int>(code.instructions.size()), loop.all, loop.arithmetic, loop.density(), inside("ds_"),
                  inside("global_load"));
    *figures = line + resources;
  }
  if (loop.arithmetic == 0) return "no loop with multiply-adds";
  if (loop.density() < expected.amd_density)
    return "the hot loop's " + std::to_string(loop.all) + " instructions hold " + std::to_string(loop.arithmetic) +
           " of arithmetic: " + std::to_string(loop.density()) + ", less than " + std::to_string(expected.amd_density);
  if (inside("ds_read_b128") + inside("ds_load_b128") == 0) return "reads local memory word by word";
  const HotLoop outer = around(code, loop);
  const auto moved = [&](const char* prefix) { return count(code, prefix, outer.begin, outer.end); };
  const int wide = moved("global_load_dwordx4") + moved("global_load_b128");
  const int moves = moved("global_load") + moved("flat_load");
  if (expected.vectors && (wide == 0 || wide != moves))
    return "the loop reads global memory " + std::to_string(wide) + " times by 16 bytes, " +
           std::to_string(moves - wide) + " times by fewer";
  return {};
}

}  // namespace portico::test
