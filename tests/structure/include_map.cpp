#include "include_map.hpp"

#include <map>
#include <regex>
#include <set>

#include "source_tree.hpp"

namespace portico::test {

namespace fs = std::filesystem;

namespace {

// Which layer a file belongs to: the longest prefix of its path that is listed. A file that no row names is an error,
// so that a new folder has to find its place here.
const std::map<std::string, std::string> kLayerOfPath = {
    {"api/include/portico/backend_abi.h", "abi"},
    {"api/include/portico/error.hpp", "base"},
    {"api/include/portico/version.hpp", "base"},
    {"api/include/portico/dtype.hpp", "base"},
    {"api/include/portico/shape.hpp", "base"},
    {"api/include/portico/random.hpp", "base"},
    {"api/include/portico/precision.hpp", "base"},
    {"api/include/portico/precompile.hpp", "device"},
    {"api/include/portico/device.hpp", "device"},
    {"api/include/portico/tensor.hpp", "tensor"},
    {"api/include/portico/graph.hpp", "tensor"},
    {"api/include/portico/autograd.hpp", "autograd"},
    {"api/include/portico/ops.hpp", "ops"},
    {"api/include/portico/tuning.hpp", "ops"},
    {"api/include/portico/io.hpp", "io"},
    {"api/include/portico/nn/", "nn"},
    {"api/include/portico/optim/", "optim"},
    {"api/include/portico/data/", "data"},
    {"api/include/portico/train/", "train"},
    {"api/include/portico/portico.hpp", "umbrella"},
    {"api/src/runtime/", "runtime"},
    {"api/src/tensor/", "tensor"},
    {"api/src/autograd/", "autograd"},
    {"api/src/ops/", "ops"},
    {"api/src/io/", "io"},
    {"api/src/nn/", "nn"},
    {"api/src/optim/", "optim"},
    {"api/src/data/", "data"},
    {"api/src/train/", "train"},
    {"api/tools/", "tools"},
    {"backends/common/", "backends/common"},
    {"backends/cuda_hip/", "backends/cuda_hip"},
    {"backends/cuda/", "backends/cuda"},
    {"backends/hip/", "backends/hip"},
    {"backends/opencl/", "backends/opencl"},
    {"backends/null/", "backends/null"},
    {"kernels/prelude/", "prelude"},
    {"kernels/", "kernels"},
    {"tests/support/", "tests/support"},
    {"tests/runtime/", "tests/runtime"},
    {"tests/backends/", "tests/backends"},
    {"tests/vendor_headers/", "tests/backends"},
    {"tests/kernel_compile/", "tests/backends"},
    {"tests/vendor_plugins/", "tests/faults"},
    {"tests/standin/", "tests/standin"},
    {"tests/faults/", "tests/faults"},
    {"tests/", "tests"},
    {"bench/", "bench"},
    {"examples/", "examples"},
};

// What a layer may include besides itself. device is the public header, runtime what lies behind it: only the layers
// that the map puts directly above the device see its inside.
const std::set<std::string> kPublic = {"base", "device", "tensor", "autograd", "ops",     "io",
                                       "nn",   "optim",  "data",   "train",    "umbrella"};
std::set<std::string> public_and(std::set<std::string> more) {
  more.insert(kPublic.begin(), kPublic.end());
  return more;
}
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"abi", {}},
    {"base", {}},
    {"device", {"base"}},
    {"runtime", {"base", "device", "abi"}},
    {"tensor", {"base", "device", "runtime"}},
    {"io", {"base", "device", "tensor"}},
    {"autograd", {"base", "device", "runtime", "tensor"}},
    {"ops", {"base", "device", "runtime", "tensor", "autograd"}},
    {"nn", {"base", "device", "tensor", "autograd", "ops", "io"}},
    // io for the type of a state, ops for common.hpp: kernels that are found without a lock
    {"optim", {"base", "device", "runtime", "tensor", "ops", "io"}},
    {"data", {"base", "device", "tensor", "ops", "nn", "optim", "io"}},
    {"train", {"base", "device", "tensor", "autograd", "ops", "nn", "optim", "data", "io"}},
    {"umbrella", kPublic},
    {"tools", kPublic},
    {"backends/common", {"abi"}},
    {"backends/cuda_hip", {"abi", "backends/common", "backends/cuda", "backends/hip"}},  // vendor.hpp comes from either
    {"backends/cuda", {"abi", "backends/common", "backends/cuda_hip"}},
    {"backends/hip", {"abi", "backends/common", "backends/cuda_hip"}},
    {"backends/opencl", {"abi", "backends/common"}},
    {"backends/null", {"abi", "backends/common"}},
    {"prelude", {}},
    {"kernels", {}},
    {"tests/support", kPublic},
    {"tests/runtime", public_and({"tests/support", "runtime", "abi"})},
    {"tests/backends", public_and({"tests/support", "abi", "backends/common", "backends/cuda_hip", "backends/cuda",
                                   "backends/hip", "backends/opencl"})},
    {"tests/standin", public_and({"tests/support", "abi", "backends/common", "backends/cuda_hip", "backends/cuda",
                                  "backends/hip", "backends/opencl"})},
    {"tests/faults", public_and({"tests/support", "tests/standin", "abi"})},  // the stand-in's test functions
    {"tests", public_and({"tests/support", "abi"})},
    {"bench", public_and({"tests/support"})},
    {"examples", kPublic},
};

