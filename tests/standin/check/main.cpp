// portico-check: runs a kernel of the dialect under every check, without a GPU. The real NVRTC makes PTX of it, the PTX
// machine executes it. Exit codes: 0 nothing found, 1 the kernel did something wrong, 2 the call makes no sense, 3 the
// kernel does not compile or holds an instruction that the machine does not know, 77 there is no NVRTC.
#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "compiler.hpp"
#include "source.hpp"
#include "tests/standin/ptx/module.hpp"

namespace {

using namespace portico::standin;

enum Exit : int { kClean = 0, kFault = 1, kUsage = 2, kNotCompiled = 3, kSkipped = 77 };

struct Options {
  std::vector<std::string> files, defines, arguments;
  std::string kernel, arch = "compute_80", grid = "1", block;
  std::size_t shared = 0, print = 0, memory_mb = 4096;
  std::uint64_t limit = 0;
  bool ptx = false, is_ptx = false, parse_only = false, time = false;
  bool no_races = false, no_unset = false, no_bounds = false, no_barriers = false;
};

// "4", "4,2" or "4,2,1".
std::array<unsigned, 3> extents(const std::string& name, const std::string& text) {
  std::array<unsigned, 3> result = {1, 1, 1};
  std::size_t at = 0;
  for (std::size_t d = 0;; ++d) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    const bool digits = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || d > 2 || std::stoul(part) == 0)
      throw std::runtime_error(name + " " + text + ": one to three counts from 1 on are wanted, as in 16,4,1");
    result[d] = static_cast<unsigned>(std::stoul(part));
    if (comma == text.size()) return result;
    at = comma + 1;
  }
}

