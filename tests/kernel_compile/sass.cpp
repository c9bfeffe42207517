#include "sass.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>

#include "command.hpp"
#include "compilers.hpp"
#include "hot_loop.hpp"

namespace portico::test {
namespace {

std::string nvdisasm() {
  const char* given = std::getenv("PORTICO_NVDISASM");
  return given ? given : "nvdisasm";
}

// Of one multiprocessor: 64 Ki registers, dealt to warps in 256s; shared memory less 1 KiB a group; threads.
struct Multiprocessor {
  int shared, threads;
};
Multiprocessor multiprocessor(int arch) {
  if (arch == 80) return {164 << 10, 2048};
  if (arch == 90 || arch == 100) return {228 << 10, 2048};
  return {arch < 80 ? 64 << 10 : 100 << 10, arch < 80 ? 1024 : 1536};
}

int groups_that_fit(int arch, int registers, int shared, int threads) {
  const Multiprocessor all = multiprocessor(arch);
  const int warps = (threads + 31) / 32, per_warp = (registers * 32 + 255) / 256 * 256;
  return std::min({65536 / (per_warp * warps), all.shared / (shared + 1024), all.threads / threads});
}

int first_number(const std::string& text, const std::regex& pattern) {
  std::smatch found;
  return std::regex_search(text, found, pattern) ? std::stoi(found[1]) : 0;
}

}  // namespace

std::string open_nvdisasm() {
  std::string output;
  return run_command(nvdisasm() + " --version", output) ? std::string()
                                                        : "no disassembler for NVIDIA's processors: " + nvdisasm() +
                                                              " (its path can be given by PORTICO_NVDISASM)";
}

std::string compile_sass(const std::string& text, int arch, const Expected& expected, std::string* figures) {
  const Cubin cubin = compile_cubin(text, arch);
  if (!cubin.wrong.empty()) return cubin.wrong;
  const std::string file = "sass." + std::to_string(getpid()) + ".cubin";
  std::ofstream(file, std::ios::binary).write(cubin.image.data(), static_cast<std::streamsize>(cubin.image.size()));
  std::string output;
  const bool listed = run_command(nvdisasm() + " -c " + file, output);
  unlink(file.c_str());
  if (!listed) return "nvdisasm: " + output;

  const Listing code = read_sass(output);
  const HotLoop loop = hot_loop(code);
  static const std::regex used(R"(Used (\d+) registers)"), memory(R"((\d+) bytes smem)");
  const int registers = first_number(cubin.log, used), shared = first_number(cubin.log, memory);
  const int groups = registers > 0 ? groups_that_fit(arch, registers, shared, expected.threads) : 0;
  const auto inside = [&](const char* prefix) { return count(code, prefix, loop.begin, loop.end); };
  if (figures) {
    char line[200];
    std::snprintf(
        line, sizeof line,
        "%4d instructions, loop %4d, arithmetic %4d = %.3f, LDS %3d, LDG %2d, %3d registers, %5d bytes, %d groups",
        static_cast<int>(code.instructions.size()), loop.all, loop.arithmetic, loop.density(), inside("LDS"),
        inside("LDG"), registers, shared, groups);
    *figures = line;
  }

  if (code.instructions.empty()) return "nvdisasm listed no instruction";
  if (registers == 0) return "ptxas did not say how many registers it used:\n" + cubin.log;
  if (const int spills = count(code, "LDL") + count(code, "STL"); spills > 0)
    return std::to_string(spills) + " accesses to local memory: spills";
  if (loop.arithmetic == 0) return "no loop with multiply-adds";
  if (loop.density() < expected.density)
    return "the hot loop's " + std::to_string(loop.all) + " instructions hold " + std::to_string(loop.arithmetic) +
           " of arithmetic: " + std::to_string(loop.density()) + ", less than " + std::to_string(expected.density);
  if (expected.vectors) {
    if (const int narrow = inside("LDG") - inside("LDG.E.128"); narrow > 0 || inside("LDG.E.128") == 0)
      return "the hot loop reads global memory " + std::to_string(inside("LDG.E.128")) + " times by 16 bytes, " +
             std::to_string(narrow) + " times by fewer";
    if (const int narrow = count(code, "STG") - count(code, "STG.E.128"); narrow > 0 || count(code, "STG.E.128") == 0)
      return "global memory is written " + std::to_string(count(code, "STG.E.128")) + " times by 16 bytes, " +
             std::to_string(narrow) + " times by fewer";
  }
  if (groups < expected.groups)
    return std::to_string(registers) + " registers and " + std::to_string(shared) + " bytes of shared memory let " +
           std::to_string(groups) + " groups of " + std::to_string(expected.threads) +
           " threads share a multiprocessor, not " + std::to_string(expected.groups);
  return {};
}

}  // namespace portico::test