// Layers that stand outside the library see its public headers only; the tests of the runtime see its inside.
bool sees_only_public(const std::string& layer, const std::string& target) {
  if (layer == target) return false;
  if (layer == "tests/runtime" && target == "runtime") return false;
  return layer == "tools" || layer == "examples" || layer == "bench" || layer.rfind("tests", 0) == 0;
}

// Headers in <> that are not the C++ standard library's: what a group of files may use.
const std::regex kPosix(
    R"((unistd|dlfcn|fcntl|pthread|signal|spawn|poll|pwd|link|elf|cxxabi|execinfo|sched)\.h|sys/[a-z]+\.h)");
const std::map<std::string, std::regex> kForeign = {
    {"abi", std::regex("stddef\\.h|stdint\\.h")},
    {"api/src/", std::regex("nlohmann/json\\.hpp|zlib\\.h")},
    {"api/tools/", std::regex("nlohmann/json\\.hpp|CLI/.*|stb/.*")},
    {"backends/opencl/", std::regex("CL/.*|clblast_c\\.h")},
    {"tests/", std::regex("catch2/.*|nlohmann/json\\.hpp|zlib\\.h|stb/.*")},
    {"tests/backends",
     std::regex("CL/.*|clblast_c\\.h|cuda.*|nvrtc\\.h|cublas.*|hip/.*|rocblas/.*|cudnn.*|miopen/.*|hipblas.*")},
    {"tests/standin/", std::regex("CLI/.*|cblas\\.h|CL/.*")},
    {"bench/", std::regex("benchmark/.*|nlohmann/json\\.hpp|cblas\\.h|clblast_c\\.h|CL/.*")},
    {"examples/", std::regex("stb/.*|CLI/.*")},
};
const std::set<std::string> kNoPosix = {"abi", "base", "device", "tensor", "umbrella", "kernels", "prelude"};

const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");

int g_includes_seen = 0;

std::string layer_of(const std::string& path) {
  std::string best, layer;
  for (const auto& [prefix, name] : kLayerOfPath)
    if (path.rfind(prefix, 0) == 0 && prefix.size() > best.size()) {
      best = prefix;
      layer = name;
    }
  return layer;
}

bool is_public(const std::string& path) { return path.rfind("api/include/", 0) == 0; }

