// The three preludes define the same words in the same order, and the check sees when they do not.
#include "dialect.hpp"

#include "catch.hpp"
#include "source_tree.hpp"

using namespace portico::test;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

const char* const kOpenCl =
    "#define PORTICO_OPENCL 1\n#define KERNEL __kernel\n#define IN(T, x) __global const T* x\n"
    "typedef float f32;\ntypedef struct { ushort bits; } bf16;\nFN float widen(ushort bits) {\n  return 0;\n}\n#define "
    "VEC float4\n";
const char* const kCuda =
    "#define PORTICO_CUDA 1\n#define KERNEL __global__\n#define IN(T, x) const T* x\ntypedef unsigned int uint;\n"
    "typedef float f32;\nstruct bf16 { ushort bits; };\nFN float widen(ushort bits) { return 0; }\nFN int helper() { "
    "return 0; }\n";

}  // namespace

TEST_CASE("the preludes define the same words in the same order") {
  for (const char* name : {"opencl", "cuda", "hip"})
    CHECK(dialect_words(std::string(PORTICO_SOURCE_TREE "/kernels/prelude/") + name + ".h").size() > 40);
  const auto found = dialect_violations(PORTICO_SOURCE_TREE);
  INFO(joined(found));
  CHECK(found.empty());
}

TEST_CASE("the check of the dialect sees what breaks it") {
  TemporaryTree tree;
  tree.add("kernels/prelude/opencl.h", kOpenCl);
  tree.add("kernels/prelude/cuda.h", kCuda);
  tree.add("kernels/prelude/hip.h", kCuda);
  tree.add("kernels/good.cl", "KERNEL void f(IN(f32, x), uint n) { widen(0); }  // helper\n");
  tree.add("kernels/good_cpu.h", "FN VEC g(VEC x) { return x; }\n");
  REQUIRE(joined(dialect_violations(tree.root())) == "");

  std::string expected;
  SECTION("a word of one prelude in a kernel") {
    tree.add("kernels/bad.cl", "int x = helper();\n");
    expected = "kernels/bad.cl:1: helper is not a word of all three";
  }
  SECTION("OpenCL's word in a kernel that CUDA compiles too") {
    tree.add("kernels/bad.cl", "VEC x;\n");
    expected = "kernels/bad.cl:1: VEC is not a word of all three";
  }
  SECTION("another order") {
    tree.add("kernels/prelude/hip.h",
             "#define IN(T, x) const T* x\n#define KERNEL\ntypedef float f32;\nstruct bf16 { int bits; };\nFN float "
             "widen(int b);\n");
    expected = "kernels/prelude/hip.h: IN stands where opencl.h has KERNEL";
  }
  SECTION("other parameters") {
    tree.add("kernels/prelude/hip.h",
             "#define KERNEL\n#define IN(T) const T*\ntypedef float f32;\nstruct bf16 { int bits; };\nFN float "
             "widen(int b);\n");
    expected = "kernels/prelude/hip.h: IN takes other parameters";
  }
  const auto found = dialect_violations(tree.root());
  INFO(joined(found));
  REQUIRE(found.size() >= 1);
  CHECK(found[0].find(expected) == 0);
}
