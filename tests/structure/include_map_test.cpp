// The tree keeps to its layers; and the check that says so sees each kind of breach in a made-up tree.
#include "include_map.hpp"

#include "catch.hpp"
#include "source_tree.hpp"

using namespace portico::test;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// A small tree that keeps to the map; each section below breaks it in one place.
void add_good_tree(const TemporaryTree& tree) {
  tree.add("api/include/portico/backend_abi.h", "#include <stddef.h>\n");
  tree.add("api/include/portico/error.hpp", "#include <string>\n");
  tree.add("api/include/portico/device.hpp", "#include \"portico/error.hpp\"\n");
  tree.add("api/include/portico/tensor.hpp", "#include \"portico/device.hpp\"\n");
  tree.add("api/include/portico/ops.hpp", "#include \"portico/tensor.hpp\"\n");
  tree.add("api/include/portico/nn/layers.hpp", "#include \"portico/ops.hpp\"\n");
  tree.add("api/include/portico/portico.hpp", "#include \"portico/nn/layers.hpp\"\n");
  tree.add("api/src/runtime/pool.hpp", "#include <sys/stat.h>\n");
  tree.add("api/src/runtime/pool.cpp", "#include \"runtime/pool.hpp\"\n#include \"portico/backend_abi.h\"\n");
  tree.add("api/src/ops/add.cpp", "#include \"portico/ops.hpp\"\n#include <nlohmann/json.hpp>\n");
  tree.add("backends/common/plugin.hpp", "#include \"portico/backend_abi.h\"\n");
  tree.add("backends/opencl/api.hpp", "#include <CL/cl.h>\n#include \"backends/common/plugin.hpp\"\n");
  tree.add("backends/cuda/vendor.hpp", "#include <cstdint>\n");
  tree.add("backends/cuda_hip/launch.cpp", "#include \"vendor.hpp\"\n#include \"prelude.hpp\"\n");
  tree.add("kernels/reduce.h", "FN float f(float x) { return x; }\n");
  tree.add("kernels/softmax.cl", "#include \"reduce.h\"\n");
  tree.add("tests/support/catch.hpp", "#include <catch2/catch.hpp>\n");
  tree.add("tests/ops/add_test.cpp", "#include \"catch.hpp\"\n#include \"portico/ops.hpp\"\n");
  tree.add("tests/runtime/pool_test.cpp", "#include \"runtime/pool.hpp\"\n");
  tree.add("examples/mlp.cpp", "#include <portico/portico.hpp>\n");
}

}  // namespace

TEST_CASE("the tree keeps to the layer map") {
  const auto found = include_violations(PORTICO_SOURCE_TREE);
  INFO(joined(found));
  CHECK(found.empty());
  CHECK(includes_seen() > 50);
}

TEST_CASE("only ops and optim name a kernel") {
  const auto found = kernel_name_violations(PORTICO_SOURCE_TREE);
  INFO(joined(found));
  CHECK(found.empty());
}

TEST_CASE("the check of the layer map sees what breaks it") {
  TemporaryTree tree;
  add_good_tree(tree);
  REQUIRE(joined(include_violations(tree.root())) == "");

  struct Breach {
    const char* path;
    const char* text;
    const char* expected;
  };
  const Breach breach = GENERATE(values<Breach>({
      {"api/src/tensor/bad.cpp", "#include \"portico/ops.hpp\"\n", "tensor may not include ops"},
      {"api/src/optim/bad.cpp", "#include \"portico/nn/layers.hpp\"\n", "optim may not include nn"},
      {"api/src/nn/bad.cpp", "#include \"runtime/pool.hpp\"\n", "nn may not include runtime"},
      {"api/src/nn/bad.cpp", "#include \"portico/backend_abi.h\"\n", "nn may not include abi"},
      {"api/src/ops/bad.cpp", "  #  include <cuda.h>\n", "ops may not include <cuda.h>"},
      {"api/include/portico/io.hpp", "#include <nlohmann/json.hpp>\n", "io may not include <nlohmann/json.hpp>"},
      {"api/include/portico/io.hpp", "#include \"../../src/runtime/pool.hpp\"\n", "io may not include runtime"},
      {"api/src/ops/here.hpp", "#include \"nowhere.hpp\"\n", "nowhere in the tree"},
      {"api/src/strange/bad.cpp", "#include <string>\n", "belongs to no layer"},
      {"backends/opencl/bad.cpp", "#include \"portico/tensor.hpp\"\n", "backends/opencl may not include tensor"},
      {"backends/opencl/bad.cpp", "#include \"backends/cuda/vendor.hpp\"\n", "may not include backends/cuda"},
      {"backends/cuda/bad.cpp", "#include <cuda.h>\n", "backends/cuda may not include <cuda.h>"},
      {"kernels/bad.cl", "#include <stdint.h>\n", "kernels may not include <stdint.h>"},
      {"examples/bad.cpp", "#include \"../api/src/runtime/pool.hpp\"\n", "examples may not include runtime"},
      {"tests/ops/bad_test.cpp", "#include \"runtime/pool.hpp\"\n", "tests may not include runtime"},
  }));
  tree.add(breach.path, breach.text);
  const auto found = include_violations(tree.root());
  INFO(joined(found));
  REQUIRE(found.size() == 1);
  CHECK(found[0].find(breach.expected) != std::string::npos);
  CHECK(found[0].find(breach.path) == 0);
}

TEST_CASE("the check of kernels' names sees what breaks it, and no comment") {
  TemporaryTree tree;
  tree.add("api/src/nn/good.cpp", "// device.kernel(\"gemm\")\nint x; /* KernelFamily */\n");
  tree.add("api/src/ops/good.cpp", "static const KernelFamily kForward(\"softmax\");\n");
  REQUIRE(kernel_name_violations(tree.root()).empty());
  tree.add("api/src/nn/bad.cpp", "int y;\nauto k = device.kernel(\"gemm\", \"gemm\", {});\n");
  const auto found = kernel_name_violations(tree.root());
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("api/src/nn/bad.cpp:2:") == 0);
}