std::string ptx_of(const Options& options, const std::string& file) {
  if (!options.is_ptx) return check::compile(check::read_source(file, options.defines).text, options.arch);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

const ptx::Function& kernel_of(const Options& options, const ptx::Module& module) {
  const auto all = module.functions();
  if (options.kernel.empty() && all.size() == 1) return *all[0];
  std::string names;
  for (const ptx::Function* function : all) names += " " + function->name();
  if (options.kernel.empty()) throw std::runtime_error("several kernels, name one by --kernel:" + names);
  if (const ptx::Function* function = module.find(options.kernel)) return *function;
  throw std::runtime_error("no kernel " + options.kernel + " in the file; it has" + (names.empty() ? " none" : names));
}

// Every file through compiler and reader; nothing is run.
int parse_all(const Options& options) {
  int read = 0, skipped = 0;
  for (const std::string& file : options.files) {
    if (!options.is_ptx && check::read_source(file, options.defines).cpu_shape) {
      ++skipped;
      continue;
    }
    try {
      ptx::Module::parse(ptx_of(options, file));
    } catch (const ptx::ParseError& error) {
      std::fprintf(stderr, "portico-check: %s: %s\n", file.c_str(), error.what());
      return kNotCompiled;
    }
    ++read;
  }
  std::printf("read: %d files", read);
  if (skipped > 0) std::printf(", skipped %d that are for CPUs under OpenCL only", skipped);
  std::printf("\n");
  return kClean;
}

std::vector<check::Argument> arguments_for(const Options& options, const ptx::Function& function, Memory& memory) {
  std::vector<check::Argument> arguments;
  for (const std::string& text : options.arguments) arguments.push_back(check::make_argument(text, memory));
  if (arguments.size() != function.parameter_count())
    throw std::runtime_error("kernel " + function.name() + " takes " + std::to_string(function.parameter_count()) +
                             " parameters, " + std::to_string(arguments.size()) + " --arg were given");
  for (std::size_t p = 0; p < arguments.size(); ++p)
    if (arguments[p].bytes() != function.parameter_bytes(p))
      throw std::runtime_error("--arg " + arguments[p].text + ": parameter " + std::to_string(p) + " of " +
                               function.name() + " has " + std::to_string(function.parameter_bytes(p)) +
                               " bytes, this has " + std::to_string(arguments[p].bytes()));
  return arguments;
}

int check_kernel(const Options& options) {
  const std::array<unsigned, 3> grid = extents("--grid", options.grid);
  std::array<unsigned, 3> block = {0, 1, 1};
  if (!options.block.empty()) block = extents("--block", options.block);
  Memory memory(options.memory_mb << 20);
  const std::string text = ptx_of(options, options.files[0]);
  if (options.ptx) {
    std::fputs(text.c_str(), stdout);
    return kClean;
  }
  const auto module = ptx::Module::parse(text);
  const ptx::Function& function = kernel_of(options, *module);
  if (block[0] == 0) block[0] = function.max_threads() < 1024 ? function.max_threads() : 128;

  std::vector<check::Argument> arguments = arguments_for(options, function, memory);
  std::vector<void*> pointers;
  for (check::Argument& argument : arguments) pointers.push_back(&argument.value);
  ptx::Launch launch;
  std::copy(grid.begin(), grid.end(), launch.grid);
  std::copy(block.begin(), block.end(), launch.block);
  launch.dynamic_shared = options.shared;
  launch.arguments = pointers.data();
  ptx::Checks checks;
  checks.races = !options.no_races;
  checks.unset = !options.no_unset;
  checks.bounds = !options.no_bounds;
  checks.barriers = !options.no_barriers;
  checks.max_instructions = options.limit;

  const auto start = std::chrono::steady_clock::now();
  const ptx::Counts counts = ptx::run(*module, function, launch, memory, checks);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("ok: %s, %u x %u x %u blocks of %u x %u x %u threads, nothing found\n", function.name().c_str(), grid[0],
              grid[1], grid[2], block[0], block[1], block[2]);
  if (options.time)
    std::printf("time: %.6f s, %.1f million lane-instructions, %.1f million a second\n", seconds,
                static_cast<double>(counts.lane_instructions) / 1e6,
                static_cast<double>(counts.lane_instructions) / 1e6 / seconds);
  for (std::size_t p = 0; options.print > 0 && p < arguments.size(); ++p)
    if (arguments[p].count > 0)
      std::printf("parameter %zu:%s\n", p, check::shown(arguments[p], memory, options.print).c_str());
  module->unload(memory);
  return kClean;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{
      "Runs a kernel of Portico's dialect under checks, without a GPU: NVRTC compiles it, a PTX machine executes it.\n"
      "Exit codes: 0 nothing found, 1 a fault, 2 a call that makes no sense, 3 does not compile, 77 no NVRTC."};
  app.add_option("FILE", o.files, "kernel file, or a dump of PORTICO_DUMP")->required();
  app.add_option("--kernel", o.kernel, "its name, where the file has several");
  app.add_option("-D", o.defines, "NAME=VALUE of the specialisation")->expected(1)->take_all();
  app.add_option("--grid", o.grid, "blocks: x, x,y or x,y,z (1)");
  app.add_option("--block", o.block, "threads of a block (the kernel's GROUP_SIZE, else 128)");
  app.add_option("--arg", o.arguments, "one for each parameter: i32=5, f32:1024=random|zeros|ones|iota|unset|NUMBER")
      ->expected(1)
      ->take_all();
  app.add_option("--shared", o.shared, "bytes of dynamic shared memory");
  app.add_option("--arch", o.arch, "what NVRTC compiles for (compute_80)");
  app.add_option("--print", o.print, "elements of each buffer to show afterwards");
  app.add_option("--limit", o.limit, "instructions of a warp after which a kernel counts as endless");
  app.add_option("--memory", o.memory_mb, "MiB of the device's memory (4096)")->check(CLI::Range(1, 1 << 16));
  app.add_flag("--ptx", o.ptx, "show the PTX and stop");
  app.add_flag("--from-ptx", o.is_ptx, "FILE is PTX already; NVRTC is not needed");
  app.add_flag("--parse", o.parse_only, "compile and read all FILEs, run nothing");
  app.add_flag("--time", o.time, "how long the run took");
  app.add_flag("--no-races", o.no_races, "do not look for races");
  app.add_flag("--no-unset", o.no_unset, "do not look for reads of memory that nothing wrote");
  app.add_flag("--no-bounds", o.no_bounds, "do not check global addresses at all");
  app.add_flag("--no-barriers", o.no_barriers, "do not check who reaches barriers");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kClean : kUsage;
  }
  try {
    if (o.parse_only) return parse_all(o);
    if (o.files.size() != 1) throw std::runtime_error("several files are for --parse only");
    return check_kernel(o);
  } catch (const ptx::Fault& fault) {
    std::fprintf(stderr, "%s: %s\n", ptx::name_of(fault.kind), fault.what());
    return kFault;
  } catch (const ptx::ParseError& error) {
    std::fprintf(stderr, "portico-check: %s\n", error.what());
    return kNotCompiled;
  } catch (const check::NoCompiler& error) {
    std::fprintf(stderr, "portico-check: %s\n", error.what());
    return kSkipped;
  } catch (const check::DoesNotCompile& error) {
    std::fprintf(stderr, "portico-check: %s\n", error.what());
    return kNotCompiled;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "portico-check: %s\n", error.what());
    return kUsage;
  }
}
