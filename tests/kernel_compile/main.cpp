// Compiles every kernel text that the operator tests launched through a real compiler:
//
//   kernel_compile nvrtc|hiprtc|clang|isa|sass|coverage|figures <folder that PORTICO_DUMP filled> <kernels folder>
//
// Exit code 77, with the reason, when the compiler or the texts are not there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include "compilers.hpp"
#include "isa.hpp"
#include "jobs.hpp"
#include "sass.hpp"
#include "texts.hpp"

namespace portico::test {
namespace {

constexpr int kSkipped = 77;

// gfx90a and sm_75, sm_90 see every text; the rest a sample: they differ from these in little that a text can meet.
// Wavefronts of 64 are gfx9's, of 32 gfx10's.
const std::vector<int> kCudaAll = {75, 90};
const std::vector<int> kCudaSampled = {80, 100, 120};
const std::vector<std::string> kHipAll = {"gfx90a", "gfx1030"};
const std::vector<std::string> kHipSampled = {"gfx906", "gfx1010"};
// By clang alone: CDNA 3, RDNA 3 and 4, and RDNA in its other wavefront. Of the kernels where registers are short about
// forty texts, of every other file one.
const std::vector<std::string> kIsa = {"gfx942", "gfx1100", "gfx1201", "gfx1100 -mwavefrontsize64"};
const std::vector<std::string> kIsaOthers = {"gfx942", "gfx1201"};
const std::vector<std::string> kIsaMain = {"gemm", "conv", "conv_weight"};
// Machine code of NVIDIA's is read where memory for it is known to differ.
const std::vector<int> kSass = {80, 90, 100};
constexpr std::size_t kStep = 4, kMostSampled = 100, kMostIsa = 40;

std::vector<KernelText> some(const std::vector<KernelText>& texts) {
  return sample(texts, std::max(kStep, texts.size() / kMostSampled));
}

int skip(const std::string& reason) {
  std::printf("skipped: %s\n", reason.c_str());
  return kSkipped;
}

std::vector<KernelText> gpu_texts(const std::vector<KernelText>& all) {
  std::vector<KernelText> chosen;
  for (const KernelText& text : all)
    if (!text.cpu_shape) chosen.push_back(text);
  return chosen;
}

std::string title(const KernelText& text, const std::string& target) {
  std::string spec = text.spec;
  for (char& c : spec)
    if (c == '\n') c = ';';
  return text.file + " for " + target + " (" + text.id + ": " + spec + ")";
}

bool is_isa_main(const KernelText& text) {
  return std::find(kIsaMain.begin(), kIsaMain.end(), text.file) != kIsaMain.end();
}

std::vector<KernelText> of_isa(const std::vector<KernelText>& texts) {
  std::vector<KernelText> chosen = sample(texts, texts.size() + 1), main;
  std::erase_if(chosen, is_isa_main);
  std::copy_if(texts.begin(), texts.end(), std::back_inserter(main), is_isa_main);
  main = sample(main, std::max<std::size_t>(1, main.size() / kMostIsa));
  chosen.insert(chosen.end(), main.begin(), main.end());
  return chosen;
}

// Of what an expectation is known for: what differs in more than an activation, once.
std::vector<KernelText> measured(const std::vector<KernelText>& texts) {
  std::vector<KernelText> chosen;
  std::set<std::string> seen;
  for (const KernelText& text : texts) {
    if (expected_of(text.file, text.spec).density == 0) continue;
    auto words = words_of(text.spec);
    for (const char* word : {"ACT", "BIAS", "MASKED"}) words.erase(word);
    std::string key = text.file;
    for (const auto& [name, value] : words) key += " " + name + "=" + value;
    if (seen.insert(key).second) chosen.push_back(text);
  }
  return chosen;
}

std::string open_sass() {
  const std::string reason = open_nvrtc();
  return reason.empty() ? open_nvdisasm() : reason;
}

// The table of kernels/PERFORMANCE.md: what the tests `sass` and `isa` count, good or bad.
int figures(const std::vector<KernelText>& texts, const std::string& cuda, const std::string& hip) {
  if (const std::string reason = open_sass(); !reason.empty()) return skip(reason);
  const bool amd = open_clang_hip().empty();
  for (const KernelText& text : texts) {
    const Expected expected = expected_of(text.file, text.spec);
    std::printf("%s\n", title(text, "").c_str());
    const auto print = [](const std::string& target, const std::string& line, const std::string& wrong) {
      std::printf("  %-8s %s %s\n", target.c_str(), line.c_str(), wrong.c_str());
    };
    std::string line;
    for (const int arch : nvrtc_knows(kSass)) {
      const std::string wrong = compile_sass(text.with(cuda), arch, expected, &line);
      print("sm_" + std::to_string(arch), line, wrong);
    }
    for (const std::string& arch : amd ? kIsa : std::vector<std::string>()) {
      const std::string wrong = compile_isa(text.with(hip), arch, expected, &line);
      print(arch, line, wrong);
    }
  }
  return 0;
}

template <typename Arch, typename Name, typename Compile>
void add(std::vector<Job>& jobs, const std::vector<KernelText>& texts, const std::vector<Arch>& archs,
         const std::string& prelude, Name name, Compile compile) {
  for (const Arch& arch : archs)
    for (const KernelText& text : texts)
      jobs.push_back(
          {title(text, name(arch)), [source = text.with(prelude), arch, compile] { return compile(source, arch); }});
}

int run(const std::vector<Job>& jobs) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> failures = run_jobs(jobs, std::max(2u, std::thread::hardware_concurrency()));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%zu compilations in %.1f s, %zu failed\n", jobs.size(), seconds, failures.size());
  return failures.empty() ? 0 : 1;
}

int coverage(const KernelTexts& texts) {
  std::vector<std::string> missing = texts.unlaunched;
  for (const std::string& file : missing) std::printf("kernels/%s: no test launches it\n", file.c_str());
  std::printf("%zu texts, %d of the dumps stale or not ours\n", texts.all.size(), texts.stale);
  return missing.empty() ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s nvrtc|hiprtc|clang|isa|sass|coverage|figures <dump folder> <kernels folder>\n",
                 argv[0]);
    return 2;
  }
  const std::string mode = argv[1];
  const std::filesystem::path kernels = argv[3];
  const auto prelude = [&](const char* name) {
    // A file that is not found would leave the words undefined, and every kernel would fail: that is visible enough.
    return read_file(kernels / "prelude" / name);
  };
  const KernelTexts texts = read_kernel_texts(argv[2], kernels);
  if (texts.all.empty())
    return skip(std::string("no dumped kernel texts in ") + argv[2] + " (the operator tests make them)");

  std::vector<Job> jobs;
  const std::vector<KernelText> gpu = gpu_texts(texts.all);
  if (mode == "coverage") return coverage(texts);
  if (mode == "nvrtc") {
    if (const std::string reason = open_nvrtc(); !reason.empty()) return skip(reason);
    const auto name = [](int arch) { return "sm_" + std::to_string(arch); };
    add(jobs, gpu, nvrtc_knows(kCudaAll), prelude("cuda.h"), name, compile_nvrtc);
    add(jobs, some(gpu), nvrtc_knows(kCudaSampled), prelude("cuda.h"), name, compile_nvrtc);
  } else if (mode == "hiprtc") {
    if (const std::string reason = open_hiprtc(); !reason.empty()) return skip(reason);
    const std::string words = prelude("hip.h");
    const auto add_hip = [&](const std::vector<KernelText>& chosen, const std::vector<std::string>& archs) {
      for (const std::string& arch : archs)
        for (const KernelText& text : chosen)
          jobs.push_back({title(text, arch), [source = text.with(words), arch, host = text.host] {
                            return compile_hiprtc(source, arch, host);
                          }});
    };
    add_hip(gpu, kHipAll);
    add_hip(some(gpu), kHipSampled);
    std::printf("%td of %zu texts were launched on the HIP stand-in: its host and the code objects are compared\n",
                std::count_if(gpu.begin(), gpu.end(), [](const KernelText& text) { return !text.host.empty(); }),
                gpu.size());
  } else if (mode == "isa") {
    if (const std::string reason = open_clang_hip(); !reason.empty()) return skip(reason);
    const std::string words = prelude("hip.h");
    for (const KernelText& text : of_isa(gpu))
      for (const std::string& target : is_isa_main(text) ? kIsa : kIsaOthers) {
        const Expected expected = expected_of(text.file, text.spec);
        jobs.push_back({title(text, target), [source = text.with(words), target, expected] {
                          return compile_isa(source, target, expected);
                        }});
      }
  } else if (mode == "sass") {
    if (const std::string reason = open_sass(); !reason.empty()) return skip(reason);
    const std::string words = prelude("cuda.h");
    for (const KernelText& text : measured(gpu))
      for (const int arch : nvrtc_knows(kSass))
        jobs.push_back({title(text, "sm_" + std::to_string(arch)),
                        [source = text.with(words), arch, expected = expected_of(text.file, text.spec)] {
                          return compile_sass(source, arch, expected);
                        }});
  } else if (mode == "figures") {
    return figures(measured(gpu), prelude("cuda.h"), prelude("hip.h"));
  } else if (mode == "clang") {
    if (const std::string reason = open_clang(); !reason.empty()) return skip(reason);
    const std::string words = prelude("opencl.h");
    for (const KernelText& text : texts.all)
      jobs.push_back({title(text, "OpenCL C"), [source = text.with(words)] { return compile_clang(source); }});
  } else {
    std::fprintf(stderr, "unknown mode %s\n", argv[1]);
    return 2;
  }
  if (jobs.empty()) return skip("none of the texts is for a GPU, or the compiler knows none of the architectures");
  return run(jobs);
}

}  // namespace
}  // namespace portico::test

int main(int argc, char** argv) { return portico::test::main(argc, argv); }