// The tree's file that "name" means in `from`, or "" when there is none.
std::string resolve(const fs::path& root, const std::string& from, const std::string& name) {
  const std::string folder = fs::path(from).parent_path().generic_string();
  std::vector<std::string> places = {folder, "", "api/include"};
  if (from.rfind("api/src/", 0) == 0 || from.rfind("tests/", 0) == 0) places.push_back("api/src");
  if (from.rfind("backends/", 0) == 0)
    for (const char* place : {"backends/cuda", "backends/hip", "backends/cuda_hip"}) places.push_back(place);
  if (from.rfind("tests/", 0) == 0 || from.rfind("bench/", 0) == 0) places.push_back("tests/support");
  if (from.rfind("bench/", 0) == 0) places.push_back("bench");
  if (from.rfind("kernels/", 0) == 0) places.push_back("kernels");
  for (const std::string& place : places) {
    const fs::path candidate = (fs::path(place) / name).lexically_normal();
    if (fs::is_regular_file(root / candidate)) return candidate.generic_string();
  }
  return "";
}

bool foreign_allowed(const std::string& path, const std::string& layer, const std::string& name) {
  if (layer == "kernels" || layer == "prelude") return false;  // the run-time compilers get no include path
  if (name.find_first_of("./") == std::string::npos) return layer != "abi";  // the C++ standard library
  if (!kNoPosix.count(layer) && !is_public(path) && std::regex_match(name, kPosix)) return true;
  for (const auto& [prefix, allowed] : kForeign)
    if ((prefix == layer || path.rfind(prefix, 0) == 0) && std::regex_match(name, allowed)) return true;
  return false;
}

}  // namespace

int includes_seen() { return g_includes_seen; }

std::vector<std::string> include_violations(const fs::path& root) {
  g_includes_seen = 0;
  std::vector<std::string> found;
  for (const char* folder : {"api", "backends", "kernels", "tests", "bench", "examples"}) {
    for (const std::string& path : source_files(root, folder)) {
      if (path.rfind("tests/consumer/", 0) == 0) continue;  // a project of its own, outside the tree
      const std::string layer = layer_of(path);
      if (layer.empty()) {
        found.push_back(path + ": belongs to no layer; add it to tests/structure/include_map.cpp");
        continue;
      }
      for (const Line& line : read_lines(root / path)) {
        std::smatch match;
        if (!std::regex_search(line.text, match, kInclude)) continue;
        ++g_includes_seen;
        const std::string name = match[2];
        const std::string where = path + ":" + std::to_string(line.number) + ": " + layer + " may not include ";
        if (match[1] == "<") {
          // <portico/...> is the public headers' other spelling.
          if (name.rfind("portico/", 0) != 0) {
            if (!foreign_allowed(path, layer, name)) found.push_back(where + "<" + name + ">");
            continue;
          }
        }
        const std::string target = resolve(root, path, name);
        if (target.empty()) {
          const bool generated =
              (name == "prelude.hpp" && (layer.rfind("backends/", 0) == 0 || layer == "tests/standin")) ||
              (layer == "tests/standin" && std::regex_match(name, std::regex("(opencl|cuda|hip)_prelude\\.hpp")));
          if (!generated) found.push_back(where + "\"" + name + "\", which is nowhere in the tree");
          continue;
        }
        const std::string target_layer = layer_of(target);
        const auto& allowed = kMayInclude.at(layer);
        if (target_layer != layer && !allowed.count(target_layer)) {
          found.push_back(where + target_layer + " (" + target + ")");
        } else if (is_public(path) && !is_public(target)) {
          found.push_back(where + target + ": a public header includes public headers only");
        } else if (target.rfind("api/", 0) == 0 && !is_public(target) && sees_only_public(layer, target_layer)) {
          found.push_back(where + target + ": only public headers are seen from there");
        }
      }
    }
  }
  return found;
}

std::vector<std::string> kernel_name_violations(const fs::path& root) {
  static const std::regex kAsks(R"(\bKernelFamily\b|(\.|->)kernel\s*\()");
  std::vector<std::string> found;
  for (const char* folder : {"tensor", "autograd", "nn", "data", "train", "io"})
    for (const std::string& path : source_files(root, std::string("api/src/") + folder))
      for (const Line& line : without_comments(read_lines(root / path)))
        if (std::regex_search(line.text, kAsks))
          found.push_back(path + ":" + std::to_string(line.number) + ": only ops and optim name a kernel");
  return found;
}

}  // namespace portico::test
